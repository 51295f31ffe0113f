//! Capital letters in what is asked of mail addresses: those are kept in small letters, all but what is none.

use super::Lint;

const ADDRESS: &str = "contact.email";

impl Lint<'_, '_> {
    pub(super) fn letters(&mut self) {
        for (kind, id, when) in self.conditions() {
            let (Some(place), Some(when)) = (self.places.own(kind, id), when) else { continue };
            let Some(written) = when.capitals_of(ADDRESS) else { continue };
            let Some(model) = self.any_lead() else { continue };
            let example = self.space.example(&model, &[when], &[ADDRESS], |_| true);
            let message = format!("no valid address has {written:?} in it: {ADDRESS} is kept in small letters");
            let at = self.place_of_text(place, written);
            self.tell(at, "capital_letters", message, &format!("write {:?}", written.to_lowercase()), example);
        }
    }
}
