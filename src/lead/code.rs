//! The released codes: flags on a lead, and why and where a record was rejected. Reasons are named by the ruleset, so they
//! are not here.

use super::Vocabulary;

/// Something worth knowing about a lead that does not decide by itself. In alphabetical order of their names, so that a
/// set of them is written sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Flag {
    /// `LeadSource` and `ActionCode` name different actions (readings Q6).
    ActionConflict,
    /// The offer's type is not sold in the store the token names.
    CatalogueMismatch,
    /// Contact consent is not told.
    ConsentUnknown,
    /// A country was given and could not be read.
    CountryUnknown,
    /// A key came twice with different values; the first that is not empty stands (readings Q1).
    DuplicateKey,
    /// The address ends in `.edu` (readings Q13).
    EduDomain,
    /// An e-mail address was given and is not one.
    EmailInvalid,
    /// A field was longer than the limit and was cut.
    FieldTruncated,
    /// Source and action contradict the documentation (readings Q9).
    ImpossiblePair,
    /// Received long after it happened (readings Q33).
    LateDelivery,
    /// No identity at all: an operator may ask Microsoft (readings Q13).
    ManualLookup,
    /// The offer's title is known, its id is not.
    OfferIdMissing,
    /// Nothing tells the offer.
    OfferMissing,
    /// The phone number cannot be checked or written in E.164.
    PhoneUnverifiable,
    /// Personal data were taken out of the published event.
    Redacted,
    /// A domain of Microsoft's documentation samples (readings Q24).
    SampleDomain,
    /// The storefront was inferred from the offer or the action.
    StorefrontInferred,
    /// The storefront could not be told.
    StorefrontUnresolved,
    /// Source and action are not documented together (readings Q9).
    UndocumentedPair,
    /// An action code that no row of the ruleset knows.
    UnknownAction,
    /// A single source token that no row of the ruleset knows (readings Q14).
    UnknownSource,
    /// A `LeadSource` with blanks or of no known form.
    UnparsedLeadSource,
}

impl Vocabulary for Flag {
    const ALL: &'static [Self] = &[
        Self::ActionConflict,
        Self::CatalogueMismatch,
        Self::ConsentUnknown,
        Self::CountryUnknown,
        Self::DuplicateKey,
        Self::EduDomain,
        Self::EmailInvalid,
        Self::FieldTruncated,
        Self::ImpossiblePair,
        Self::LateDelivery,
        Self::ManualLookup,
        Self::OfferIdMissing,
        Self::OfferMissing,
        Self::PhoneUnverifiable,
        Self::Redacted,
        Self::SampleDomain,
        Self::StorefrontInferred,
        Self::StorefrontUnresolved,
        Self::UndocumentedPair,
        Self::UnknownAction,
        Self::UnknownSource,
        Self::UnparsedLeadSource,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ActionConflict => "action_conflict",
            Self::CatalogueMismatch => "catalogue_mismatch",
            Self::ConsentUnknown => "consent_unknown",
            Self::CountryUnknown => "country_unknown",
            Self::DuplicateKey => "duplicate_key",
            Self::EduDomain => "edu_domain",
            Self::EmailInvalid => "email_invalid",
            Self::FieldTruncated => "field_truncated",
            Self::ImpossiblePair => "impossible_pair",
            Self::LateDelivery => "late_delivery",
            Self::ManualLookup => "manual_lookup",
            Self::OfferIdMissing => "offer_id_missing",
            Self::OfferMissing => "offer_missing",
            Self::PhoneUnverifiable => "phone_unverifiable",
            Self::Redacted => "redacted",
            Self::SampleDomain => "sample_domain",
            Self::StorefrontInferred => "storefront_inferred",
            Self::StorefrontUnresolved => "storefront_unresolved",
            Self::UndocumentedPair => "undocumented_pair",
            Self::UnknownAction => "unknown_action",
            Self::UnknownSource => "unknown_source",
            Self::UnparsedLeadSource => "unparsed_lead_source",
        }
    }
}

/// A set of flags; iterates in alphabetical order of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// Puts `flag` in.
    pub fn insert(&mut self, flag: Flag) {
        self.0 |= 1 << flag as u8;
    }

    /// Takes `flag` out.
    pub fn remove(&mut self, flag: Flag) {
        self.0 &= !(1 << flag as u8);
    }

    /// Puts `flag` in if `holds`.
    pub fn set(&mut self, flag: Flag, holds: bool) {
        if holds {
            self.insert(flag);
        }
    }

    /// Whether `flag` is in.
    #[must_use]
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set has none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in the set.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Those in the set, in alphabetical order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.iter().copied().filter(move |flag| self.contains(*flag))
    }
}

/// Why a record became a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadLetterCode {
    /// Null, no bytes, or blanks only.
    EmptyValue,
    /// Over `limits.record_bytes`.
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON.
    MalformedJson,
    /// Not the Avro it claims to be.
    MalformedAvro,
    /// The registry does not know the schema id.
    UnknownSchema,
    /// No known shape.
    UnknownFormat,
    /// An empty list, a scalar, or an element of a list that is no lead.
    NotALead,
    /// Nested deeper than `limits.depth`.
    TooDeep,
    /// More leads than `limits.leads`.
    TooManyLeads,
    /// An event would be larger than the output topic takes.
    OutputTooLarge,
}

impl Vocabulary for DeadLetterCode {
    const ALL: &'static [Self] = &[
        Self::EmptyValue,
        Self::TooLarge,
        Self::NotUtf8,
        Self::MalformedJson,
        Self::MalformedAvro,
        Self::UnknownSchema,
        Self::UnknownFormat,
        Self::NotALead,
        Self::TooDeep,
        Self::TooManyLeads,
        Self::OutputTooLarge,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::EmptyValue => "empty_value",
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::MalformedJson => "malformed_json",
            Self::MalformedAvro => "malformed_avro",
            Self::UnknownSchema => "unknown_schema",
            Self::UnknownFormat => "unknown_format",
            Self::NotALead => "not_a_lead",
            Self::TooDeep => "too_deep",
            Self::TooManyLeads => "too_many_leads",
            Self::OutputTooLarge => "output_too_large",
        }
    }
}

/// Where a record was found bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeadLetterStage {
    /// Bytes to leads.
    Decode,
    /// Leads to facts.
    Normalize,
    /// Decisions to events.
    Encode,
}

impl Vocabulary for DeadLetterStage {
    const ALL: &'static [Self] = &[Self::Decode, Self::Normalize, Self::Encode];

    fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Normalize => "normalize",
            Self::Encode => "encode",
        }
    }
}

/// Why a record has no decision. `detail` holds no personal data: places and sizes, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where.
    pub stage: DeadLetterStage,
    /// Why.
    pub code: DeadLetterCode,
    /// The place in the record, such as `[2]`; empty for the whole.
    pub field: String,
    /// One sentence for a person.
    pub detail: String,
    /// The value, where it was too large to be kept even while it was read.
    pub unkept: Option<UnkeptValue>,
    /// Number of the registry's schema that the value was written with and nobody here knows: who can ask the registry does,
    /// and has the record read again.
    pub awaits: Option<u32>,
}

/// What is known of a value that nobody has kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnkeptValue {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// Microsoft's test marker is in it.
    pub is_test: bool,
}

impl Rejection {
    /// A rejection of the whole record while decoding.
    #[must_use]
    pub fn decode(code: DeadLetterCode, detail: impl Into<String>) -> Self {
        Self { stage: DeadLetterStage::Decode, code, field: String::new(), detail: detail.into(), unkept: None, awaits: None }
    }

    /// Names the place in the record.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_declared_in_the_order_they_are_written() {
        let names: Vec<_> = Flag::ALL.iter().map(|flag| flag.name()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for (index, flag) in Flag::ALL.iter().enumerate() {
            assert_eq!(*flag as usize, index);
        }
    }
}
