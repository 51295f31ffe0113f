//! Events as Avro: the same fields as in JSON, all of them, straight into the arena by the released schema. Knows the frames
//! that tell a reader which schema it was; what is published is `published`'s.

use std::sync::LazyLock;

use apache_avro::writer::datum::GenericDatumWriter;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{
    Event, EventFormat,
    headers::event_id,
    published::{Published, PublishedContact, PublishedReferral},
};
use crate::{
    lead::{ConsentFacts, Decision, Flags, Route, Score, ScorePart, Timestamp, Verdict, Vocabulary},
    schemas::RecordKind,
};

/// Opens a datum whose schema a registry knows by number (Confluent wire format): then four bytes, big-endian.
const CONFLUENT_FRAME: u8 = 0;
/// Opens a datum whose schema is told by its fingerprint (Avro specification, single-object encoding): then eight bytes.
const SINGLE_OBJECT: [u8; 2] = [0xc3, 0x01];

/// Writers by kind of event: built once, since a schema is resolved for it.
static QUALIFIED: LazyLock<Option<GenericDatumWriter<'static>>> = LazyLock::new(|| writer(RecordKind::QualifiedLead));
static UNQUALIFIED: LazyLock<Option<GenericDatumWriter<'static>>> = LazyLock::new(|| writer(RecordKind::UnqualifiedLead));
static ROUTED: LazyLock<Option<GenericDatumWriter<'static>>> = LazyLock::new(|| writer(RecordKind::LeadRouted));

fn writer(kind: RecordKind) -> Option<GenericDatumWriter<'static>> {
    GenericDatumWriter::builder(&kind.latest().schema).human_readable(false).build().ok()
}

/// Writes one event, behind the frame of `format`.
///
/// # Panics
/// When a released schema does not take a decision: a bug. The batch is not committed then, so nothing is lost.
pub(super) fn event(event: Event<'_>, published: &Published<'_>, format: EventFormat, out: &mut Vec<u8>) {
    let (kind, writer) = match (event, published.decision.qualified.verdict) {
        (Event::Routed(_), _) => (RecordKind::LeadRouted, &*ROUTED),
        (Event::Verdict, Verdict::Qualified) => (RecordKind::QualifiedLead, &*QUALIFIED),
        (Event::Verdict, Verdict::Unqualified) => (RecordKind::UnqualifiedLead, &*UNQUALIFIED),
    };
    if let EventFormat::Confluent(id) = format {
        out.push(CONFLUENT_FRAME);
        out.extend_from_slice(&id.to_be_bytes());
    } else {
        out.extend_from_slice(&SINGLE_OBJECT);
        out.extend_from_slice(&kind.latest().fingerprint);
    }
    let written = writer.as_ref().map(|writer| writer.write_ser(out, &Datum { event, published }).is_ok());
    assert_eq!(written, Some(true), "{} has no place for what was decided", kind.name());
}

/// An event as a record of its schema.
struct Datum<'d> {
    event: Event<'d>,
    published: &'d Published<'d>,
}

impl Serialize for Datum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Published { decision, contact, .. } = self.published;
        let Decision { facts, class, qualified, .. } = decision;
        let whole = matches!(self.event, Event::Verdict);
        // The name and the number of fields are the schema's.
        let mut record = serializer.serialize_struct("", 0)?;
        let mut id = String::with_capacity(64);
        event_id(self.event, decision, &mut id);
        record.serialize_field("event_id", id.as_str())?;
        record.serialize_field("lead_id", facts.lead_id.as_str())?;
        record.serialize_field("person_key", &facts.person_key.as_ref().map(|key| key.as_str()))?;
        record.serialize_field("origin", &Word(facts.origin))?;
        record.serialize_field("storefront", &Word(class.storefront))?;
        record.serialize_field("channel", &Word(class.channel))?;
        record.serialize_field("campaign", &Word(class.campaign))?;
        record.serialize_field("marketing_campaign", &decision.marketing_campaign.as_deref().filter(|text| !text.is_empty()))?;
        record.serialize_field("audience", &Word(class.audience))?;
        record.serialize_field("listing", &Word(class.listing))?;
        record.serialize_field("action", &Word(class.action))?;
        record.serialize_field("stage", &Word(class.stage))?;
        record.serialize_field("confidence", &Word(class.confidence))?;
        record.serialize_field("source_raw", &self.published.source_raw)?;
        record.serialize_field("action_raw", &self.published.action_raw)?;
        record.serialize_field("publisher_id", &self.published.publisher_id)?;
        record.serialize_field("offer_id", &self.published.offer_id)?;
        record.serialize_field("offer_title", &self.published.offer_title)?;
        record.serialize_field("offer_raw", &self.published.offer_raw)?;
        record.serialize_field("contact", contact)?;
        if whole {
            record.serialize_field("consent", &Consents(&class.consent))?;
            record.serialize_field("referral", &self.published.referral)?;
            record.serialize_field("is_test", &facts.is_test)?;
            record.serialize_field("is_spam", &facts.is_spam)?;
            record.serialize_field("suppressed_by", &facts.suppressed_by)?;
        }
        record.serialize_field("note", &self.published.note)?;
        record.serialize_field("attribution", &Entries(self.published.attribution.iter().copied()))?;
        if whole {
            record.serialize_field("extra", &Entries(self.published.extra.iter().map(|(key, value)| (&**key, &**value))))?;
        }
        record.serialize_field("flags", &Words(self.published.flags))?;
        record.serialize_field("score", &Scored { score: &qualified.score, whole })?;
        record.serialize_field("verdict", &Word(qualified.verdict))?;
        if whole {
            record.serialize_field("reasons", &qualified.reasons)?;
        }
        record.serialize_field("event_time", &facts.event_time.micros())?;
        record.serialize_field("received_at", &facts.received_at.micros())?;
        record.serialize_field("source", &Source(decision))?;
        record.serialize_field("ruleset", &RulesetVersion(decision))?;
        if let Event::Routed(route) = self.event {
            routed(route, &mut record)?;
        }
        record.end()
    }
}

/// What `LeadRouted` adds to the lead block.
fn routed<R: SerializeStruct>(route: &Route<'_>, record: &mut R) -> Result<(), R::Error> {
    record.serialize_field("destination", route.destination)?;
    record.serialize_field("queue", &route.queue.filter(|text| !text.is_empty()))?;
    record.serialize_field("owner", &route.owner.filter(|text| !text.is_empty()))?;
    record.serialize_field("priority", &route.priority.filter(|text| !text.is_empty()))?;
    record.serialize_field("route", route.route)?;
    record.serialize_field("first_touch_due", &route.first_touch_due.map(Timestamp::micros))?;
    record.serialize_field("accept_due", &route.accept_due.map(Timestamp::micros))?;
    record.serialize_field("hot_until", &route.hot_until.map(Timestamp::micros))?;
    record.serialize_field("late_delivery", &route.late_delivery)
}

impl Serialize for PublishedContact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("first_name", &self.first_name)?;
        record.serialize_field("last_name", &self.last_name)?;
        record.serialize_field("email", &self.email)?;
        record.serialize_field("email_domain", &self.email_domain)?;
        record.serialize_field("email_kind", &Word(self.whole.email_kind))?;
        record.serialize_field("phone_raw", &self.phone_raw)?;
        record.serialize_field("phone_e164", &self.phone_e164)?;
        record.serialize_field("country", &self.whole.country)?;
        record.serialize_field("country_raw", &self.country_raw)?;
        record.serialize_field("region", &Word(self.whole.region))?;
        record.serialize_field("company", &self.company)?;
        record.serialize_field("title", &self.title)?;
        record.serialize_field("seniority", &Word(self.whole.seniority))?;
        record.end()
    }
}

impl Serialize for PublishedReferral<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("status", &self.status)?;
        record.serialize_field("substatus", &self.substatus)?;
        record.serialize_field("expires_at", &self.whole.expires_at.map(Timestamp::micros))?;
        record.serialize_field("deal_value", &self.whole.deal_value)?;
        record.serialize_field("deal_currency", &self.deal_currency)?;
        record.end()
    }
}

struct Consents<'d>(&'d ConsentFacts);

impl Serialize for Consents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("contact", &Word(self.0.contact))?;
        record.serialize_field("share", &Word(self.0.share))?;
        record.serialize_field("marketing", &Word(self.0.marketing))?;
        record.end()
    }
}

struct Scored<'d> {
    score: &'d Score<'d>,
    whole: bool,
}

impl Serialize for Scored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("total", &self.score.total)?;
        record.serialize_field("fit", &self.score.fit)?;
        record.serialize_field("intent", &self.score.intent)?;
        if self.whole {
            record.serialize_field("parts", &Parts(&self.score.parts))?;
        }
        record.serialize_field("grade", &Word(self.score.grade))?;
        record.end()
    }
}

struct Parts<'d>(&'d [ScorePart<'d>]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Scoring))
    }
}

struct Scoring<'d>(&'d ScorePart<'d>);

impl Serialize for Scoring<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("rule", self.0.rule)?;
        record.serialize_field("part", self.0.part.name())?;
        record.serialize_field("points", &self.0.points)?;
        record.end()
    }
}

struct Source<'d>(&'d Decision<'d>);

impl Serialize for Source<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = self.0.facts;
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("topic", &*facts.at.partition.topic)?;
        record.serialize_field("partition", &facts.at.partition.number)?;
        record.serialize_field("offset", &facts.at.offset)?;
        // Bounded by `limits.leads`, far below the largest int.
        record.serialize_field("index", &facts.index.cast_signed())?;
        record.serialize_field("format", facts.format.name())?;
        record.end()
    }
}

struct RulesetVersion<'d>(&'d Decision<'d>);

impl Serialize for RulesetVersion<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("", 0)?;
        record.serialize_field("name", &self.0.rules.name)?;
        record.serialize_field("version", &self.0.rules.version)?;
        record.serialize_field("hash", &self.0.rules.hash)?;
        record.serialize_field("tables", &Entries(self.0.facts.tables.iter().map(|(table, hash)| (*table, hash.as_str()))))?;
        record.end()
    }
}

/// Keys with their values, as a map.
struct Entries<I>(I);

impl<'e, I: ExactSizeIterator<Item = (&'e str, &'e str)> + Clone> Serialize for Entries<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0.clone() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Flags by name.
struct Words(Flags);

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = [""; 64];
        let mut count = 0;
        for (place, flag) in names.iter_mut().zip(self.0.iter()) {
            *place = flag.name();
            count += 1;
        }
        serializer.collect_seq(names.iter().take(count))
    }
}

/// A value of a vocabulary as an enum's symbol.
struct Word<V: Vocabulary>(V);

impl<V: Vocabulary> Serialize for Word<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Symbols stand in the order of the vocabulary; a test compares them.
        let place = V::ALL.iter().position(|value| *value == self.0).and_then(|place| u32::try_from(place).ok());
        serializer.serialize_unit_variant("", place.unwrap_or_default(), self.0.name())
    }
}
