//! Events as JSON: the lead block's fields in the contract's order, straight into the arena. Null and empty fields are left
//! out, nothing stands between the tokens, and the same decision is the same bytes.

use crate::lead::{Route, ScorePart, Timestamp, Vocabulary};

use super::{
    Event,
    common::Common,
    headers::{kind, place},
    published::{Published, PublishedContact, PublishedReferral, texts},
};
use crate::pipeline::json_bytes::is_ordinary;

/// Writes one JSON object field by field; leaves out what is absent. Names come as they stand in the object, quotes and colon and all:
/// a constant is copied in a few instructions, and there are seventy of them in a lead.
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

    /// Writes a name.
    fn key<const LENGTH: usize>(&mut self, name: &[u8; LENGTH]) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(name);
        self.out
    }

    fn text<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            string(self.key(name), value);
        }
    }

    /// A text that holds only characters JSON takes as they are.
    fn plain<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: &[u8]) {
        let out = self.key(name);
        out.push(b'"');
        out.extend_from_slice(value);
        out.push(b'"');
    }

    fn word<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: impl Vocabulary) {
        self.plain(name, value.name().as_bytes());
    }

    fn time<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: Option<Timestamp>) {
        if let Some(value) = value {
            self.plain(name, &value.to_rfc3339());
        }
    }

    fn flag<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: bool) {
        self.key(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], value: i64) {
        let out = self.key(name);
        integer(out, value);
    }

    fn map<'m, const LENGTH: usize>(&mut self, name: &[u8; LENGTH], entries: impl Iterator<Item = (&'m str, &'m str)>) {
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

    fn list<T, const LENGTH: usize>(
        &mut self,
        name: &[u8; LENGTH],
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
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

    fn object<const LENGTH: usize>(&mut self, name: &[u8; LENGTH], fields: impl FnOnce(&mut Object<'_>)) {
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
    if is_ordinary(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        with_escapes(out, text);
    }
}

#[cold]
fn with_escapes(out: &mut Vec<u8>, text: &str) {
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
    let routes = object.key(br#""routes":"#);
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
    id(event, published, common, object);
    common.part(1, object.out, |out| {
        let mut object = Object::resume(out);
        object.plain(br#""lead_id":"#, facts.lead_id.as_bytes());
        if let Some(key) = &facts.person_key {
            object.plain(br#""person_key":"#, key.as_bytes());
        }
        object.word(br#""origin":"#, facts.origin);
        object.word(br#""storefront":"#, class.storefront);
        object.word(br#""channel":"#, class.channel);
        object.word(br#""campaign":"#, class.campaign);
        object.text(br#""marketing_campaign":"#, decision.marketing_campaign.as_deref());
        object.word(br#""audience":"#, class.audience);
        object.word(br#""listing":"#, class.listing);
        object.word(br#""action":"#, class.action);
        object.word(br#""stage":"#, class.stage);
        object.word(br#""confidence":"#, class.confidence);
        object.text(br#""source_raw":"#, published.source_raw);
        object.text(br#""action_raw":"#, published.action_raw);
        object.text(br#""publisher_id":"#, published.publisher_id);
        object.text(br#""offer_id":"#, published.offer_id);
        object.text(br#""offer_title":"#, published.offer_title);
        object.text(br#""offer_raw":"#, published.offer_raw);
        object.object(br#""contact":"#, |object| contact(&published.contact, object));
    });
    if whole {
        object.object(br#""consent":"#, |object| {
            object.word(br#""contact":"#, class.consent.contact);
            object.word(br#""share":"#, class.consent.share);
            object.word(br#""marketing":"#, class.consent.marketing);
        });
        if let Some(referral) = &published.referral {
            object.object(br#""referral":"#, |object| referral_fields(referral, object));
        }
        object.flag(br#""is_test":"#, facts.is_test);
        object.flag(br#""is_spam":"#, facts.is_spam);
        object.text(br#""suppressed_by":"#, facts.suppressed_by);
    }
    common.part(2, object.out, |out| {
        let mut object = Object::resume(out);
        object.text(br#""note":"#, published.note);
        object.map(br#""attribution":"#, texts(&published.attribution));
    });
    if whole {
        object.map(br#""extra":"#, texts(published.extra));
    }
    common.part(3, object.out, |out| {
        let mut object = Object::resume(out);
        object.list(br#""flags":"#, published.flags.iter(), |out, flag| string(out, flag.name()));
        // Ends with its grade.
        let mut object = Object::begin(object.key(br#""score":"#));
        object.integer(br#""total":"#, score.total);
        object.integer(br#""fit":"#, score.fit);
        object.integer(br#""intent":"#, score.intent);
    });
    if whole {
        object.list(br#""parts":"#, score.parts.iter(), score_part);
    }
    common.part(4, object.out, |out| {
        let mut object = Object::resume(out);
        object.word(br#""grade":"#, score.grade);
        object.out.push(b'}');
        object.word(br#""verdict":"#, decision.qualified.verdict);
    });
    if whole {
        object.list(br#""reasons":"#, decision.qualified.reasons.iter(), |out, reason| string(out, reason));
    }
    common.part(5, object.out, |out| {
        let mut object = Object::resume(out);
        // The HTTPS endpoint's leads have one time for both.
        let received_at = facts.received_at.to_rfc3339();
        let event_time = if facts.event_time == facts.received_at { received_at } else { facts.event_time.to_rfc3339() };
        object.plain(br#""event_time":"#, &event_time);
        object.plain(br#""received_at":"#, &received_at);
        object.object(br#""source":"#, |object| {
            object.text(br#""topic":"#, Some(&facts.at.partition.topic));
            object.integer(br#""partition":"#, facts.at.partition.number.into());
            object.integer(br#""offset":"#, facts.at.offset);
            object.integer(br#""index":"#, facts.index.into());
            object.word(br#""format":"#, facts.format);
        });
        object.object(br#""ruleset":"#, |object| {
            object.text(br#""name":"#, Some(&decision.rules.name));
            object.text(br#""version":"#, Some(&decision.rules.version));
            object.plain(br#""hash":"#, decision.rules.hash.as_bytes());
            object.map(br#""tables":"#, facts.tables.iter().map(|(table, hash)| (*table, hash.as_str())));
        });
    });
}

/// The event's id, of which all but the kind is the lead's.
fn id(event: Event<'_>, published: &Published<'_>, common: &mut Common, object: &mut Object<'_>) {
    common.part(0, object.out, |out| {
        let (topic, numbers) = place(published.decision.facts);
        out.extend_from_slice(br#""event_id":""#);
        escaped(out, topic);
        for number in numbers {
            out.push(b'/');
            integer(out, number);
        }
    });
    object.first = false;
    let (kind, destination) = kind(event, published.decision);
    object.out.extend_from_slice(kind.as_bytes());
    escaped(object.out, destination);
    object.out.push(b'"');
}

fn contact(contact: &PublishedContact<'_>, object: &mut Object<'_>) {
    object.text(br#""first_name":"#, contact.first_name);
    object.text(br#""last_name":"#, contact.last_name);
    object.text(br#""email":"#, contact.email);
    object.text(br#""email_domain":"#, contact.email_domain);
    object.word(br#""email_kind":"#, contact.whole.email_kind);
    object.text(br#""phone_raw":"#, contact.phone_raw);
    object.text(br#""phone_e164":"#, contact.phone_e164);
    object.text(br#""country":"#, contact.whole.country);
    object.text(br#""country_raw":"#, contact.country_raw);
    object.word(br#""region":"#, contact.whole.region);
    object.text(br#""company":"#, contact.company);
    object.text(br#""title":"#, contact.title);
    object.word(br#""seniority":"#, contact.whole.seniority);
}

fn referral_fields(referral: &PublishedReferral<'_>, object: &mut Object<'_>) {
    object.text(br#""status":"#, referral.status);
    object.text(br#""substatus":"#, referral.substatus);
    object.time(br#""expires_at":"#, referral.whole.expires_at);
    if let Some(value) = referral.whole.deal_value {
        let _ = serde_json::to_writer(object.key(br#""deal_value":"#), &value);
    }
    object.text(br#""deal_currency":"#, referral.deal_currency);
}

fn score_part(out: &mut Vec<u8>, part: &ScorePart<'_>) {
    let mut object = Object::begin(out);
    object.text(br#""rule":"#, Some(part.rule));
    object.word(br#""part":"#, part.part);
    object.integer(br#""points":"#, part.points);
    object.end();
}

/// What `LeadRouted` adds to the lead block.
fn routed(route: &Route<'_>, object: &mut Object<'_>) {
    object.text(br#""destination":"#, Some(route.destination));
    object.text(br#""queue":"#, route.queue);
    object.text(br#""owner":"#, route.owner);
    object.text(br#""priority":"#, route.priority);
    object.text(br#""route":"#, Some(route.route));
    object.time(br#""first_touch_due":"#, route.first_touch_due);
    object.time(br#""accept_due":"#, route.accept_due);
    object.time(br#""hot_until":"#, route.hot_until);
    object.flag(br#""late_delivery":"#, route.late_delivery);
}
