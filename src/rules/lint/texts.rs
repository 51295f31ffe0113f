//! Texts that a field never has by the way it is written: a phone number without its +, a value of `extra` without its quotes. And
//! regular expressions between slashes, which are letters like others here.

use super::{Lint, places::Place};
use crate::rules::condition::{Condition, NeverText};

impl<'r> Lint<'_, 'r> {
    pub(super) fn texts(&mut self) {
        for (kind, id, when) in self.conditions() {
            let (Some(place), Some(when)) = (self.places.own(kind, id), when) else { continue };
            for NeverText { field, written, why, hint } in when.never_texts() {
                self.never(place, when, "impossible_text", &written, format!("{field} never has {written:?} there: {why}"), &hint);
            }
            for (field, regex) in when.slashed_regexes() {
                let message = format!("the slashes of {regex:?} are part of what is looked for in {field}");
                let inner = regex.trim_start_matches('/');
                let (inner, flags) = inner.rsplit_once('/').unwrap_or((inner, ""));
                let mended = if flags.contains('i') { format!("(?i){inner}") } else { inner.to_owned() };
                self.never(place, when, "slashed_regex", regex, message, &format!("write {mended:?}"));
            }
        }
    }

    fn never(&mut self, place: Place, when: &'r Condition, code: &'static str, written: &str, message: String, hint: &str) {
        let Some(model) = self.any_lead() else { return };
        let example = self.space.example(&model, &[when], &[], |_| true);
        self.tell(self.place_of_text(place, written), code, message, hint, example);
    }
}
