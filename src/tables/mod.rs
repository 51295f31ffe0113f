//! Reference data: offers and accounts as immutable snapshots, each with the hash of its content as its version. Parsed
//! from text; no path or file is known here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use std::collections::BTreeMap;

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

/// All tables a decision may look into.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Content hash of each loaded table.
    pub versions: TableVersions,
}
