//! Events as Avro: the same fields as in JSON, all of them, in the order of the released schemas, straight into the arena. No schema
//! is looked into while a lead is written: that these are the bytes which the schemas ask for, tests hold. Knows the frames that
//! tell a reader which schema it was; what is published is `published`'s.

#[cfg(test)]
mod by_schema;

use super::{
    Event, EventFormat,
    common::Common,
    headers::event_id,
    published::{Published, PublishedContact, PublishedReferral, texts},
};
use crate::{
    lead::{Identity, Route, Score, Timestamp, Verdict, Vocabulary},
    schemas::RecordKind,
};

/// Opens a datum whose schema a registry knows by number (Confluent wire format): then four bytes, big-endian.
const CONFLUENT_FRAME: u8 = 0;
/// Opens a datum whose schema is told by its fingerprint (Avro specification, single-object encoding): then eight bytes.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// Writes one event, behind the frame of `format`.
pub(super) fn event(event: Event<'_>, published: &Published<'_>, format: EventFormat, common: &mut Common, out: &mut Vec<u8>) {
    let kind = match (event, published.decision.qualified.verdict) {
        (Event::Routed(_), _) => RecordKind::LeadRouted,
        (Event::Verdict, Verdict::Qualified) => RecordKind::QualifiedLead,
        (Event::Verdict, Verdict::Unqualified) => RecordKind::UnqualifiedLead,
    };
    frame(kind, format, out);
    lead_block(event, published, common, &mut Datum(out));
    if let Event::Routed(route) = event {
        routed(route, &mut Datum(out));
    }
}

/// Writes what tells a reader which schema the datum behind it has: by the registry's number, else by fingerprint.
pub fn frame(kind: RecordKind, format: EventFormat, out: &mut Vec<u8>) {
    if let EventFormat::Confluent(id) = format {
        out.push(CONFLUENT_FRAME);
        out.extend_from_slice(&id.to_be_bytes());
    } else {
        out.extend_from_slice(&SINGLE_OBJECT);
        out.extend_from_slice(&kind.latest().fingerprint);
    }
}

/// Writes one datum value by value, as Avro's specification has them.
struct Datum<'o>(&'o mut Vec<u8>);

impl Datum<'_> {
    /// Zigzag, seven bits a byte, the lowest first.
    fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while rest >= 0x80 {
            // The seven lowest bits, and that more follow.
            self.0.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push((rest & 0x7f) as u8);
    }

    fn length(&mut self, length: usize) {
        self.long(i64::try_from(length).unwrap_or(i64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn identity(&mut self, identity: &Identity) {
        self.length(identity.as_bytes().len());
        self.0.extend_from_slice(identity.as_bytes());
    }

    /// A text that `write` puts there, and whose length is known only then.
    fn text_of(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.0.len();
        write(self.0);
        let end = self.0.len();
        self.length(end - start);
        let length = self.0.len() - end;
        if let Some(text) = self.0.get_mut(start..) {
            text.rotate_right(length);
        }
    }

    fn flag(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// A value of the union of null and something; whether there is one is told first.
    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.long(0),
            Some(value) => {
                self.long(1);
                write(self, value);
            }
        }
    }

    fn optional_text(&mut self, value: Option<&str>) {
        self.optional(value, Self::text);
    }

    fn optional_time(&mut self, value: Option<Timestamp>) {
        self.optional(value, |datum, time| datum.long(time.micros()));
    }

    /// The symbol of an enum: symbols stand in the order of the vocabulary.
    fn word<V: Vocabulary>(&mut self, word: V) {
        self.length(V::ALL.iter().position(|value| *value == word).unwrap_or_default());
    }

    /// An array or a map: in one block, and then the empty one that ends it.
    fn block<T>(&mut self, count: usize, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        if count > 0 {
            self.length(count);
            items.for_each(|item| write(self, item));
        }
        self.long(0);
    }

    fn map<'m>(&mut self, entries: impl ExactSizeIterator<Item = (&'m str, &'m str)>) {
        self.block(entries.len(), entries, |datum, (key, value)| {
            datum.text(key);
            datum.text(value);
        });
    }
}

fn lead_block(event: Event<'_>, published: &Published<'_>, common: &mut Common, datum: &mut Datum<'_>) {
    let decision = published.decision;
    let (facts, class, score) = (decision.facts, &decision.class, &decision.qualified.score);
    let whole = matches!(event, Event::Verdict);
    datum.text_of(|out| event_id(event, decision, |piece| out.extend_from_slice(piece.as_bytes())));
    common.part(0, datum.0, |out| {
        let mut datum = Datum(out);
        datum.identity(&facts.lead_id);
        datum.optional(facts.person_key.as_ref(), Datum::identity);
        datum.word(facts.origin);
        datum.word(class.storefront);
        datum.word(class.channel);
        datum.word(class.campaign);
        datum.optional_text(decision.marketing_campaign.as_deref().filter(|text| !text.is_empty()));
        datum.word(class.audience);
        datum.word(class.listing);
        datum.word(class.action);
        datum.word(class.stage);
        datum.word(class.confidence);
        datum.optional_text(published.source_raw);
        datum.optional_text(published.action_raw);
        datum.optional_text(published.publisher_id);
        datum.optional_text(published.offer_id);
        datum.optional_text(published.offer_title);
        datum.optional_text(published.offer_raw);
        contact(&published.contact, &mut datum);
    });
    if whole {
        datum.word(class.consent.contact);
        datum.word(class.consent.share);
        datum.word(class.consent.marketing);
        datum.optional(published.referral.as_ref(), |datum, referral| referral_fields(referral, datum));
        datum.flag(facts.is_test);
        datum.flag(facts.is_spam);
        datum.optional_text(facts.suppressed_by);
    }
    common.part(1, datum.0, |out| {
        let mut datum = Datum(out);
        datum.optional_text(published.note);
        datum.map(texts(&published.attribution));
    });
    if whole {
        datum.map(texts(published.extra));
    }
    common.part(2, datum.0, |out| {
        let mut datum = Datum(out);
        datum.block(published.flags.len(), published.flags.iter(), |datum, flag| datum.text(flag.name()));
        datum.long(score.total);
        datum.long(score.fit);
        datum.long(score.intent);
    });
    if whole {
        score_parts(score, datum);
    }
    common.part(3, datum.0, |out| {
        let mut datum = Datum(out);
        datum.word(score.grade);
        datum.word(decision.qualified.verdict);
    });
    if whole {
        let reasons = &decision.qualified.reasons;
        datum.block(reasons.len(), reasons.iter(), |datum, reason| datum.text(reason));
    }
    common.part(4, datum.0, |out| {
        let mut datum = Datum(out);
        datum.long(facts.event_time.micros());
        datum.long(facts.received_at.micros());
        datum.text(&facts.at.partition.topic);
        datum.long(facts.at.partition.number.into());
        datum.long(facts.at.offset);
        datum.long(facts.index.into());
        datum.text(facts.format.name());
        datum.text(&decision.rules.name);
        datum.text(&decision.rules.version);
        datum.text(&decision.rules.hash);
        datum.block(facts.tables.len(), facts.tables.iter(), |datum, (table, hash)| {
            datum.text(table);
            datum.text(hash);
        });
    });
}

fn contact(contact: &PublishedContact<'_>, datum: &mut Datum<'_>) {
    datum.optional_text(contact.first_name);
    datum.optional_text(contact.last_name);
    datum.optional_text(contact.email);
    datum.optional_text(contact.email_domain);
    datum.word(contact.whole.email_kind);
    datum.optional_text(contact.phone_raw);
    datum.optional_text(contact.phone_e164);
    datum.optional_text(contact.whole.country);
    datum.optional_text(contact.country_raw);
    datum.word(contact.whole.region);
    datum.optional_text(contact.company);
    datum.optional_text(contact.title);
    datum.word(contact.whole.seniority);
}

fn referral_fields(referral: &PublishedReferral<'_>, datum: &mut Datum<'_>) {
    datum.optional_text(referral.status);
    datum.optional_text(referral.substatus);
    datum.optional_time(referral.whole.expires_at);
    datum.optional(referral.whole.deal_value, |datum, value| datum.0.extend_from_slice(&value.to_le_bytes()));
    datum.optional_text(referral.deal_currency);
}

fn score_parts(score: &Score<'_>, datum: &mut Datum<'_>) {
    datum.block(score.parts.len(), score.parts.iter(), |datum, part| {
        datum.text(part.rule);
        datum.text(part.part.name());
        datum.long(part.points);
    });
}

/// What `LeadRouted` adds to the lead block.
fn routed(route: &Route<'_>, datum: &mut Datum<'_>) {
    datum.text(route.destination);
    datum.optional_text(route.queue.filter(|text| !text.is_empty()));
    datum.optional_text(route.owner.filter(|text| !text.is_empty()));
    datum.optional_text(route.priority.filter(|text| !text.is_empty()));
    datum.text(route.route);
    datum.optional_time(route.first_touch_due);
    datum.optional_time(route.accept_due);
    datum.optional_time(route.hot_until);
    datum.flag(route.late_delivery);
}
