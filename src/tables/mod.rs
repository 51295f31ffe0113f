//! Reference data: offers and accounts as immutable snapshots, each with the hash of its content as its version. Parsed
//! from text; no path or file is known here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod read;
mod rows;

pub use read::NAMES;
pub use rows::TableForm;

use std::collections::{BTreeMap, BTreeSet};

use crate::lead::{ListingOption, OfferType};

/// One row of `offers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Lower-case.
    pub publisher_id: String,
    /// Lower-case.
    pub offer_id: String,
    /// What is sold.
    pub offer_type: Option<OfferType>,
    /// Display name.
    pub title: Option<String>,
    /// How it can be taken.
    pub listing_option: Option<ListingOption>,
    /// Further columns.
    pub columns: BTreeMap<String, String>,
}

/// One row of `accounts`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Registrable domain, lower-case.
    pub domain: String,
    /// Account name.
    pub name: Option<String>,
    /// Who owns the account.
    pub owner: Option<String>,
    /// As the publisher names it.
    pub segment: Option<String>,
    /// As the publisher names it.
    pub region: Option<String>,
    /// Further columns.
    pub columns: BTreeMap<String, String>,
}

/// Table name to the hex SHA-256 of its content; only tables that are loaded.
pub type TableVersions = BTreeMap<&'static str, String>;

/// All tables a decision may look into: immutable once loaded.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Content hash of each loaded table.
    pub versions: TableVersions,
    /// By publisher, each publisher's sorted by offer id.
    offers: BTreeMap<String, Vec<Offer>>,
    accounts: BTreeMap<String, Account>,
    suppressed_people: BTreeSet<String>,
    suppressed_domains: BTreeSet<String>,
}

impl Tables {
    /// The offer of this publisher with this id, else the one with the longest id that the given one begins with: legacy ids
    /// have the plan's id glued to the offer's (facts.md §2.4). Both lower-case.
    #[must_use]
    pub fn offer(&self, publisher: &str, id: &str) -> Option<&Offer> {
        let offers = self.offers.get(publisher)?;
        (1..=id.len()).rev().filter_map(|end| id.get(..end)).find_map(|known| {
            let place = offers.binary_search_by(|offer| offer.offer_id.as_str().cmp(known)).ok()?;
            offers.get(place)
        })
    }

    /// The account of this mail domain or of the domain it lies under.
    #[must_use]
    pub fn account(&self, domain: &str) -> Option<&Account> {
        parents(domain).find_map(|domain| self.accounts.get(domain))
    }

    /// The scope of the suppression that holds for this person or mail domain.
    #[must_use]
    pub fn suppression(&self, person_key: Option<&str>, domain: Option<&str>) -> Option<&'static str> {
        if person_key.is_some_and(|key| self.suppressed_people.contains(key)) {
            return Some("person");
        }
        domain?;
        parents(domain?).any(|domain| self.suppressed_domains.contains(domain)).then_some("domain")
    }
}

/// The domain, then the ones above it, as long as they have a dot.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above)).take_while(|domain| domain.contains('.'))
}
