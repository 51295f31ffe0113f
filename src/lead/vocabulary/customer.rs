//! Who the customer is and what they have allowed. Names only; nothing is decided here.

use serde::{Serialize, Serializer};

use super::Vocabulary;

/// What kind of mailbox it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmailKind {
    /// `BUSINESS`: a company's own domain.
    Business,
    /// `FREE_MAIL`: a public mail host.
    FreeMail,
    /// `TENANT`: a Microsoft tenant's `onmicrosoft.com`.
    Tenant,
    /// `EDU`: the top-level domain `edu`.
    Edu,
    /// `DISPOSABLE`: a throw-away mailbox.
    Disposable,
    /// `UNKNOWN`: no valid address.
    Unknown,
}

impl Vocabulary for EmailKind {
    const ALL: &'static [Self] = &[Self::Business, Self::FreeMail, Self::Tenant, Self::Edu, Self::Disposable, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::Business => "BUSINESS",
            Self::FreeMail => "FREE_MAIL",
            Self::Tenant => "TENANT",
            Self::Edu => "EDU",
            Self::Disposable => "DISPOSABLE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for EmailKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The sales region of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// `AMER`: the Americas.
    Amer,
    /// `EMEA`: europe, the Middle East and Africa.
    Emea,
    /// `APAC`: Asia and the Pacific.
    Apac,
    /// `UNKNOWN`: no country.
    Unknown,
}

impl Vocabulary for Region {
    const ALL: &'static [Self] = &[Self::Amer, Self::Emea, Self::Apac, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::Amer => "AMER",
            Self::Emea => "EMEA",
            Self::Apac => "APAC",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Read from the job title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seniority {
    /// `C_LEVEL`: chief, owner, founder, president.
    CLevel,
    /// `VP`: vice president.
    Vp,
    /// `DIRECTOR`: director, head of.
    Director,
    /// `MANAGER`: manager, lead.
    Manager,
    /// `STAFF`: Any other title.
    Staff,
    /// `UNKNOWN`: no title.
    Unknown,
}

impl Vocabulary for Seniority {
    const ALL: &'static [Self] = &[Self::CLevel, Self::Vp, Self::Director, Self::Manager, Self::Staff, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::CLevel => "C_LEVEL",
            Self::Vp => "VP",
            Self::Director => "DIRECTOR",
            Self::Manager => "MANAGER",
            Self::Staff => "STAFF",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Seniority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the customer has allowed (readings Q32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consent {
    /// `GRANTED`: Allowed.
    Granted,
    /// `DENIED`: refused.
    Denied,
    /// `UNKNOWN`: not told.
    Unknown,
}

impl Vocabulary for Consent {
    const ALL: &'static [Self] = &[Self::Granted, Self::Denied, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            Self::Granted => "GRANTED",
            Self::Denied => "DENIED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl Serialize for Consent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
