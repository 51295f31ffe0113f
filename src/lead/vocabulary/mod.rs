//! The closed vocabularies of the contract: every enum a subscriber sees, with its wire names. What each value follows
//! from is decided in `pipeline`; this file only names things.

mod classification;
mod customer;
mod offer;
mod verdict;

pub use classification::{Action, Audience, Campaign, Channel, Confidence, Listing, Origin, Stage, Storefront};
pub use customer::{Consent, EmailKind, Region, Seniority};
pub use offer::{Format, ListingOption, OfferType};
pub use verdict::{Grade, Part, Verdict};

/// An enum whose values have released names: the names are an API.
pub trait Vocabulary: Copy + Eq + Sized + 'static {
    /// All values, in the order of the contract.
    const ALL: &'static [Self];

    /// The released name.
    fn name(self) -> &'static str;

    /// The value of this exact name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}
