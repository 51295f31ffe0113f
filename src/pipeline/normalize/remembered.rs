//! Answers to costly questions about texts that come again, within bounds. Only saves time: what is answered is the same with and
//! without it. What is asked and what it costs, the askers know.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

/// Answers in one generation; two are kept, about half a megabyte each.
const REMEMBERED: usize = 4096;

type Answers<Answer> = HashMap<Box<str>, Answer, FxBuildHasher>;

/// Answers by question. A full generation becomes the old one, and what is not asked again while it is goes.
#[derive(Debug)]
pub(super) struct Remembered<Answer> {
    young: Answers<Answer>,
    old: Answers<Answer>,
}

impl<Answer> Default for Remembered<Answer> {
    fn default() -> Self {
        Self { young: Answers::default(), old: Answers::default() }
    }
}

impl<Answer> Remembered<Answer> {
    /// Hands on the answer: what is remembered of it, else what `ask` says.
    pub(super) fn answer<R>(&mut self, question: &str, ask: impl FnOnce() -> Answer, then: impl FnOnce(&Answer) -> R) -> R {
        if let Some(answer) = self.young.get(question) {
            return then(answer);
        }
        let (question, answer) = self.old.remove_entry(question).unwrap_or_else(|| (question.into(), ask()));
        if self.young.len() == REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        let told = then(&answer);
        self.young.insert(question, answer);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_again_is_not_lost_and_what_is_kept_is_bounded() {
        let (mut remembered, mut asked) = (Remembered::default(), 0);
        for number in 0..5 * REMEMBERED {
            for question in ["always".to_owned(), number.to_string()] {
                let ask = || {
                    asked += 1;
                    question.len()
                };
                assert_eq!(remembered.answer(&question, ask, |answer| *answer), question.len());
            }
        }
        assert_eq!(asked, 5 * REMEMBERED + 1);
        assert!(remembered.young.len() <= REMEMBERED && remembered.old.len() <= REMEMBERED);
    }
}
