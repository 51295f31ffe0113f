//! What CEL has and conditions have not, each with what to write instead. Kept with the page `docs/conditions.md`.

use cel::IdedExpr;

use super::{Compiler, Typed};

/// Each as it is written, and what to use. A name with `()` is a function's.
pub(in crate::rules::condition) const REFUSED: [(&str, &str); 33] = [
    ("map()", "ask the elements with exists(…) or all(…); a list cannot be made of another"),
    ("filter()", "ask the elements with exists(…) or all(…); a list cannot be made of another"),
    ("exists_one()", "use exists(…), or compare the size(…)"),
    ("existsOne()", "use exists(…), or compare the size(…)"),
    ("string()", "compare the value itself; texts are not made of numbers or times"),
    ("int()", "compare the value itself; numbers are not made of texts"),
    ("uint()", "whole numbers have a sign here: write 5"),
    ("double()", "write a number with a fraction, such as 2.0"),
    ("bool()", "compare the text: x == \"true\""),
    ("bytes()", "texts are compared as texts"),
    ("dyn()", "leave it away: every field has one type"),
    ("type()", "every field has one type, see docs/conditions.md; whether it is there says has(…)"),
    ("upperAscii()", "use lowerAscii() and write the other text in small letters"),
    ("trim()", "the lead's texts are trimmed already; else use matches(\"^\\\\s*…\\\\s*$\")"),
    ("replace()", "use matches(…)"),
    ("split()", "use contains(…) or matches(…)"),
    ("join()", "ask the elements with exists(…) or all(…)"),
    ("substring()", "use startsWith(…), endsWith(…) or matches(…)"),
    ("charAt()", "use startsWith(…) or matches(…)"),
    ("indexOf()", "use contains(…), startsWith(…) or matches(…)"),
    ("lastIndexOf()", "use contains(…), endsWith(…) or matches(…)"),
    ("format()", "texts are not made of numbers or times; join texts with +"),
    ("reverse()", "use endsWith(…)"),
    ("now()", "received_at is the only clock: when the record reached Kafka; a replay decides the same"),
    ("min()", "write x < y ? x : y"),
    ("max()", "write x > y ? x : y"),
    ("5u", "write whole numbers without u"),
    ("b\"…\"", "write a text without b before it"),
    ("{…}", "compare fields one by one, joined with &&"),
    ("Name{…}", "compare fields one by one, joined with &&"),
    ("x.?y", "write x.y: a field that is missing is null"),
    ("x[?y]", "write x[y]: without that key the comparison is false"),
    ("this", "see docs/conditions.md for what is"),
];

impl Compiler<'_> {
    /// Tells that a construct is not part of the language here.
    pub(super) fn refused(&mut self, at: &IdedExpr, written: &str) -> Typed {
        let instead = REFUSED.iter().find(|(known, _)| *known == written).map_or("", |(_, instead)| *instead);
        self.fault(at, format!("{written} is not supported in conditions"), instead);
        None
    }
}
