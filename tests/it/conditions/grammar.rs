//! Conditions at random, made from the grammar of `docs/conditions.md`: every operator, every function, every field. Each is
//! well typed; whether it could ever be true, and how deep it is, chance decides.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    leads::Lead,
    page::{self, Kind},
};
use crate::mutate::Dice;

/// A condition as leadstream reads it and as the interpreter does: there `has` is a macro that takes nothing but a field, and is
/// true of null.
#[derive(Default)]
pub(super) struct Written {
    pub(super) ours: String,
    pub(super) theirs: String,
    /// The functions in it.
    pub(super) used: BTreeSet<&'static str>,
}

/// What conditions are made of.
pub(super) struct Grammar {
    fields: Vec<(String, Kind)>,
    /// A field, and a value it has in some lead.
    known: Vec<(String, String)>,
}

/// Texts that are near to something.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "Ada",
    "adatum industries",
    "Adatum",
    "US",
    "utm_campaign",
    "utm_",
    "Spring",
    "Ö",
    "\u{1F600}",
    "it's \"it\"",
    "back\\slash",
    "li\nne",
];
const REGEXES: [&str; 8] = ["^A", "a+", "(?i)adatum", "[0-9]{2,}", ".*@.*\\\\.example$", "^$", "\\\\bcall\\\\b", "(a|b)*c"];
const ZONES: [&str; 6] = ["", "\"UTC\"", "\"Europe/Berlin\"", "\"America/Los_Angeles\"", "\"+05:30\"", "\"Asia/Kolkata\""];
const PARTS: [(&str, i64); 10] = [
    ("getFullYear", 2035),
    ("getMonth", 12),
    ("getDate", 32),
    ("getDayOfMonth", 31),
    ("getDayOfWeek", 7),
    ("getDayOfYear", 366),
    ("getHours", 24),
    ("getMinutes", 60),
    ("getSeconds", 60),
    ("getMilliseconds", 1000),
];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// One condition while it grows.
struct Writer<'g, 'd> {
    grammar: &'g Grammar,
    dice: &'d mut Dice,
    used: BTreeSet<&'static str>,
    /// Names of the loops' elements, which are texts.
    elements: Vec<String>,
    loops: usize,
}

impl Grammar {
    pub(super) fn of(leads: &[Lead<'_>]) -> Self {
        let fields = page::fields();
        let texts = fields.iter().filter(|(_, kind)| matches!(kind, Kind::Text | Kind::Word));
        let known =
            texts.flat_map(|(path, _)| leads.iter().filter_map(move |lead| Some((path.clone(), value_at(&lead.block, path)?.to_owned()))));
        Self { known: known.collect::<BTreeSet<_>>().into_iter().collect(), fields }
    }

    pub(super) fn condition(&self, dice: &mut Dice) -> Written {
        let depth = dice.below(5);
        let mut writer = Writer { grammar: self, dice, used: BTreeSet::new(), elements: Vec::new(), loops: 0 };
        let text = writer.truth(depth);
        Written { ours: text.replace("HAS(", "has("), theirs: without_has(&text), used: writer.used }
    }
}

fn value_at<'b>(block: &'b Value, path: &str) -> Option<&'b str> {
    path.split('.').try_fold(block, |value, name| value.get(name))?.as_str()
}

/// `HAS(x)` as `(x != null)`.
fn without_has(text: &str) -> String {
    let Some((before, rest)) = text.split_once("HAS(") else { return text.to_owned() };
    let (path, after) = rest.split_once(')').expect("closed");
    format!("{before}({path} != null){}", without_has(after))
}

/// A text in one of the kinds of quotes.
fn quoted(dice: &mut Dice, text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    match dice.below(4) {
        0 => format!("'{}'", escaped.replace('\'', "\\'")),
        1 if !text.contains('"') => format!("\"\"\"{}\"\"\"", escaped.replace("\\n", "\n")),
        2 if !text.contains(['"', '\n']) && !text.ends_with('\\') => format!("r\"{text}\""),
        _ => format!("\"{}\"", escaped.replace('"', "\\\"")),
    }
}

impl Writer<'_, '_> {
    fn field(&mut self, kinds: &[Kind]) -> String {
        let fields: Vec<_> = self.grammar.fields.iter().filter(|(_, kind)| kinds.contains(kind)).collect();
        fields[self.dice.below(fields.len())].0.clone()
    }

    fn literal(&mut self) -> String {
        let known = &self.grammar.known;
        let text = if self.dice.one_in(2) { self.dice.of_all(&TEXTS) } else { known[self.dice.below(known.len())].1.as_str() };
        quoted(self.dice, text)
    }

    fn call(&mut self, name: &'static str) -> &'static str {
        self.used.insert(name);
        name
    }

    fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.below(8) {
                0 => self.dice.of_all(&["true", "false"]).to_owned(),
                1 => self.field(&[Kind::Truth]),
                2 | 3 => self.comparison_of_known(),
                4 => self.has(),
                5 => self.text_test_of_known(),
                _ => self.comparison(0),
            };
        }
        let below = depth - 1;
        match self.dice.below(20) {
            0 => format!("!({})", self.truth(below)),
            1 => format!("!{}", self.field(&[Kind::Truth])),
            2 | 3 => format!("({} && {})", self.truth(below), self.truth(below)),
            4 | 5 => format!("({} || {} || {})", self.truth(below), self.truth(below), self.truth(0)),
            6 => format!("({} ? {} : {})", self.truth(below), self.truth(below), self.truth(below)),
            7 => format!("({}) {} ({})", self.truth(below), self.dice.of_all(&["==", "!="]), self.truth(below)),
            8 => self.membership(below),
            9 => self.membership_in_field(below),
            10 | 11 => {
                let name = self.dice.of_all(&["startsWith", "endsWith", "contains"]);
                let name = self.call(["startsWith", "endsWith", "contains"].into_iter().find(|known| *known == name).expect("one"));
                format!("{}.{name}({})", self.text_of_call(below), self.text(below))
            }
            12 => {
                self.call("matches");
                let regex = self.dice.of_all(&REGEXES);
                if self.dice.one_in(2) {
                    format!("{}.matches(\"{regex}\")", self.text_of_call(below))
                } else {
                    format!("matches({}, \"{regex}\")", self.text(below))
                }
            }
            13 | 14 => self.each(below),
            15 => self.has(),
            16 | 17 => self.text_test_of_known(),
            _ => self.comparison(below),
        }
    }

    fn has(&mut self) -> String {
        self.call("has");
        format!("HAS({})", self.field(&[Kind::Text, Kind::Word, Kind::Time, Kind::Number, Kind::Record]))
    }

    /// A field and a value that it has in some lead: else few comparisons would be true.
    fn comparison_of_known(&mut self) -> String {
        let (path, value) = self.grammar.known[self.dice.below(self.grammar.known.len())].clone();
        let value = quoted(self.dice, &value);
        match self.dice.below(5) {
            0 => format!("{value} == {path}"),
            1 => format!("{path} != {value}"),
            2 => format!("{path} in [{value}, null]"),
            3 => format!("{path} {} null", self.dice.of_all(&["==", "!="])),
            _ => format!("{path} == {value}"),
        }
    }

    /// A field and a piece of a value that it has in some lead, as it is or in small letters.
    fn text_test_of_known(&mut self) -> String {
        let (path, value) = self.grammar.known[self.dice.below(self.grammar.known.len())].clone();
        let letters: Vec<char> = value.chars().collect();
        let (start, end) = (self.dice.below(letters.len()), self.dice.below(letters.len()) + 1);
        let (name, piece) = match self.dice.below(4) {
            0 => ("startsWith", &letters[..end]),
            1 => ("endsWith", &letters[start..]),
            2 => ("contains", &letters[start.min(end)..start.max(end)]),
            _ => ("", &letters[..]),
        };
        let piece: String = piece.iter().collect();
        let lowered = self.dice.one_in(2);
        let piece = quoted(self.dice, &if lowered { piece.to_ascii_lowercase() } else { piece });
        let path = if lowered { format!("{path}.{}()", self.call("lowerAscii")) } else { path };
        if name.is_empty() {
            return format!("{path} {} {piece}", self.dice.of_all(&["==", "!=", "<=", ">"]));
        }
        format!("{path}.{}({piece})", self.call(name))
    }

    fn comparison(&mut self, depth: usize) -> String {
        let how = self.dice.of_all(&COMPARISONS);
        match self.dice.below(9) {
            0 => format!("{} {how} {}", self.number(depth), self.number(depth)),
            1 => format!("{} {how} {}", self.fraction(depth), self.fraction(depth)),
            2 => format!("{} {how} {}", self.number(depth), self.fraction(depth)),
            3 => format!("{} {how} {}", self.time(depth), self.time(depth)),
            4 => format!("{} {how} {}", self.duration(depth), self.duration(depth)),
            5 => self.part(),
            6 => format!("{} {} null", self.field(&[Kind::Record, Kind::Text, Kind::Number, Kind::Time]), self.dice.of_all(&["==", "!="])),
            _ => format!("{} {how} {}", self.text(depth), self.text(depth)),
        }
    }

    /// A part of a time against a number that it can be.
    fn part(&mut self) -> String {
        let (name, end) = PARTS[self.dice.below(PARTS.len())];
        let number = 1 + self.dice.below(usize::try_from(end - 1).expect("small"));
        let number = if name == "getFullYear" { 2019 + self.dice.below(14) } else { number.min(usize::try_from(end - 1).expect("small")) };
        format!("{} {} {number}", self.part_of_time(name), self.dice.of_all(&COMPARISONS))
    }

    fn part_of_time(&mut self, name: &'static str) -> String {
        self.call(name);
        format!("{}.{name}({})", self.field(&[Kind::Time]), self.dice.of_all(&ZONES))
    }

    fn membership(&mut self, depth: usize) -> String {
        match self.dice.below(3) {
            0 => format!("{} in [{}, {}]", self.number(depth), self.number(0), self.fraction(0)),
            1 => {
                self.call("lowerAscii");
                format!("{}.lowerAscii() in [\"adatum industries\", \"ada\", \"us\"]", self.text_of_call(depth))
            }
            _ => format!("{} in [{}, {}, null]", self.text(depth), self.text(depth), self.text(0)),
        }
    }

    fn membership_in_field(&mut self, depth: usize) -> String {
        match self.dice.below(3) {
            0 => format!("\"{}\" in flags", self.dice.of_all(&["edu_domain", "unknown_action", "offer_missing", "country_unknown"])),
            1 if self.loops == 0 => format!("{} in reasons", self.text(depth)),
            _ => format!("{} in {}", self.text(depth), self.field(&[Kind::Map])),
        }
    }

    fn each(&mut self, depth: usize) -> String {
        if self.loops == 2 {
            return self.comparison(depth);
        }
        let name = if self.dice.one_in(2) { self.call("exists") } else { self.call("all") };
        let list = match self.dice.below(5) {
            0 => "flags".to_owned(),
            1 if self.loops == 0 => "reasons".to_owned(),
            2 if self.loops == 0 => self.field(&[Kind::Map]),
            3 => "[]".to_owned(),
            _ => format!("[{}, {}]", self.text(depth.min(1)), self.text(0)),
        };
        let element = format!("element{}", self.elements.len());
        self.elements.push(element.clone());
        self.loops += 1;
        let body = match self.dice.below(3) {
            0 => format!("{element}.contains({})", self.literal()),
            1 => format!("{element} == {}", self.text(depth)),
            _ => self.truth(depth),
        };
        self.loops -= 1;
        self.elements.pop();
        format!("{list}.{name}({element}, {body})")
    }

    /// A text with brackets around it where a function is asked of it.
    fn text_of_call(&mut self, depth: usize) -> String {
        let text = self.text(depth);
        if text.contains(' ') { format!("({text})") } else { text }
    }

    fn text(&mut self, depth: usize) -> String {
        if let Some(element) = self.elements.last().cloned()
            && self.dice.one_in(4)
        {
            return element;
        }
        if depth == 0 {
            return if self.dice.one_in(3) { self.literal() } else { self.field(&[Kind::Text, Kind::Word]) };
        }
        let below = depth - 1;
        match self.dice.below(8) {
            0 => format!("{} + {}", self.text(below), self.text(0)),
            1 => {
                self.call("lowerAscii");
                format!("{}.lowerAscii()", self.text_of_call(below))
            }
            2 => format!("({} ? {} : {})", self.truth(below), self.text(below), self.text(below)),
            3 => {
                let key = self.dice.of_all(&["\"utm_campaign\"", "'utm_source'", "\"none\"", "\"utm_\" + \"campaign\"", "\"mktcmpid\""]);
                format!("attribution[{key}]")
            }
            4 => self
                .dice
                .of_all(&["attribution.utm_campaign", "extra[\"favourite\"]", "extra.Seats", "account.tier", "offer.line"])
                .to_owned(),
            _ => self.text(0),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.below(4) {
                0 => self.field(&[Kind::Whole]),
                1 => self.dice.of_all(&["0", "1", "-1", "0x1F", "9223372036854775807", "-9223372036854775808"]).to_owned(),
                _ => format!("{}", self.dice.below(60)),
            };
        }
        let below = depth - 1;
        match self.dice.below(9) {
            0..=2 => format!("({} {} {})", self.number(below), self.dice.of_all(&["+", "-", "*", "/", "%"]), self.number(below)),
            3 => format!("-({})", self.number(below)),
            4 => format!("({} ? {} : {})", self.truth(below), self.number(below), self.number(below)),
            5 => {
                self.call("size");
                let of = self.field(&[Kind::Text, Kind::Map, Kind::List]);
                // A size is never less than nothing; that is told, and compares nothing here.
                if self.dice.one_in(2) { format!("(size({of}) + 0)") } else { format!("({of}.size() - 1)") }
            }
            6 => {
                let (name, _) = PARTS[self.dice.below(PARTS.len())];
                format!("({} + 0)", self.part_of_time(name))
            }
            7 => {
                let (name, _) = PARTS[6 + self.dice.below(4)];
                self.call(name);
                format!("({}).{name}()", self.duration(below))
            }
            _ => self.number(0),
        }
    }

    fn fraction(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.below(3) {
                0 => "referral.deal_value".to_owned(),
                1 => self.dice.of_all(&["0.0", "-0.0", "1.5", "50000.5", "1e300", "9007199254740992.0", "2.5e-3"]).to_owned(),
                _ => format!("{}.5", self.dice.below(60)),
            };
        }
        let below = depth - 1;
        match self.dice.below(6) {
            0..=2 => format!("({} {} {})", self.fraction(below), self.dice.of_all(&["+", "-", "*", "/"]), self.fraction(below)),
            3 => format!("-({})", self.fraction(below)),
            4 => format!("({} ? {} : {})", self.truth(below), self.fraction(below), self.fraction(below)),
            _ => self.fraction(0),
        }
    }

    fn time(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        match self.dice.below(if depth == 0 { 4 } else { 8 }) {
            0 => {
                self.call("timestamp");
                let time = self.dice.of_all(&[
                    "2026-11-01T09:00:00Z",
                    "2024-02-29T23:59:59.999999+05:30",
                    "1970-01-01T00:00:00Z",
                    "2026-11-13T00:00:00Z",
                ]);
                format!("timestamp(\"{time}\")")
            }
            4 => format!("({} + {})", self.time(below), self.duration(below)),
            5 => format!("({} - {})", self.time(below), self.duration(below)),
            6 => format!("({} + {})", self.duration(below), self.time(below)),
            7 => format!("({} ? {} : {})", self.truth(below), self.time(below), self.time(below)),
            _ => self.field(&[Kind::Time]),
        }
    }

    fn duration(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        match self.dice.below(if depth == 0 { 2 } else { 5 }) {
            0 | 1 => {
                self.call("duration");
                let length = self.dice.of_all(&["24h", "1h30m", "-90s", "1500ms", "8760h", "0s", "1h", "7us"]);
                format!("duration(\"{length}\")")
            }
            2 => format!("({} - {})", self.time(below), self.time(below)),
            3 => format!("({} + {})", self.duration(below), self.duration(below)),
            _ => format!("({} - {})", self.duration(below), self.duration(below)),
        }
    }
}
