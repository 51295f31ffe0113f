//! What a model asks of values that are made of fields (a size, the hour of a time, the time between two, a regular expression): fields
//! that have them. Tries within bounds; whether it succeeded, the conditions say.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

use super::{
    Model, Space,
    draft::Draft,
    values::Known,
    variables::{Of, Variable},
};
use crate::{
    lead::Timestamp,
    rules::condition::{
        times,
        tree::{Arithmetic, Node},
    },
};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
/// Somewhat more than a year of hours, and two days of minutes.
const TRIED: [(i64, i64); 2] = [(HOUR, 9_000), (MINUTE, 2_880)];
/// Letters of a text that is made for its size.
const LONGEST: usize = 10_000;

impl<'r> Space<'r> {
    pub(super) fn mend(&self, draft: &mut Draft<'r>, model: &Model) {
        let asked = || model.rows.iter().filter_map(|(at, row)| Some((self.variables.get(*at)?, *row)));
        for (variable, row) in asked() {
            let (Of::Term(node), Some(value)) = (variable.of, variable.value(row, 0)) else { continue };
            match (node, value) {
                (Node::Size(of), Known::Int(size)) if matches!(&**of, Node::Field(field) if field.path == "reasons") => {
                    let size = usize::try_from(*size).unwrap_or_default();
                    let missing: Vec<&str> = self.rules.reasons().filter(|reason| !draft.reasons.contains(reason)).collect();
                    draft.reasons.extend(missing.into_iter().take(size.saturating_sub(draft.reasons.len())));
                }
                (Node::Size(of), Known::Int(size)) => draft.set_size(of, usize::try_from(*size).unwrap_or_default().min(LONGEST)),
                (Node::Calculate(Arithmetic::Subtract, left, right), Known::Duration(micros)) => draft.set_between(left, right, *micros),
                _ => {}
            }
        }
        for name in ["event_time", "received_at", "referral.expires_at"] {
            let of_it: Vec<(&Variable<'_>, usize)> = asked().filter(|(variable, _)| is_of(variable, name)).collect();
            if !of_it.iter().any(|(variable, _)| matches!(variable.of, Of::Term(Node::Part(..)))) {
                continue;
            }
            let start = draft.time(name);
            let steps = TRIED.into_iter().flat_map(|(step, count)| (0..count).flat_map(move |at| [at * step, -at * step]));
            let mut times = steps.map(|by| start.plus_micros(by));
            let fits = |time: &Timestamp| {
                self.spend(2 * of_it.len());
                of_it.iter().all(|(variable, row)| is_in_row(variable, *row, *time))
            };
            if let Some(time) = times.find(fits) {
                draft.set_time(name, time);
            }
        }
    }
}

/// Whether the variable is the time, or a part of it.
fn is_of(variable: &Variable<'_>, name: &str) -> bool {
    match variable.of {
        Of::Term(Node::Field(field)) => field.path == name,
        Of::Term(Node::Part(_, of, _)) => matches!(&**of, Node::Field(field) if field.path == name),
        _ => false,
    }
}

fn is_in_row(variable: &Variable<'_>, row: usize, time: Timestamp) -> bool {
    let value = match variable.of {
        Of::Term(Node::Part(part, _, zone)) => times::part_of_time(*part, time, zone.as_ref()).map_or(Known::Error, Known::Int),
        _ => Known::Time(time),
    };
    variable.row_with(&value) == Some(row)
}

/// The shortest text that fits a regular expression, as far as that is plain.
pub(in crate::rules::condition) fn text_that_fits(regex: &str) -> Option<String> {
    let mut text = String::new();
    fits(&regex_syntax::parse(regex).ok()?, &mut text);
    Some(text)
}

fn fits(regex: &Hir, text: &mut String) {
    match regex.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => {
            let letters = |start: char, end: char| ['a', 'x', '1', '-'].into_iter().find(|letter| (start..=end).contains(letter));
            text.extend(match class {
                // A letter that one would write, before any other.
                Class::Unicode(class) => class
                    .iter()
                    .find_map(|range| letters(range.start(), range.end()))
                    .or_else(|| class.iter().next().map(ClassUnicodeRange::start)),
                Class::Bytes(class) => class.iter().next().map(|range| char::from(range.start())),
            });
        }
        HirKind::Repetition(repetition) => (0..repetition.min).for_each(|_| fits(&repetition.sub, text)),
        HirKind::Capture(capture) => fits(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| fits(part, text)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|part| fits(part, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_that_fits() {
        for regex in
            ["(?i)cto", "^(c[a-z]o|vp)\\b", "[0-9]{2,}", ".*@.*\\.example$", "^$", "\\bcall\\b", "^[^a]+$", "(?i)^(head|lead) of .+"]
        {
            let text = text_that_fits(regex).expect(regex);
            assert!(regex::Regex::new(regex).expect(regex).is_match(&text), "{regex} {text:?}");
        }
    }
}
