//! The table `offers`: what the publisher sells, by publisher and offer id. What rows are written in is `rows`'.

use std::collections::BTreeMap;

use super::{
    cells::Column,
    report::Report,
    rows::{self, Layout, Row, TableForm},
};
use crate::lead::{ListingOption, OfferType, Vocabulary};

const PUBLISHER_ID: Column = 0;
const OFFER_ID: Column = 1;
const OFFER_TYPE: Column = 2;
const TITLE: Column = 3;
const LISTING_OPTION: Column = 4;

static LAYOUT: Layout = Layout {
    known: &["publisher_id", "offer_id", "offer_type", "title", "listing_option"],
    needed: &[PUBLISHER_ID, OFFER_ID],
    further: true,
};

/// The most characters of an id that Partner Center takes (facts.md §2.4).
const LONGEST_ID: usize = 50;

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

impl Offer {
    fn ids(&self) -> (&str, &str) {
        (&self.publisher_id, &self.offer_id)
    }
}

/// All rows, sorted by publisher and offer id.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers(Vec<Offer>);

impl Offers {
    /// Whether a row has a further column of this name.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.0.iter().any(|offer| offer.columns.contains_key(name))
    }

    /// Reads the table.
    pub(super) fn read(form: TableForm, text: &str, report: &mut Report<'_>) -> Self {
        let mut read: Vec<(Offer, usize)> = Vec::new();
        rows::read(form, text, &LAYOUT, report, |row, report| read.extend(offer(row, report).map(|offer| (offer, row.offset))));
        // Rows of one id stay in the order of the text.
        read.sort_by(|(left, _), (right, _)| left.ids().cmp(&right.ids()));
        let mut offers: Vec<Offer> = Vec::with_capacity(read.len());
        let mut first = 0;
        for (offer, offset) in read {
            if offers.last().is_some_and(|last| last.ids() == offer.ids()) {
                report.twice(offset, first, "the offer of this row");
            } else {
                first = offset;
                offers.push(offer);
            }
        }
        Self(offers)
    }

    /// The publisher's offer of this id, else the one of the longest id that this one begins with.
    pub(super) fn find(&self, publisher: &str, id: &str) -> Option<&Offer> {
        let start = self.0.partition_point(|offer| *offer.publisher_id < *publisher);
        let offers = self.0.get(start..)?;
        let offers = offers.get(..offers.partition_point(|offer| *offer.publisher_id == *publisher))?;
        let mut beginning = id.as_bytes();
        loop {
            let place = offers.partition_point(|offer| offer.offer_id.as_bytes() <= beginning);
            let offer = offers.get(place.checked_sub(1)?)?;
            let known = offer.offer_id.as_bytes();
            if beginning.starts_with(known) {
                return Some(offer);
            }
            // No row lies between this one and the beginning; so a row that is one shares no more with the id than this one.
            let common = known.iter().zip(beginning).take_while(|(left, right)| left == right).count();
            beginning = beginning.get(..common)?;
        }
    }
}

fn offer(row: &Row<'_>, report: &mut Report<'_>) -> Option<Offer> {
    let [publisher_id, offer_id] = [PUBLISHER_ID, OFFER_ID].map(|column| row.need(column, &LAYOUT, report).map(str::to_lowercase));
    let offer_type = word::<OfferType>(row, OFFER_TYPE, "offer_type", report);
    let listing_option = word::<ListingOption>(row, LISTING_OPTION, "listing_option", report);
    let title = row.get(TITLE).map(str::to_owned);
    let (publisher_id, offer_id) = (publisher_id?, offer_id?);
    usual(row.offset, "publisher_id", &publisher_id, publisher_id.contains('.'), report);
    usual(row.offset, "offer_id", &offer_id, false, report);
    let columns = row.further(&LAYOUT).map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    Some(Offer { publisher_id, offer_id, offer_type, title, listing_option, columns })
}

/// A word out of a closed list; one that is not in it is told.
fn word<V: Vocabulary>(row: &Row<'_>, column: Column, name: &str, report: &mut Report<'_>) -> Option<V> {
    let written = row.get(column)?;
    let word = V::from_name(written);
    if word.is_none() {
        let known: Vec<_> = V::ALL.iter().map(|known| known.name()).collect();
        report.error(row.offset, "bad_value", format!("{name} of this row is unknown"), format!("one of {}", known.join(", ")));
    }
    word
}

/// An id that no lead can have is a slip; but ids are whatever the publisher chose, so it is only worth a warning.
fn usual(offset: usize, name: &str, id: &str, has_dot: bool, report: &mut Report<'_>) {
    let length = id.chars().count();
    let what = if id.contains(char::is_whitespace) {
        "has blanks".to_owned()
    } else if has_dot {
        "has a dot, and what stands before the first dot is all of a publisher's id".to_owned()
    } else if length > LONGEST_ID {
        format!("has {length} characters, and Partner Center takes {LONGEST_ID}")
    } else {
        return;
    };
    let message = format!("{name} of this row {what}: no lead will match it");
    report.warning(offset, "unusual_id", message, "write the ids as they stand in LeadSource: PUBLISHER.OFFER");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: TableForm, text: &str) -> (Offers, Vec<String>) {
        let mut report = Report::new(text);
        let offers = Offers::read(form, text, &mut report);
        let told = report.into_problems().into_iter().map(|problem| format!("{}:{} {}", problem.line, problem.code, problem.message));
        (offers, told.collect())
    }

    fn ids<'t>(offers: &'t Offers, asked: &[(&str, &str)]) -> Vec<Option<&'t str>> {
        asked.iter().map(|(publisher, id)| offers.find(publisher, id).map(|offer| offer.offer_id.as_str())).collect()
    }

    #[test]
    fn an_offer_is_found_exactly_or_by_its_longest_known_beginning() {
        let text = "publisher_id,offer_id,offer_type,title,tier\nBitnami,openedx,virtual_machine,\"Open, edX\",gold\nbitnami,open,saas,Open,\nbitnami,opera,,,\nother,o,,,\n";
        let (offers, told) = read(TableForm::Csv, text);
        assert_eq!(told, Vec::<String>::new());
        let offer = offers.find("bitnami", "openedxcypress").expect("by its beginning");
        assert_eq!((offer.offer_id.as_str(), offer.title.as_deref()), ("openedx", Some("Open, edX")));
        assert_eq!(offer.columns.get("tier").map(String::as_str), Some("gold"));
        let offer = offers.find("bitnami", "open").expect("exactly");
        assert_eq!((offer.offer_type, offer.columns.len()), (Some(OfferType::Saas), 0));
        let asked =
            [("bitnami", "openess"), ("bitnami", "opensource"), ("bitnami", "ope"), ("bitnami", ""), ("nobody", "open"), ("other", "open")];
        assert_eq!(ids(&offers, &asked), [Some("open"), Some("open"), None, None, None, Some("o")]);
    }

    #[test]
    fn ids_are_whatever_the_publisher_chose() {
        let guid = "3701c77e-1cfa-4c56-91e6-3ed0b622145a";
        let text = format!("publisher_id,offer_id\ndocusign,{guid}\ndocusign,3701c77e\np,a.b\np,größe\n");
        let (offers, told) = read(TableForm::Csv, &text);
        assert_eq!(told, Vec::<String>::new());
        let asked = [("docusign", guid), ("docusign", &guid[..35]), ("p", "a.bc"), ("p", "größer"), ("p", "grö")];
        assert_eq!(ids(&offers, &asked), [Some(guid), Some("3701c77e"), Some("a.b"), Some("größe"), None]);
    }

    #[test]
    fn an_id_of_any_length_is_looked_up_in_no_time() {
        let rows: Vec<String> = (1..=50).map(|length| format!("p,{}", "a".repeat(length))).collect();
        let (offers, _) = read(TableForm::Csv, &format!("publisher_id,offer_id\n{}\n", rows.join("\n")));
        let id = "a".repeat(49) + &"b".repeat(1 << 20);
        // A look at every beginning of the id would take hours.
        for _ in 0..1000 {
            assert_eq!(ids(&offers, &[("p", &id)]), [Some(&id[..49])]);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = "{\"publisher_id\":\"p\",\"offer_id\":\"a\",\"offer_type\":\"vm\"}\nnope\n{\"offer_id\":[1]}\n{\"publisher_id\":\"P\",\"offer_id\":\"A\"}\n";
        let (_, told) = read(TableForm::Ndjson, text);
        assert_eq!(
            told,
            [
                "1:bad_value offer_type of this row is unknown",
                "2:bad_row this line is no JSON object: expected ident",
                "3:bad_column offer_id of this row is no text, number or boolean",
                "3:missing_value this row has no publisher_id",
                "3:missing_value this row has no offer_id",
                "4:duplicate_row the offer of this row stands in the table already, on line 1",
            ]
        );
    }
}
