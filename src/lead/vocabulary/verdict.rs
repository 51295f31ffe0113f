//! How a lead was judged. Names only; nothing is decided here.

use serde::{Serialize, Serializer};

use super::Vocabulary;

/// Whether the lead qualifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// `QUALIFIED`: it does.
    Qualified,
    /// `UNQUALIFIED`: it does not; the reasons tell why.
    Unqualified,
}

impl Vocabulary for Verdict {
    const ALL: &'static [Self] = &[Self::Qualified, Self::Unqualified];

    fn name(self) -> &'static str {
        match self {
            Self::Qualified => "QUALIFIED",
            Self::Unqualified => "UNQUALIFIED",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The score in four steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// `A`: best.
    A,
    /// `B`: good.
    B,
    /// `C`: fair.
    C,
    /// `D`: the rest.
    D,
}

impl Vocabulary for Grade {
    const ALL: &'static [Self] = &[Self::A, Self::B, Self::C, Self::D];

    fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Which half of the score a rule adds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `fit`: who the customer is.
    Fit,
    /// `intent`: what the customer did.
    Intent,
}

impl Vocabulary for Part {
    const ALL: &'static [Self] = &[Self::Fit, Self::Intent];

    fn name(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Intent => "intent",
        }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
