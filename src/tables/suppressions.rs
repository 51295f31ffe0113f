//! The table `suppressions`: whom not to approach, by person or by mail domain. It holds no address, only hashes of some; and
//! none of its values is ever shown. What rows are written in is `rows`'.

use std::{collections::HashSet, fmt};

use rustc_hash::FxBuildHasher;
use sha2::{Digest, Sha256};

use super::{
    cells::Column,
    domain,
    report::Report,
    rows::{self, Layout, Row, TableForm},
};

const SCOPE: Column = 0;
const KEY_HASH: Column = 1;
const DOMAIN: Column = 2;

static LAYOUT: Layout = Layout { known: &["scope", "key_hash", "domain"], needed: &[SCOPE], further: false };

/// All rows. Keys are kept as numbers: a `person_key` is one of 128 bits, a SHA-256 two.
#[derive(Clone, Default)]
pub(super) struct Suppressions {
    people: HashSet<u128, FxBuildHasher>,
    addresses: HashSet<[u128; 2], FxBuildHasher>,
    domains: HashSet<Box<str>, FxBuildHasher>,
}

impl fmt::Debug for Suppressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suppressions({})", self.people.len() + self.addresses.len() + self.domains.len())
    }
}

impl Suppressions {
    /// Reads the table. A row that stands twice does no harm.
    pub(super) fn read(form: TableForm, text: &str, report: &mut Report<'_>) -> Self {
        let mut suppressions = Self::default();
        rows::read(form, text, &LAYOUT, report, |row, report| match row.need(SCOPE, &LAYOUT, report) {
            Some("person") => suppressions.add_person(row, report),
            Some("domain") => suppressions.add_domain(row, report),
            Some(_) => report.error(row.offset, "bad_value", "scope is neither person nor domain", "write person or domain"),
            None => {}
        });
        suppressions
    }

    fn add_person(&mut self, row: &Row<'_>, report: &mut Report<'_>) {
        let Some(written) = cell(row, "person", KEY_HASH, report) else { return };
        match key(written) {
            Some(Key::Person(key)) => _ = self.people.insert(key),
            Some(Key::Address(hash)) => _ = self.addresses.insert(hash),
            None => {
                let message = if written.contains('@') {
                    "key_hash of this row is an address, not a hash of one"
                } else {
                    "key_hash of this row is neither 32 nor 64 hex digits"
                };
                let hint = "write the person_key of an event, or the SHA-256 of the address: printf %s jane@adatum.example | sha256sum";
                report.error(row.offset, "bad_key_hash", message, hint);
            }
        }
    }

    fn add_domain(&mut self, row: &Row<'_>, report: &mut Report<'_>) {
        let Some(written) = cell(row, "domain", DOMAIN, report) else { return };
        match domain::mail_domain(written) {
            Ok(domain) => _ = self.domains.insert(domain.into()),
            Err(none) => report.error(row.offset, "bad_domain", format!("the domain of this row {}", none.reason), none.hint),
        }
    }

    /// Of what holds for a lead, the narrowest: its person, else its mail domain.
    pub(super) fn scope(&self, person_key: Option<&str>, email: Option<&str>, domain: Option<&str>) -> Option<&'static str> {
        if person_key.is_some_and(|key| self.has_key(key)) || email.is_some_and(|email| self.has_address(email)) {
            return Some("person");
        }
        let has_domain = |domain| !self.domains.is_empty() && domain::and_above(domain).any(|domain| self.domains.contains(domain));
        domain.is_some_and(has_domain).then_some("domain")
    }

    fn has_key(&self, person_key: &str) -> bool {
        !self.people.is_empty() && matches!(key(person_key), Some(Key::Person(key)) if self.people.contains(&key))
    }

    /// Hashes nothing where no row is of an address.
    fn has_address(&self, email: &str) -> bool {
        if self.addresses.is_empty() {
            return false;
        }
        let email = email.trim().to_lowercase();
        // Leads have their domain in punycode; who made the list hashed what people type.
        let typed = email.rsplit_once('@').filter(|(_, domain)| domain.contains("xn--"));
        let typed = typed.map(|(name, domain)| format!("{name}@{}", idna::domain_to_unicode(domain).0));
        std::iter::once(email.as_str()).chain(typed.as_deref()).any(|email| self.addresses.contains(&sha256(email)))
    }
}

/// The cell that the scope asks for. A table that has no such column is told once.
fn cell<'r>(row: &'r Row<'_>, scope: &str, column: Column, report: &mut Report<'_>) -> Option<&'r str> {
    if row.lacks(column) {
        let message = format!("scope is {scope}, and the header has no column {}", LAYOUT.name(column));
        report.error_once(row.offset, "missing_column", &message, "name the columns in the first line: scope, key_hash, domain");
    }
    row.need(column, &LAYOUT, report)
}

enum Key {
    /// A person key as events have it.
    Person(u128),
    /// The SHA-256 of an address.
    Address([u128; 2]),
}

/// What the hex digits are, by how many they are.
fn key(hex: &str) -> Option<Key> {
    let number = |hex: Option<&str>| u128::from_str_radix(hex?, 16).ok();
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match hex.len() {
        32 => number(Some(hex)).map(Key::Person),
        64 => Some(Key::Address([number(hex.get(..32))?, number(hex.get(32..))?])),
        _ => None,
    }
}

fn sha256(email: &str) -> [u128; 2] {
    let digest: [u8; 32] = Sha256::digest(email).into();
    let half = |from: usize| digest.iter().skip(from).take(16).fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
    [half(0), half(16)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "00112233445566778899aabbccddeeff";
    /// `printf %s jane.doe@adatum.example | sha256sum`
    const JANE: &str = "7af0f31a2d2f11d674830d861bafadf464bc219ac1fdfcf469f6d143f0ca9381";
    /// `printf %s jo@müller-bau.de | sha256sum`
    const JO: &str = "42c5f6a069eec53404e8af4ac2899ad0cf8983e678562841e05831b52f415de2";

    fn read(form: TableForm, text: &str) -> (Suppressions, Vec<String>) {
        let mut report = Report::new(text);
        let suppressions = Suppressions::read(form, text, &mut report);
        let told = report.into_problems().into_iter().map(|problem| format!("{}:{} {}", problem.line, problem.code, problem.message));
        (suppressions, told.collect())
    }

    #[test]
    fn a_person_is_suppressed_by_key_or_by_hashed_address() {
        let text = format!("scope,key_hash\nperson,{}\nperson,{JANE}\nperson,{JO}\nperson,{JO}\n", KEY.to_uppercase());
        let (suppressions, told) = read(TableForm::Csv, &text);
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(format!("{suppressions:?}"), "Suppressions(3)");
        assert_eq!(suppressions.scope(Some(KEY), None, None), Some("person"));
        assert_eq!(suppressions.scope(Some("00112233445566778899aabbccddeef0"), None, Some("adatum.example")), None);
        for (email, scope) in [
            ("jane.doe@adatum.example", Some("person")),
            ("Jane.Doe@Adatum.Example ", Some("person")),
            ("john.doe@adatum.example", None),
            ("jo@xn--mller-bau-q9a.de", Some("person")),
            ("jo@müller-bau.de", Some("person")),
            ("jo@xn--", None),
            ("", None),
        ] {
            assert_eq!(suppressions.scope(Some("x"), Some(email), None), scope, "{email}");
        }
        // The hash of an address is no key of a person.
        assert_eq!(suppressions.scope(Some(JANE), None, None), None);
    }

    #[test]
    fn a_domain_is_suppressed_with_all_that_lies_beneath_it() {
        let text = "{\"scope\":\"domain\",\"domain\":\"mail.Adatum.co.uk\"}\n{\"scope\":\"domain\",\"domain\":\"müller-bau.de\"}\n";
        let (suppressions, told) = read(TableForm::Ndjson, text);
        assert_eq!(told, Vec::<String>::new());
        for (domain, scope) in [
            ("mail.adatum.co.uk", Some("domain")),
            ("x.y.mail.adatum.co.uk", Some("domain")),
            ("xmail.adatum.co.uk", None),
            ("adatum.co.uk", None),
            ("xn--mller-bau-q9a.de", Some("domain")),
            ("", None),
        ] {
            assert_eq!(suppressions.scope(None, Some("a@b.example"), Some(domain)), scope, "{domain}");
        }
    }

    #[test]
    fn the_scope_tells_which_column_counts() {
        let text = format!("scope,key_hash,domain\ndomain,{KEY},a.example\nperson,{JANE},b.example\n");
        let (suppressions, told) = read(TableForm::Csv, &text);
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(suppressions.scope(Some(KEY), None, Some("b.example")), None);
        assert_eq!(suppressions.scope(None, Some("jane.doe@adatum.example"), Some("a.example")), Some("person"));
    }

    #[test]
    fn a_bad_row_is_told_and_what_it_holds_is_not() {
        let secret = "jane.doe@adatum.example";
        let text = format!(
            "scope,key_hash,domain\nperson,{secret},\nperson,{},\nperson,0x{KEY},\nperson,,\ndomain,,{secret}\ndomain,,co.uk\n{secret},,\n{secret}\nperson,+{},\n",
            &JANE[..40],
            &KEY[1..]
        );
        let mut report = Report::new(&text);
        Suppressions::read(TableForm::Csv, &text, &mut report);
        let problems = report.into_problems();
        let told: Vec<_> = problems.iter().map(|problem| format!("{}:{} {}", problem.line, problem.code, problem.message)).collect();
        assert_eq!(
            told,
            [
                "2:bad_key_hash key_hash of this row is an address, not a hash of one",
                "3:bad_key_hash key_hash of this row is neither 32 nor 64 hex digits",
                "4:bad_key_hash key_hash of this row is neither 32 nor 64 hex digits",
                "5:missing_value this row has no key_hash",
                "6:bad_domain the domain of this row is an address",
                "7:bad_domain the domain of this row is nobody's own: anybody can have a domain beneath it",
                "8:bad_value scope is neither person nor domain",
                "9:bad_row this row has 1 field, the header has 3",
                "10:bad_key_hash key_hash of this row is neither 32 nor 64 hex digits",
            ]
        );
        assert!(!format!("{problems:?}").contains("doe"), "{problems:?}");
    }

    #[test]
    fn a_table_without_the_column_that_its_rows_need_is_told_once() {
        let (_, told) = read(TableForm::Csv, "scope,domain\nperson,\ndomain,a.example\nperson,\nperson,b.example\n");
        assert_eq!(told, ["2:missing_column scope is person, and the header has no column key_hash"]);
        let (_, told) = read(TableForm::Csv, "domain,reason\na.example,x\nb.example,y\n");
        assert_eq!(told, ["1:unknown_column column 2 of the header is not read", "1:missing_column the header has no column scope"]);
    }
}
