//! The table `accounts`: who owns which company, by mail domain. Made for a million rows: kept as bytes, found by one look into
//! an index. What rows are written in is `rows`'; what a domain is, `domain`'s.

use std::{borrow::Cow, fmt};

use super::{
    cells::{CellStore, Column},
    domain,
    domain_index::{DomainIndex, DomainList},
    report::Report,
    rows::{self, Layout, Row, TableForm},
};

const DOMAIN: Column = 0;
const NAME: Column = 1;
const OWNER: Column = 2;
const SEGMENT: Column = 3;
const REGION: Column = 4;

static LAYOUT: Layout = Layout { known: &["domain", "name", "owner", "segment", "region"], needed: &[DOMAIN], further: true };

/// All rows.
#[derive(Clone, Default)]
pub(super) struct Accounts {
    /// Names of columns by their numbers.
    columns: Vec<Box<str>>,
    /// The cells of each row but for its domain.
    cells: CellStore,
    /// The place in `cells` of each row that is of a registrable domain.
    registrable: DomainIndex,
    /// The same of each row that lies beneath one. These are few in most tables: so that a lead from `mail.emea.adatum.example`
    /// does not cost three looks into the many.
    beneath: DomainIndex,
}

impl fmt::Debug for Accounts {
    /// Not a million rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// One row of `accounts`.
#[derive(Clone, Copy)]
pub struct Account<'t> {
    accounts: &'t Accounts,
    domain: &'t str,
    place: u32,
}

impl<'t> Account<'t> {
    /// The mail domain it is the account of: lower-case, in punycode.
    pub fn domain(&self) -> &'t str {
        self.domain
    }

    /// Account name.
    pub fn name(&self) -> Option<&'t str> {
        self.cell(NAME)
    }

    /// Who owns the account.
    pub fn owner(&self) -> Option<&'t str> {
        self.cell(OWNER)
    }

    /// As the publisher names it.
    pub fn segment(&self) -> Option<&'t str> {
        self.cell(SEGMENT)
    }

    /// As the publisher names it.
    pub fn region(&self) -> Option<&'t str> {
        self.cell(REGION)
    }

    /// The value of a column by the name it has in the table.
    pub fn column(&self, name: &str) -> Option<&'t str> {
        let column = self.accounts.columns.iter().position(|known| **known == *name)?;
        if column == usize::from(DOMAIN) { Some(self.domain) } else { self.cell(Column::try_from(column).ok()?) }
    }

    /// Every value but the domain, with the name of its column.
    pub fn cells(&self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let columns = &self.accounts.columns;
        self.accounts.cells.row(self.place).filter_map(|(of, text)| Some((&**columns.get(usize::from(of))?, text)))
    }

    fn cell(&self, column: Column) -> Option<&'t str> {
        self.accounts.cells.row(self.place).find(|(of, _)| *of == column).map(|(_, text)| text)
    }
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Account").field(&self.domain()).finish()
    }
}

impl Accounts {
    /// Whether there is a further column of this name.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|known| **known == *name)
    }

    /// Reads the table.
    pub(super) fn read(form: TableForm, text: &str, report: &mut Report<'_>) -> Self {
        let mut accounts = Self::default();
        let (mut registrable, mut beneath) = (DomainList::default(), DomainList::default());
        accounts.columns = rows::read(form, text, &LAYOUT, report, |row, report| {
            let Some(domain) = owned(row, report) else { return };
            let is_registrable = domain::registrable(&domain).is_some_and(|registrable| registrable.len() == domain.len());
            let list = if is_registrable { &mut registrable } else { &mut beneath };
            let place = accounts.cells.push(row.cells().filter(|(column, _)| *column != DOMAIN));
            if place.and_then(|place| list.push(&domain, place, row.offset)).is_none() {
                let hint = "leave out rows and columns that nothing asks for";
                report.error_once(row.offset, "table_too_large", "the table is too large from this row on", hint);
            }
        });
        let mut twice = Vec::new();
        accounts.registrable = registrable.into_index(&mut twice);
        accounts.beneath = beneath.into_index(&mut twice);
        twice.sort_unstable();
        for (offset, first) in twice {
            report.twice(offset, first, "the domain of this row");
        }
        accounts.cells.close();
        accounts
    }

    /// The account of the domain, else of the nearest one it lies under, down to the registrable domain.
    pub(super) fn find(&self, domain: &str) -> Option<Account<'_>> {
        if self.registrable.is_empty() && self.beneath.is_empty() {
            return None;
        }
        let registrable = domain::registrable(domain)?;
        let beneath = domain::and_above(domain).take_while(|domain| domain.len() > registrable.len());
        let found = beneath.filter(|_| !self.beneath.is_empty()).find_map(|domain| self.beneath.find(domain));
        let (domain, place) = found.or_else(|| self.registrable.find(registrable))?;
        Some(Account { accounts: self, domain, place })
    }
}

/// The domain of a row, if somebody can own it.
fn owned<'r>(row: &'r Row<'_>, report: &mut Report<'_>) -> Option<Cow<'r, str>> {
    match domain::mail_domain(row.need(DOMAIN, &LAYOUT, report)?) {
        Ok(domain) => Some(domain),
        Err(none) => {
            report.error(row.offset, "bad_domain", format!("the domain of this row {}", none.reason), none.hint);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: TableForm, text: &str) -> (Accounts, Vec<String>) {
        let mut report = Report::new(text);
        let accounts = Accounts::read(form, text, &mut report);
        let told = report.into_problems().into_iter().map(|problem| format!("{}:{} {}", problem.line, problem.code, problem.message));
        (accounts, told.collect())
    }

    fn names<'t>(accounts: &'t Accounts, domains: &[&str]) -> Vec<Option<&'t str>> {
        domains.iter().map(|domain| accounts.find(domain).and_then(|account| account.name())).collect()
    }

    #[test]
    fn an_account_has_its_columns_and_every_further_one() {
        let text = "Domain,name,owner,segment,region,tier,Sales Area\n Adatum.COM , Adatum ,kim,enterprise,EMEA,gold,\"North, West\"\n";
        let (accounts, told) = read(TableForm::Csv, text);
        assert_eq!(told, Vec::<String>::new());
        let account = accounts.find("adatum.com").expect("found");
        let known = [Some(account.domain()), account.name(), account.owner(), account.segment(), account.region()];
        assert_eq!(known, [Some("adatum.com"), Some("Adatum"), Some("kim"), Some("enterprise"), Some("EMEA")]);
        let further = ["tier", "Sales Area", "Tier", "domain", "none"].map(|column| account.column(column));
        assert_eq!(further, [Some("gold"), Some("North, West"), None, Some("adatum.com"), None]);
        assert_eq!(format!("{account:?}"), "Account(\"adatum.com\")");
        assert!(!format!("{accounts:?}").contains("kim"));
    }

    #[test]
    fn a_lead_is_of_the_nearest_account_and_never_of_one_above_its_registrable_domain() {
        let (accounts, told) = read(TableForm::Csv, "domain,name\nadatum.co.uk,whole\nemea.adatum.co.uk,part\nacme.github.io,pages\n");
        assert_eq!(told, Vec::<String>::new());
        let domains =
            ["mail.emea.adatum.co.uk", "emea.adatum.co.uk", "mail.adatum.co.uk", "adatum.co.uk", "xadatum.co.uk", "co.uk", "uk", ""];
        let part_or_whole = [Some("part"), Some("part"), Some("whole"), Some("whole"), None, None, None, None];
        assert_eq!(names(&accounts, &domains), part_or_whole);
        assert_eq!(
            names(&accounts, &["acme.github.io", "x.acme.github.io", "other.github.io", "github.io"]),
            [Some("pages"), Some("pages"), None, None]
        );
    }

    #[test]
    fn a_row_for_everybodys_domain_is_refused() {
        let (_, told) = read(TableForm::Csv, "domain\nco.uk\ngithub.io\nwww.adatum.com\nkim@adatum.com\nadatum.com\n");
        let nobodys = "bad_domain the domain of this row is nobody's own: anybody can have a domain beneath it";
        assert_eq!(
            told,
            [
                format!("2:{nobodys}"),
                format!("3:{nobodys}"),
                "4:bad_domain the domain of this row is a web server's".to_owned(),
                "5:bad_domain the domain of this row is an address".to_owned(),
            ]
        );
    }

    #[test]
    fn a_domain_that_stands_twice_is_told_with_the_line_of_the_first() {
        let text = "domain,name\n\"a.example\",\"two\nlines\"\n\nb.example,x\nB.example.,y\nmüller.example,z\nxn--mller-kva.example,z\n";
        let (accounts, told) = read(TableForm::Csv, text);
        let twice = |line, first| format!("{line}:duplicate_row the domain of this row stands in the table already, on line {first}");
        assert_eq!(told, [twice(6, 5), twice(8, 7)]);
        assert_eq!(names(&accounts, &["a.example", "b.example"]), [Some("two\nlines"), Some("x")]);
    }

    #[test]
    fn of_many_that_stand_twice_the_first_rows_are_told() {
        let rows = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("company-{number}.example\n")).collect::<Vec<_>>().concat();
        let (_, told) = read(TableForm::Csv, &format!("domain\n{}{}", rows(0..2000), rows(0..2000)));
        let lines: Vec<_> = told.iter().map(|told| told.split_once(':').map_or("", |(line, _)| line).to_owned()).collect();
        let wanted: Vec<_> = (2002..3002).map(|line| line.to_string()).chain(["0".to_owned()]).collect();
        assert_eq!(lines, wanted);
    }

    #[test]
    fn no_row_no_account() {
        for text in ["domain\n", "domain"] {
            assert!(read(TableForm::Csv, text).0.find("adatum.com").is_none());
        }
        assert_eq!(read(TableForm::Ndjson, "").1, Vec::<String>::new());
    }
}
