//! Reference data: offers, accounts and suppressions as immutable snapshots, each with the hash of its content as its
//! version. Checked and parsed from text; no path or file is known here, and no rule.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod accounts;
mod cells;
mod domain;
mod domain_index;
mod offers;
mod report;
mod rows;
mod suppressions;

pub use accounts::Account;
pub use offers::Offer;
pub use rows::TableForm;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::problem::Problem;

use accounts::Accounts;
use offers::Offers;
use report::Report;
use suppressions::Suppressions;

/// The tables there are.
pub const NAMES: [&str; 3] = ["accounts", "offers", "suppressions"];

/// The most bytes of one table: places in it are counted in 32 bits, and the rows of a table this large (some ten million)
/// take less than that.
const LARGEST: usize = 1 << 30;

/// Table name to the hex SHA-256 of its content; only tables that are loaded.
pub type TableVersions = BTreeMap<&'static str, String>;

/// All tables a decision may look into: immutable once loaded.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Content hash of each loaded table.
    pub versions: TableVersions,
    offers: Offers,
    accounts: Accounts,
    suppressions: Suppressions,
}

impl Tables {
    /// Whether a loaded table has this further column, named as conditions do: `account.tier`, `offer.tier`.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        match name.split_once('.') {
            Some(("account", column)) => self.accounts.has_column(column),
            Some(("offer", column)) => self.offers.has_column(column),
            _ => false,
        }
    }

    /// Reads the table `name`, one of [`NAMES`], in place of what was there; tells everything that is wrong with it. With an
    /// error among the problems the table is not to be used.
    ///
    /// No problem quotes a line of the table or a value that may be somebody's: those lists are of people.
    pub fn add(&mut self, name: &str, form: TableForm, text: &str) -> Vec<Problem> {
        let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
            let hint = format!("tables are {}", NAMES.join(", "));
            return vec![Problem::error("unknown_table", format!("there is no table {name:?}")).hint(hint)];
        };
        if let Some(problem) = too_large(text.len()) {
            return vec![problem];
        }
        self.versions.insert(name, version(text));
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut report = Report::new(text);
        match name {
            "offers" => self.offers = Offers::read(form, text, &mut report),
            "accounts" => self.accounts = Accounts::read(form, text, &mut report),
            _ => self.suppressions = Suppressions::read(form, text, &mut report),
        }
        report.into_problems()
    }

    /// The offer of this publisher with this id, else the one with the longest id that the given one begins with: legacy ids
    /// have the plan's id glued to the offer's (facts.md §2.4). Both lower-case.
    #[must_use]
    pub fn offer(&self, publisher: &str, id: &str) -> Option<&Offer> {
        self.offers.find(publisher, id)
    }

    /// The account of this mail domain (lower-case, in punycode), else of the nearest one it lies under, up to the registrable
    /// domain and never above it.
    #[must_use]
    pub fn account(&self, domain: &str) -> Option<Account<'_>> {
        self.accounts.find(domain)
    }

    /// The scope of the suppression that holds for a lead: `person` by the person's key or by the address, else `domain` by
    /// the mail domain or one it lies under.
    #[must_use]
    pub fn suppression(&self, person_key: Option<&str>, email: Option<&str>, domain: Option<&str>) -> Option<&'static str> {
        self.suppressions.scope(person_key, email, domain)
    }
}

fn too_large(bytes: usize) -> Option<Problem> {
    let problem = || {
        Problem::error("table_too_large", format!("the table has {bytes} bytes, {LARGEST} are the most"))
            .hint("leave out rows and columns that nothing asks for")
    };
    (bytes > LARGEST).then(problem)
}

/// The hex SHA-256 of the table as it was written.
fn version(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(text);
    digest.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_hash_of_its_bytes_as_its_version() {
        let mut tables = Tables::default();
        assert_eq!(tables.add("accounts", TableForm::Csv, "domain\n"), []);
        // `printf 'domain\n' | sha256sum`
        assert_eq!(tables.versions["accounts"], "f1061c5a5926f63a60f59dd3195dd4d50419bd585d7228d052ee2ce35c15efb7");
        let without_mark = tables.versions.clone();
        assert_eq!(tables.add("accounts", TableForm::Csv, "\u{feff}domain\n"), []);
        assert_ne!(tables.versions, without_mark, "the bytes count, not what they mean");
        assert_eq!(tables.versions.len(), 1);
    }

    #[test]
    fn a_table_read_again_takes_the_place_of_the_first() {
        let mut tables = Tables::default();
        assert_eq!(tables.add("accounts", TableForm::Csv, "domain\na.example\n"), []);
        assert_eq!(tables.add("accounts", TableForm::Csv, "domain\nb.example\n"), []);
        assert!(tables.account("a.example").is_none() && tables.account("b.example").is_some());
    }

    #[test]
    fn what_is_no_table_and_what_is_too_large_is_told() {
        let problems = Tables::default().add("account", TableForm::Csv, "");
        assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["unknown_table"]);
        assert_eq!(too_large(LARGEST), None);
        assert_eq!(too_large(LARGEST + 1).map(|problem| problem.code), Some("table_too_large"));
    }
}
