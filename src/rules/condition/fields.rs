//! The names a condition may use: the fields of the lead block, their types, and from which stage on each can be seen. Reads
//! values; compares nothing.

use std::borrow::Cow;

use crate::{
    lead::{
        Action, Audience, Campaign, Channel, Classified, Confidence, Consent, Decision, EmailKind, Facts, Flag, Flags, Format, Grade,
        Identity, Listing, ListingOption, OfferType, Origin, Qualified, Region, Seniority, Stage, Storefront, Timestamp, Verdict,
        Vocabulary,
    },
    pipeline::countries,
    rules::Policy,
};

/// How much of the decision has been made where the condition is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Sight {
    /// Gates and score rules: the lead alone.
    Lead,
    /// Campaigns: score, verdict and reasons too.
    Judged,
    /// Routes: the publisher's campaign too.
    Routed,
}

/// The static type of an expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    Null,
    Bool,
    Int,
    Double,
    Text,
    /// A text out of a closed list.
    Word(fn() -> Vec<&'static str>),
    Time,
    Duration,
    /// Something that is there or not: a table row, a referral.
    Row,
    /// Texts by key.
    Map,
    Flags,
    Reasons,
}

impl Type {
    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number",
            Self::Text => "a text",
            Self::Word(_) => "a text out of a fixed list",
            Self::Time => "a time",
            Self::Duration => "a duration",
            Self::Row => "a record",
            Self::Map => "a map",
            Self::Flags | Self::Reasons => "a list",
        }
    }
}

/// The words of a fixed list, in the order of the contract.
pub(in crate::rules) fn words<V: Vocabulary>() -> Vec<&'static str> {
    V::ALL.iter().map(|value| value.name()).collect()
}

/// The flags that rules can see: `redacted` is set only after all of them.
pub(super) fn flag_words() -> Vec<&'static str> {
    Flag::ALL.iter().filter(|flag| **flag != Flag::Redacted).map(|flag| flag.name()).collect()
}

/// What a suppression can be of.
fn suppression_scopes() -> Vec<&'static str> {
    vec!["person", "domain"]
}

/// How all texts of a field are written, so that another text can never be one of them.
pub(super) struct Form {
    pub(super) fits: fn(&str) -> bool,
    /// Whether a part of one can be written so.
    pub(super) fits_in: fn(&str) -> bool,
    /// For people.
    pub(super) words: &'static str,
    /// What was probably meant.
    pub(super) mend: fn(&str) -> String,
}

/// The form of a field's texts, where they have one.
pub(super) fn form(path: &str) -> Option<&'static Form> {
    static COUNTRY: Form = Form {
        // The one code that many take for another.
        fits: |text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) && countries().any(|(code, _)| code == text),
        fits_in: |part| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_uppercase()) && part != "UK",
        words: "a country's code of two capital letters (ISO 3166-1)",
        mend: |text| if text.eq_ignore_ascii_case("UK") { "GB".to_owned() } else { text.to_uppercase() },
    };
    fn is_small(text: &str) -> bool {
        text == text.to_lowercase()
    }
    static SMALL: Form = Form { fits: is_small, fits_in: is_small, words: "in small letters", mend: |text| text.to_lowercase() };
    fn is_of_domain(text: &str) -> bool {
        text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
    }
    static DOMAIN: Form = Form {
        fits: is_of_domain,
        fits_in: is_of_domain,
        words: "a domain in small letters",
        mend: |text| text.rsplit('@').next().unwrap_or_default().to_lowercase(),
    };
    match path {
        "contact.country" => Some(&COUNTRY),
        "contact.email_domain" | "account.domain" => Some(&DOMAIN),
        "publisher_id" | "offer_id" | "offer.publisher_id" | "offer.offer_id" => Some(&SMALL),
        _ => None,
    }
}

/// What a field can be.
pub(in crate::rules) enum FieldWords {
    Any,
    Number,
    Truth,
    OneOf(Vec<&'static str>),
}

/// What the field of this path can be, if there is one.
pub(in crate::rules) fn field_words(path: &str) -> Option<FieldWords> {
    find(path).map(|field| match field.of {
        Type::Word(words) => FieldWords::OneOf(words()),
        Type::Int | Type::Double => FieldWords::Number,
        Type::Bool => FieldWords::Truth,
        _ => FieldWords::Any,
    })
}

/// The paths of all fields.
pub(in crate::rules) fn field_paths() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.path)
}

/// Texts by key, sorted by it.
pub(super) type Map<'a> = &'a [(Cow<'a, str>, Cow<'a, str>)];

/// A value while it is looked at. Borrowed: evaluating allocates nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// What CEL makes an error, such as a missing key: every comparison with it is false.
    Error,
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(&'a str),
    Time(Timestamp),
    /// Microseconds.
    Duration(i64),
    Row,
    Map(Map<'a>),
    Flags(Flags),
    Reasons(&'a [&'a str]),
}

impl<'a> Value<'a> {
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }

    fn row(there: bool) -> Self {
        if there { Self::Row } else { Self::Null }
    }
}

/// What a condition is asked about: one lead, as far as it has been decided.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) class: &'a Classified,
    pub(crate) policy: &'a Policy,
    /// Absent for gates and score rules.
    pub(crate) qualified: Option<&'a Qualified<'a>>,
    /// Absent but for routes.
    pub(crate) marketing_campaign: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// All of a decision, as a route would see it.
    pub(super) fn decided(decision: &'a Decision<'a>) -> Self {
        let Decision { facts, rules, class, marketing_campaign, qualified, .. } = decision;
        let marketing_campaign = marketing_campaign.as_deref();
        Self { facts, class, policy: &rules.policy, qualified: Some(qualified), marketing_campaign }
    }

    pub(super) fn flags(&self) -> Flags {
        self.facts.flags.union(self.class.flags)
    }
}

/// How a field is read.
type Read = for<'a> fn(&Subject<'a>) -> Value<'a>;

/// A field of the lead block.
pub(super) struct Field {
    pub(super) path: &'static str,
    pub(super) of: Type,
    pub(super) from: Sight,
    pub(super) read: Read,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

const fn field(path: &'static str, of: Type, read: Read) -> Field {
    Field { path, of, from: Sight::Lead, read }
}

const fn later(path: &'static str, of: Type, from: Sight, read: Read) -> Field {
    Field { path, of, from, read }
}

/// The field of this path.
pub(super) fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.path == path)
}

/// A column of a table that the contract does not name.
pub(super) fn column<'a>(table: Table, name: &str, subject: &Subject<'a>) -> Value<'a> {
    Value::text(match table {
        Table::Account => subject.facts.account.and_then(|row| row.column(name)),
        Table::Offer => subject.facts.offer.row.and_then(|row| row.columns.get(name)).map(String::as_str),
    })
}

/// A reference table whose matched row a condition may look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Account,
    Offer,
}

/// Every field, in the order of the lead block.
pub(super) static FIELDS: &[Field] = &[
    field("lead_id", Type::Text, |s| Value::Text(s.facts.lead_id.as_str())),
    field("person_key", Type::Text, |s| Value::text(s.facts.person_key.as_ref().map(Identity::as_str))),
    field("origin", Type::Word(words::<Origin>), |s| Value::Text(s.facts.origin.name())),
    field("storefront", Type::Word(words::<Storefront>), |s| Value::Text(s.class.storefront.name())),
    field("channel", Type::Word(words::<Channel>), |s| Value::Text(s.class.channel.name())),
    field("campaign", Type::Word(words::<Campaign>), |s| Value::Text(s.class.campaign.name())),
    later("marketing_campaign", Type::Text, Sight::Routed, |s| Value::text(s.marketing_campaign)),
    field("audience", Type::Word(words::<Audience>), |s| Value::Text(s.class.audience.name())),
    field("listing", Type::Word(words::<Listing>), |s| Value::Text(s.class.listing.name())),
    field("action", Type::Word(words::<Action>), |s| Value::Text(s.class.action.name())),
    field("stage", Type::Word(words::<Stage>), |s| Value::Text(s.class.stage.name())),
    field("confidence", Type::Word(words::<Confidence>), |s| Value::Text(s.class.confidence.name())),
    field("source_raw", Type::Text, |s| Value::text(s.facts.source_raw.as_deref())),
    field("action_raw", Type::Text, |s| Value::text(s.facts.action_raw.as_deref())),
    field("publisher_id", Type::Text, |s| Value::text(s.facts.offer.publisher_id.as_deref())),
    field("offer_id", Type::Text, |s| Value::text(s.facts.offer.offer_id.as_deref())),
    field("offer_title", Type::Text, |s| Value::text(s.facts.offer.offer_title.as_deref())),
    field("offer_raw", Type::Text, |s| Value::text(s.facts.offer.offer_raw.as_deref())),
    field("contact.first_name", Type::Text, |s| Value::text(s.facts.contact.first_name.as_deref())),
    field("contact.last_name", Type::Text, |s| Value::text(s.facts.contact.last_name.as_deref())),
    field("contact.email", Type::Text, |s| Value::text(s.facts.contact.email.as_deref())),
    field("contact.email_domain", Type::Text, |s| Value::text(s.facts.contact.email_domain.as_deref())),
    field("contact.email_kind", Type::Word(words::<EmailKind>), |s| Value::Text(s.facts.contact.email_kind.name())),
    field("contact.phone_raw", Type::Text, |s| Value::text(s.facts.contact.phone_raw.as_deref())),
    field("contact.phone_e164", Type::Text, |s| Value::text(s.facts.contact.phone_e164.as_deref())),
    field("contact.country", Type::Text, |s| Value::text(s.facts.contact.country)),
    field("contact.country_raw", Type::Text, |s| Value::text(s.facts.contact.country_raw.as_deref())),
    field("contact.region", Type::Word(words::<Region>), |s| Value::Text(s.facts.contact.region.name())),
    field("contact.company", Type::Text, |s| Value::text(s.facts.contact.company.as_deref())),
    field("contact.title", Type::Text, |s| Value::text(s.facts.contact.title.as_deref())),
    field("contact.seniority", Type::Word(words::<Seniority>), |s| Value::Text(s.facts.contact.seniority.name())),
    field("consent.contact", Type::Word(words::<Consent>), |s| Value::Text(s.class.consent.contact.name())),
    field("consent.share", Type::Word(words::<Consent>), |s| Value::Text(s.class.consent.share.name())),
    field("consent.marketing", Type::Word(words::<Consent>), |s| Value::Text(s.class.consent.marketing.name())),
    field("referral", Type::Row, |s| Value::row(s.facts.referral.is_some())),
    field("referral.status", Type::Text, |s| Value::text(s.facts.referral.as_ref().and_then(|referral| referral.status.as_deref()))),
    field("referral.substatus", Type::Text, |s| Value::text(s.facts.referral.as_ref().and_then(|referral| referral.substatus.as_deref()))),
    field("referral.expires_at", Type::Time, |s| Value::time(s.facts.referral.as_ref().and_then(|referral| referral.expires_at))),
    field("referral.deal_value", Type::Double, |s| {
        s.facts.referral.as_ref().and_then(|referral| referral.deal_value).map_or(Value::Null, Value::Double)
    }),
    field("referral.deal_currency", Type::Text, |s| {
        Value::text(s.facts.referral.as_ref().and_then(|referral| referral.deal_currency.as_deref()))
    }),
    field("is_test", Type::Bool, |s| Value::Bool(s.facts.is_test)),
    field("is_spam", Type::Bool, |s| Value::Bool(s.facts.is_spam)),
    field("needs_hydration", Type::Bool, |s| Value::Bool(s.facts.needs_hydration)),
    field("own_domain", Type::Bool, |s| {
        Value::Bool(s.facts.contact.email_domain.as_deref().is_some_and(|domain| s.policy.is_own_domain(domain)))
    }),
    field("reachable", Type::Bool, |s| Value::Bool(s.facts.contact.is_reachable())),
    field("suppressed_by", Type::Word(suppression_scopes), |s| Value::text(s.facts.suppressed_by)),
    field("note", Type::Text, |s| Value::text(s.facts.note.as_deref())),
    field("attribution", Type::Map, |s| Value::Map(&s.facts.attribution)),
    field("extra", Type::Map, |s| Value::Map(&s.facts.extra)),
    field("flags", Type::Flags, |s| Value::Flags(s.flags())),
    later("score.total", Type::Int, Sight::Judged, |s| s.qualified.map_or(Value::Null, |q| Value::Int(q.score.total))),
    later("score.fit", Type::Int, Sight::Judged, |s| s.qualified.map_or(Value::Null, |q| Value::Int(q.score.fit))),
    later("score.intent", Type::Int, Sight::Judged, |s| s.qualified.map_or(Value::Null, |q| Value::Int(q.score.intent))),
    later("score.grade", Type::Word(words::<Grade>), Sight::Judged, |s| {
        s.qualified.map_or(Value::Null, |q| Value::Text(q.score.grade.name()))
    }),
    later("verdict", Type::Word(words::<Verdict>), Sight::Judged, |s| s.qualified.map_or(Value::Null, |q| Value::Text(q.verdict.name()))),
    later("reasons", Type::Reasons, Sight::Judged, |s| s.qualified.map_or(Value::Null, |q| Value::Reasons(&q.reasons))),
    field("event_time", Type::Time, |s| Value::Time(s.facts.event_time)),
    field("received_at", Type::Time, |s| Value::Time(s.facts.received_at)),
    field("source.topic", Type::Text, |s| Value::Text(s.facts.at.partition.topic.as_ref())),
    field("source.partition", Type::Int, |s| Value::Int(i64::from(s.facts.at.partition.number))),
    field("source.offset", Type::Int, |s| Value::Int(s.facts.at.offset)),
    field("source.index", Type::Int, |s| Value::Int(i64::from(s.facts.index))),
    field("source.format", Type::Word(words::<Format>), |s| Value::Text(s.facts.format.name())),
    field("account", Type::Row, |s| Value::row(s.facts.account.is_some())),
    field("account.domain", Type::Text, |s| Value::text(s.facts.account.map(|row| row.domain()))),
    field("account.name", Type::Text, |s| Value::text(s.facts.account.and_then(|row| row.name()))),
    field("account.owner", Type::Text, |s| Value::text(s.facts.account.and_then(|row| row.owner()))),
    field("account.segment", Type::Text, |s| Value::text(s.facts.account.and_then(|row| row.segment()))),
    field("account.region", Type::Text, |s| Value::text(s.facts.account.and_then(|row| row.region()))),
    field("offer", Type::Row, |s| Value::row(s.facts.offer.row.is_some())),
    field("offer.publisher_id", Type::Text, |s| Value::text(s.facts.offer.row.map(|row| row.publisher_id.as_str()))),
    field("offer.offer_id", Type::Text, |s| Value::text(s.facts.offer.row.map(|row| row.offer_id.as_str()))),
    field("offer.offer_type", Type::Word(words::<OfferType>), |s| {
        Value::text(s.facts.offer.row.and_then(|row| row.offer_type).map(OfferType::name))
    }),
    field("offer.title", Type::Text, |s| Value::text(s.facts.offer.row.and_then(|row| row.title.as_deref()))),
    field("offer.listing_option", Type::Word(words::<ListingOption>), |s| {
        Value::text(s.facts.offer.row.and_then(|row| row.listing_option).map(ListingOption::name))
    }),
];
