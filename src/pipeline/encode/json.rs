//! Events as JSON: the lead block's fields in the contract's order, straight into the arena. Null and empty fields are left
//! out, nothing stands between the tokens, and the same decision is the same bytes.

use crate::lead::{Identity, Route, ScorePart, Timestamp, Vocabulary};

use super::{
    Event,
    common::Common,
    headers::event_id,
    published::{Published, PublishedContact, PublishedReferral, texts},
};
use crate::pipeline::json_bytes::ordinary;

/// Writes one JSON object field by field; leaves out what is absent.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Goes on with an object that has fields already.
    fn resume(out: &'o mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    fn end(self) {
        self.out.push(b'}');
    }

    /// Writes a key; names of the contract need no escapes.
    fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            string(self.key(name), value);
        }
    }

    /// A text that holds only characters JSON takes as they are.
    fn plain(&mut self, name: &str, value: &str) {
        let out = self.key(name);
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    }

    fn identity(&mut self, name: &str, value: &Identity) {
        let out = self.key(name);
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    }

    fn word(&mut self, name: &str, value: impl Vocabulary) {
        self.plain(name, value.name());
    }

    fn time(&mut self, name: &str, value: Option<Timestamp>) {
        if let Some(value) = value {
            let out = self.key(name);
            out.push(b'"');
            out.extend_from_slice(&value.to_rfc3339());
            out.push(b'"');
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.key(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, name: &str, value: i64) {
        let out = self.key(name);
        integer(out, value);
    }

    fn map<'m>(&mut self, name: &str, entries: impl Iterator<Item = (&'m str, &'m str)>) {
        let mut entries = entries.peekable();
        if entries.peek().is_none() {
            return;
        }
        let out = self.key(name);
        for (place, (key, value)) in entries.enumerate() {
            out.push(if place == 0 { b'{' } else { b',' });
            string(out, key);
            out.push(b':');
            string(out, value);
        }
        out.push(b'}');
    }

    fn list<T>(&mut self, name: &str, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        let out = self.key(name);
        for (place, item) in items.enumerate() {
            out.push(if place == 0 { b'[' } else { b',' });
            write(out, item);
        }
        out.push(b']');
    }

    fn object(&mut self, name: &str, fields: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object::begin(self.key(name));
        fields(&mut inner);
        inner.end();
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes what stands between a string's quotes.
fn escaped(out: &mut Vec<u8>, text: &str) {
    // Hardly any text has a character to escape.
    if ordinary(text.as_bytes()) == text.len() {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let start = out.len();
    // Writing to a Vec cannot fail. Its quotes go again.
    let _ = serde_json::to_writer(&mut *out, text);
    out.pop();
    out.remove(start);
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes one event.
pub(super) fn event(event: Event<'_>, published: &Published<'_>, common: &mut Common, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    lead_block(event, published, common, &mut object);
    if let Event::Routed(route) = event {
        routed(route, &mut object);
    }
    object.end();
}

/// Writes the lead block as published, and what each route adds.
pub(super) fn explained(published: &Published<'_>, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    lead_block(Event::Verdict, published, &mut Common::default(), &mut object);
    let routes = object.key("routes");
    routes.push(b'[');
    for (place, route) in published.decision.routes.iter().enumerate() {
        if place > 0 {
            routes.push(b',');
        }
        let mut added = Object::begin(routes);
        routed(route, &mut added);
        added.end();
    }
    routes.push(b']');
    object.end();
}

fn lead_block(event: Event<'_>, published: &Published<'_>, common: &mut Common, object: &mut Object<'_>) {
    let decision = published.decision;
    let (facts, class, score) = (decision.facts, &decision.class, &decision.qualified.score);
    let whole = matches!(event, Event::Verdict);
    let id = object.key("event_id");
    id.push(b'"');
    event_id(event, decision, |piece| escaped(id, piece));
    id.push(b'"');
    common.part(0, object.out, |out| {
        let mut object = Object::resume(out);
        object.identity("lead_id", &facts.lead_id);
        if let Some(key) = &facts.person_key {
            object.identity("person_key", key);
        }
        object.word("origin", facts.origin);
        object.word("storefront", class.storefront);
        object.word("channel", class.channel);
        object.word("campaign", class.campaign);
        object.text("marketing_campaign", decision.marketing_campaign.as_deref());
        object.word("audience", class.audience);
        object.word("listing", class.listing);
        object.word("action", class.action);
        object.word("stage", class.stage);
        object.word("confidence", class.confidence);
        object.text("source_raw", published.source_raw);
        object.text("action_raw", published.action_raw);
        object.text("publisher_id", published.publisher_id);
        object.text("offer_id", published.offer_id);
        object.text("offer_title", published.offer_title);
        object.text("offer_raw", published.offer_raw);
        object.object("contact", |object| contact(&published.contact, object));
    });
    if whole {
        object.object("consent", |object| {
            object.word("contact", class.consent.contact);
            object.word("share", class.consent.share);
            object.word("marketing", class.consent.marketing);
        });
        if let Some(referral) = &published.referral {
            object.object("referral", |object| referral_fields(referral, object));
        }
        object.flag("is_test", facts.is_test);
        object.flag("is_spam", facts.is_spam);
        object.text("suppressed_by", facts.suppressed_by);
    }
    common.part(1, object.out, |out| {
        let mut object = Object::resume(out);
        object.text("note", published.note);
        object.map("attribution", texts(&published.attribution));
    });
    if whole {
        object.map("extra", texts(published.extra));
    }
    common.part(2, object.out, |out| {
        let mut object = Object::resume(out);
        object.list("flags", published.flags.iter(), |out, flag| string(out, flag.name()));
        // Ends with its grade.
        let mut object = Object::begin(object.key("score"));
        object.integer("total", score.total);
        object.integer("fit", score.fit);
        object.integer("intent", score.intent);
    });
    if whole {
        object.list("parts", score.parts.iter(), score_part);
    }
    common.part(3, object.out, |out| {
        let mut object = Object::resume(out);
        object.word("grade", score.grade);
        object.out.push(b'}');
        object.word("verdict", decision.qualified.verdict);
    });
    if whole {
        object.list("reasons", decision.qualified.reasons.iter(), |out, reason| string(out, reason));
    }
    common.part(4, object.out, |out| {
        let mut object = Object::resume(out);
        object.time("event_time", Some(facts.event_time));
        object.time("received_at", Some(facts.received_at));
        object.object("source", |object| {
            object.text("topic", Some(&facts.at.partition.topic));
            object.integer("partition", facts.at.partition.number.into());
            object.integer("offset", facts.at.offset);
            object.integer("index", facts.index.into());
            object.word("format", facts.format);
        });
        object.object("ruleset", |object| {
            object.text("name", Some(&decision.rules.name));
            object.text("version", Some(&decision.rules.version));
            object.plain("hash", &decision.rules.hash);
            object.map("tables", facts.tables.iter().map(|(table, hash)| (*table, hash.as_str())));
        });
    });
}

fn contact(contact: &PublishedContact<'_>, object: &mut Object<'_>) {
    object.text("first_name", contact.first_name);
    object.text("last_name", contact.last_name);
    object.text("email", contact.email);
    object.text("email_domain", contact.email_domain);
    object.word("email_kind", contact.whole.email_kind);
    object.text("phone_raw", contact.phone_raw);
    object.text("phone_e164", contact.phone_e164);
    object.text("country", contact.whole.country);
    object.text("country_raw", contact.country_raw);
    object.word("region", contact.whole.region);
    object.text("company", contact.company);
    object.text("title", contact.title);
    object.word("seniority", contact.whole.seniority);
}

fn referral_fields(referral: &PublishedReferral<'_>, object: &mut Object<'_>) {
    object.text("status", referral.status);
    object.text("substatus", referral.substatus);
    object.time("expires_at", referral.whole.expires_at);
    if let Some(value) = referral.whole.deal_value {
        let _ = serde_json::to_writer(object.key("deal_value"), &value);
    }
    object.text("deal_currency", referral.deal_currency);
}

fn score_part(out: &mut Vec<u8>, part: &ScorePart<'_>) {
    let mut object = Object::begin(out);
    object.text("rule", Some(part.rule));
    object.word("part", part.part);
    object.integer("points", part.points);
    object.end();
}

/// What `LeadRouted` adds to the lead block.
fn routed(route: &Route<'_>, object: &mut Object<'_>) {
    object.text("destination", Some(route.destination));
    object.text("queue", route.queue);
    object.text("owner", route.owner);
    object.text("priority", route.priority);
    object.text("route", Some(route.route));
    object.time("first_touch_due", route.first_touch_due);
    object.time("accept_due", route.accept_due);
    object.time("hot_until", route.hot_until);
    object.flag("late_delivery", route.late_delivery);
}
