//! The same events written along the released schemas by Avro's own library, field by field by its name: what the bytes of `mod.rs` are
//! held against. For tests only.

use std::borrow::Cow;

use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{Common, Event, EventFormat, Published, PublishedContact, PublishedReferral, event, event_id, texts};
use crate::{
    lead::{ConsentFacts, Decision, Facts, Flag, Flags, Identity, Referral, Route, Score, ScorePart, Timestamp, Verdict, Vocabulary},
    pipeline::{NoTrace, decide},
    rules::{Ruleset, sample},
    schemas::RecordKind,
};

/// The datum that the schema of `kind` makes of an event.
fn by_schema<'d>(kind: RecordKind, event: Event<'d>, published: &'d Published<'d>) -> Vec<u8> {
    let writer = GenericDatumWriter::builder(&kind.latest().schema).human_readable(false).build().expect("a writer");
    let mut out = Vec::new();
    writer.write_ser(&mut out, &Datum { event, published }).expect("the schema has a place for each field");
    out
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
        let mut id = String::new();
        event_id(self.event, decision, |piece| id.push_str(piece));
        record.serialize_field("event_id", id.as_str())?;
        record.serialize_field("lead_id", facts.lead_id.as_str())?;
        record.serialize_field("person_key", &facts.person_key.as_ref().map(Identity::as_str))?;
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
        record.serialize_field("attribution", &Entries(texts(&self.published.attribution)))?;
        if whole {
            record.serialize_field("extra", &Entries(texts(self.published.extra)))?;
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

/// Made of one number (splitmix64).
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.number() % end).expect("small")
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Of any size, so that each length of a number comes.
    fn long(&mut self) -> i64 {
        let bits = self.below(64);
        (self.number() >> bits).cast_signed()
    }

    fn text(&mut self) -> Cow<'static, str> {
        let letters = ["a", "é", "\"", "\\", "\n", " ", "漢", "😀"];
        let length = [0, 1, 5, 70][self.below(4)];
        (0..length).map(|_| letters[self.below(8)]).collect::<String>().into()
    }

    fn maybe(&mut self) -> Option<Cow<'static, str>> {
        self.yes().then(|| self.text())
    }

    fn entries(&mut self) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
        (0..self.below(4)).map(|_| (self.text(), self.text())).collect()
    }

    fn word<V: Vocabulary>(&mut self) -> V {
        V::ALL[self.below(V::ALL.len() as u64)]
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_micros(self.long())
    }

    fn facts(&mut self) -> Facts<'static> {
        let mut facts = sample::facts();
        let contact = &mut facts.contact;
        for text in [
            &mut contact.first_name,
            &mut contact.last_name,
            &mut contact.email,
            &mut contact.email_domain,
            &mut contact.phone_raw,
            &mut contact.phone_e164,
            &mut contact.country_raw,
            &mut contact.company,
            &mut contact.title,
            &mut facts.source_raw,
            &mut facts.action_raw,
            &mut facts.offer.publisher_id,
            &mut facts.offer.offer_id,
            &mut facts.offer.offer_title,
            &mut facts.offer.offer_raw,
            &mut facts.note,
        ] {
            *text = self.maybe();
        }
        contact.country = self.yes().then_some("FR");
        (contact.email_kind, contact.region, contact.seniority) = (self.word(), self.word(), self.word());
        (facts.at.offset, facts.index) = (self.long(), u32::try_from(self.below(9)).expect("small"));
        (facts.origin, facts.format, facts.received_at, facts.event_time) = (self.word(), self.word(), self.time(), self.time());
        facts.person_key = self.yes().then(|| Identity::from_digest(&[9; 32]));
        (facts.is_test, facts.is_spam, facts.suppressed_by) = (self.yes(), self.yes(), self.yes().then_some("domain"));
        (facts.attribution, facts.extra) = (self.entries(), self.entries());
        facts.referral = self.yes().then(|| Referral {
            status: self.maybe(),
            substatus: self.maybe(),
            expires_at: self.yes().then(|| self.time()),
            deal_value: self.yes().then(|| f64::from_bits(self.number())),
            deal_currency: self.maybe(),
        });
        facts
    }

    fn change(&mut self, decision: &mut Decision<'_>) {
        let class = &mut decision.class;
        (class.storefront, class.channel, class.campaign, class.audience) = (self.word(), self.word(), self.word(), self.word());
        (class.listing, class.action, class.stage, class.confidence) = (self.word(), self.word(), self.word(), self.word());
        class.consent = ConsentFacts { contact: self.word(), share: self.word(), marketing: self.word() };
        for flag in Flag::ALL {
            class.flags.set(*flag, self.yes());
        }
        decision.marketing_campaign = self.maybe();
        let qualified = &mut decision.qualified;
        (qualified.verdict, qualified.redacted) = (self.word(), self.yes());
        qualified.reasons = ["spam", "own_domain", "low_score"][self.below(4)..].to_vec();
        let part = |chance: &mut Self| ScorePart { rule: "senior", part: chance.word(), points: chance.long() };
        let parts = (0..self.below(4)).map(|_| part(self)).collect();
        qualified.score = Score { total: self.long(), fit: self.long(), intent: self.long(), parts, grade: self.word() };
        let word = |chance: &mut Self| chance.yes().then(|| ["", "emea", "team"][chance.below(3)]);
        let time = |chance: &mut Self| chance.yes().then(|| chance.time());
        decision.routes = (0..self.below(4))
            .map(|_| Route {
                destination: "PUBLISHER_CRM",
                queue: word(self),
                owner: word(self),
                priority: word(self),
                route: "follow_up",
                first_touch_due: time(self),
                accept_due: time(self),
                hot_until: time(self),
                late_delivery: self.yes(),
            })
            .collect();
    }
}

proptest! {
    #[test]
    fn events_are_what_the_released_schemas_make_of_them(number in any::<u64>()) {
        let mut chance = Chance(number);
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let facts = chance.facts();
        let mut decision = decide(&facts, &rules, &mut NoTrace);
        chance.change(&mut decision);
        let published = Published::of(&decision);
        let (mut common, mut out) = (Common::default(), b"what stands before".to_vec());
        let verdict = match decision.qualified.verdict {
            Verdict::Qualified => RecordKind::QualifiedLead,
            Verdict::Unqualified => RecordKind::UnqualifiedLead,
        };
        let routed = decision.routes.iter().map(|route| (RecordKind::LeadRouted, Event::Routed(route)));
        for (kind, one) in std::iter::once((verdict, Event::Verdict)).chain(routed) {
            let start = out.len();
            event(one, &published, EventFormat::Confluent(7), &mut common, &mut out);
            prop_assert_eq!(&out[start..start + 5], &[0, 0, 0, 0, 7]);
            prop_assert_eq!(&out[start + 5..], by_schema(kind, one, &published));
        }
    }
}
