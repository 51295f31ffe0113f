//! Columns of the tables that are no documented one, and nearly are: further columns are allowed, so a slip of the pen is one, and null.

use super::Lint;
use crate::problem::distance;

/// Columns that docs/tables.md names, long enough that one letter makes no other word.
const COLUMNS: [&str; 9] = [
    "account.domain",
    "account.owner",
    "account.segment",
    "account.region",
    "offer.publisher_id",
    "offer.offer_id",
    "offer.offer_type",
    "offer.title",
    "offer.listing_option",
];

impl Lint<'_, '_> {
    /// `exists` tells whether a table that is loaded has the column.
    pub(super) fn columns(&mut self, exists: &dyn Fn(&str) -> bool) {
        for (kind, id, when) in self.conditions() {
            let (Some(place), Some(when)) = (self.places.own(kind, id), when) else { continue };
            for name in when.names().into_iter().filter(|name| !exists(name)) {
                let Some(meant) = COLUMNS.into_iter().find(|known| is_slip_of(&name, known)) else { continue };
                let Some(model) = self.any_lead() else { continue };
                let example = self.space.example(&model, &[when], &[], |_| true);
                let message =
                    format!("{name} is no column that is documented, and nearly {meant}: where a table has no such column, it is null");
                self.tell(self.place_in(place, &name), "misspelt_column", message, &format!("did you mean {meant}?"), example);
                if let Some((_, told)) = self.found.last_mut().filter(|(_, told)| told.code == "misspelt_column") {
                    told.underlined = name.len();
                }
            }
        }
    }
}

/// One letter more, less or other, or two that are swapped; a plural or a number is a word of its own.
fn is_slip_of(name: &str, known: &str) -> bool {
    let record = known.find('.').map_or(known.len(), |dot| dot + 1);
    name.get(..record) == known.get(..record)
        && name.len().abs_diff(known.len()) <= 1
        && distance(name, known) == 1
        && !name.ends_with(|last: char| last.is_ascii_digit() || last == 's')
}
