//! Rows to the tables the contract names: which columns there are, which are needed, and what their values mean.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{
    lead::{ListingOption, OfferType, Vocabulary},
    problem::Problem,
};

use super::{
    Account, Offer, TableForm, Tables,
    rows::{Row, rows},
};

const HEX: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];

/// The tables there are.
pub const NAMES: [&str; 3] = ["accounts", "offers", "suppressions"];

impl Tables {
    /// Adds the rows of the table `name`, one of [`NAMES`]; tells everything that is wrong with them. With errors, the rows
    /// are not to be used.
    pub fn add(&mut self, name: &str, form: TableForm, text: &str) -> Vec<Problem> {
        let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
            let hint = format!("tables are {}", NAMES.join(", "));
            return vec![Problem::error("unknown_table", format!("there is no table {name:?}")).hint(hint)];
        };
        let (rows, problems) = rows(form, text);
        let mut reader = Reader { text, problems };
        for row in rows {
            match name {
                "offers" => self.add_offer(row, &mut reader),
                "accounts" => self.add_account(row, &mut reader),
                _ => self.add_suppression(row, &mut reader),
            }
        }
        let hash =
            Sha256::digest(text).iter().fold(String::new(), |hash, byte| hash + HEX[usize::from(byte >> 4)] + HEX[usize::from(byte & 15)]);
        self.versions.insert(name, hash);
        reader.problems
    }

    fn add_offer(&mut self, mut row: Row, reader: &mut Reader<'_>) {
        let offset = row.offset;
        let publisher_id = reader.need(&mut row, "publisher_id").map(|id| id.to_lowercase());
        let offer_id = reader.need(&mut row, "offer_id").map(|id| id.to_lowercase());
        let offer_type = reader.word::<OfferType>(&mut row, "offer_type");
        let listing_option = reader.word::<ListingOption>(&mut row, "listing_option");
        let title = take(&mut row, "title");
        let (Some(publisher_id), Some(offer_id)) = (publisher_id, offer_id) else { return };
        let offers = self.offers.entry(publisher_id.clone()).or_default();
        match offers.binary_search_by(|known| known.offer_id.cmp(&offer_id)) {
            Ok(_) => reader.twice(offset, "this offer"),
            Err(place) => {
                let columns = columns(row);
                offers.insert(place, Offer { publisher_id, offer_id, offer_type, title, listing_option, columns });
            }
        }
    }

    fn add_account(&mut self, mut row: Row, reader: &mut Reader<'_>) {
        let offset = row.offset;
        let Some(domain) = reader.need(&mut row, "domain").map(|domain| domain.to_lowercase()) else { return };
        let [name, owner, segment, region] = ["name", "owner", "segment", "region"].map(|column| take(&mut row, column));
        let account = Account { domain: domain.clone(), name, owner, segment, region, columns: columns(row) };
        if self.accounts.insert(domain.clone(), account).is_some() {
            reader.twice(offset, "this account");
        }
    }

    fn add_suppression(&mut self, mut row: Row, reader: &mut Reader<'_>) {
        match reader.need(&mut row, "scope").as_deref() {
            Some("person") => self.suppressed_people.extend(reader.need(&mut row, "key_hash").map(|key| key.to_lowercase())),
            Some("domain") => self.suppressed_domains.extend(reader.need(&mut row, "domain").map(|domain| domain.to_lowercase())),
            Some(_) => reader.tell(row.offset, "bad_value", "scope is neither person nor domain", "write person or domain"),
            None => {}
        }
    }
}

fn take(row: &mut Row, name: &str) -> Option<String> {
    let place = row.columns.iter().position(|(column, _)| column == name)?;
    Some(row.columns.swap_remove(place).1.trim().to_owned())
}

fn columns(row: Row) -> BTreeMap<String, String> {
    row.columns.into_iter().collect()
}

struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn tell(&mut self, offset: usize, code: &'static str, message: &str, hint: &str) {
        self.problems.push(Problem::error(code, message).at(self.text, offset).hint(hint));
    }

    fn twice(&mut self, offset: usize, what: &str) {
        self.tell(offset, "duplicate_row", &format!("{what} stands in the table twice"), "keep one of the rows");
    }

    fn need(&mut self, row: &mut Row, name: &str) -> Option<String> {
        let value = take(row, name);
        if value.is_none() {
            self.tell(row.offset, "missing_column", &format!("this row has no {name}"), "fill the column, or take the row out");
        }
        value
    }

    fn word<V: Vocabulary>(&mut self, row: &mut Row, name: &str) -> Option<V> {
        let value = take(row, name)?;
        let word = V::from_name(&value);
        if word.is_none() {
            let known: Vec<_> = V::ALL.iter().map(|known| known.name()).collect();
            self.tell(row.offset, "bad_value", &format!("this row's {name} is unknown"), &format!("one of {}", known.join(", ")));
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, form: TableForm, text: &str) -> (Tables, Vec<String>) {
        let mut tables = Tables::default();
        let problems = tables.add(name, form, text);
        (tables, problems.into_iter().map(|problem| format!("{}:{} {}", problem.line, problem.code, problem.message)).collect())
    }

    #[test]
    fn an_offer_is_found_exactly_or_by_its_longest_known_beginning() {
        let text =
            "publisher_id,offer_id,offer_type,title,tier\nBitnami,openedx,virtual_machine,\"Open, edX\",gold\nbitnami,open,saas,Open,\n";
        let (tables, problems) = load("offers", TableForm::Csv, text);
        assert_eq!(problems, Vec::<String>::new());
        let offer = tables.offer("bitnami", "openedxcypress").expect("by its beginning");
        assert_eq!((offer.offer_id.as_str(), offer.title.as_deref()), ("openedx", Some("Open, edX")));
        assert_eq!(offer.columns.get("tier").map(String::as_str), Some("gold"));
        assert_eq!(tables.offer("bitnami", "open").map(|offer| offer.offer_type), Some(Some(OfferType::Saas)));
        assert_eq!(tables.offer("bitnami", "ope"), None);
        assert_eq!(tables.offer("other", "open"), None);
        assert_eq!(tables.versions.keys().collect::<Vec<_>>(), [&"offers"]);
    }

    #[test]
    fn accounts_and_suppressions_hold_for_what_lies_under_a_domain() {
        let (tables, _) = load("accounts", TableForm::Ndjson, "{\"domain\":\"Acme.example\",\"owner\":\"kim\"}\n\n");
        assert_eq!(tables.account("mail.acme.example").and_then(|account| account.owner.as_deref()), Some("kim"));
        assert_eq!(tables.account("example"), None);
        let (tables, _) = load("suppressions", TableForm::Csv, "scope,domain,key_hash\ndomain,acme.example,\nperson,,ABC\n");
        assert_eq!(tables.suppression(None, Some("x.acme.example")), Some("domain"));
        assert_eq!(tables.suppression(Some("abc"), None), Some("person"));
        assert_eq!(tables.suppression(Some("x"), Some("example")), None);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = "{\"publisher_id\":\"p\",\"offer_id\":\"a\",\"offer_type\":\"vm\"}\nnope\n{\"offer_id\":[1]}\n{\"publisher_id\":\"P\",\"offer_id\":\"A\"}\n";
        let (_, problems) = load("offers", TableForm::Ndjson, text);
        let told: Vec<_> = problems.iter().map(|problem| problem.split_once(' ').map_or("", |(place, _)| place)).collect();
        assert_eq!(told, ["2:bad_row", "3:bad_column", "1:bad_value", "3:missing_column", "3:missing_column", "4:duplicate_row"]);
        assert_eq!(load("offers", TableForm::Csv, "a,b\n\"x,y\n").1.len(), 1);
        assert_eq!(load("offers", TableForm::Csv, "").1, ["0:no_header the table has no header"]);
    }
}
