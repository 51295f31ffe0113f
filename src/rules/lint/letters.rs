//! Capital letters in what is asked of mail addresses: those are kept in small letters, all but what is none.

use super::Lint;
use crate::rules::condition::space::{Answer, Formula};

const ADDRESS: &str = "contact.email";

impl Lint<'_, '_> {
    pub(super) fn letters(&mut self) {
        for (kind, id, when) in self.conditions() {
            let (Some(place), Some(when)) = (self.places.own(kind, id), when) else { continue };
            let Some(written) = when.capitals_of(ADDRESS) else { continue };
            let Answer::Possible(model) = self.space.can_hold(&[&Formula::Always], &[], true) else { continue };
            let example = self.space.example(&model, &[when], &[ADDRESS], |_| true);
            let message = format!("no valid address has {written:?} in it: {ADDRESS} is kept in small letters");
            let at = self.place_in(place, &format!("{written:?}"));
            self.tell(at, "capital_letters", message, &format!("write {:?}", written.to_lowercase()), example);
        }
    }
}
