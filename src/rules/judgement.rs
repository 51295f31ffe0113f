//! The part of a ruleset that judges: policy, gates and score. Reads and keeps; the judging is in `pipeline::qualify`.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::{
    condition::{Condition, Sight, Subject, Weighed},
    dates::EffectiveDates,
    keys::{self, Key},
    list::RuleList,
    reading::{Ids, Reader, Section},
};
use crate::lead::{Grade, Part, Storefront, Vocabulary};

/// The reason given when the score is below its threshold and no gate held.
pub(crate) const LOW_SCORE: &str = "low_score";

/// `[policy]`.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Lower-case.
    pub(super) own_domains: Vec<String>,
    /// Microseconds.
    pub(crate) late_after: i64,
    redact: Vec<String>,
}

impl Policy {
    /// Whether `domain` is one of the publisher's own, or beneath one.
    pub(crate) fn is_own_domain(&self, domain: &str) -> bool {
        self.own_domains.iter().any(|own| domain.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }

    /// Whether a lead with this reason is published without personal data.
    pub(crate) fn redacts(&self, reason: &str) -> bool {
        self.redact.iter().any(|redacted| redacted == reason)
    }
}

/// `[[gate]]`: while it holds, the lead does not qualify.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) id: String,
    pub(crate) reason: String,
    pub(super) when: Condition,
    pub(super) dates: EffectiveDates,
}

impl Gate {
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        self.dates.include(subject.facts.event_time) && self.when.holds(subject)
    }

    /// Each part of what it asks, beside what the lead has.
    pub(crate) fn weigh(&self, subject: &Subject<'_>) -> Weighed {
        let when = self.when.weigh(subject);
        Weighed::all(self.dates.weigh(subject.facts.event_time).into_iter().chain([when]).collect())
    }
}

/// `[[score.rule]]`.
#[derive(Debug)]
pub(crate) struct ScoreRule {
    pub(crate) id: String,
    pub(crate) part: Part,
    pub(crate) points: i64,
    pub(super) when: Condition,
    pub(super) dates: EffectiveDates,
}

impl ScoreRule {
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        self.dates.include(subject.facts.event_time) && self.when.holds(subject)
    }

    /// Each part of what it asks, beside what the lead has.
    pub(crate) fn weigh(&self, subject: &Subject<'_>) -> Weighed {
        let when = self.when.weigh(subject);
        Weighed::all(self.dates.weigh(subject.facts.event_time).into_iter().chain([when]).collect())
    }
}

/// `[score]`.
#[derive(Debug)]
pub(crate) struct Scoring {
    pub(super) threshold: i64,
    pub(super) threshold_by_storefront: Vec<(Storefront, i64)>,
    /// Least totals of A, B and C.
    pub(super) grades: [i64; 3],
    pub(crate) rules: RuleList<ScoreRule>,
}

impl Scoring {
    /// The least total with which a lead of this storefront qualifies.
    pub(crate) fn threshold(&self, storefront: Storefront) -> i64 {
        let own = self.threshold_by_storefront.iter().find(|(named, _)| *named == storefront);
        own.map_or(self.threshold, |(_, threshold)| *threshold)
    }

    /// The total in four steps.
    pub(crate) fn grade(&self, total: i64) -> Grade {
        let [a, b, c] = self.grades;
        match total {
            _ if total >= a => Grade::A,
            _ if total >= b => Grade::B,
            _ if total >= c => Grade::C,
            _ => Grade::D,
        }
    }
}

/// What a ruleset without `[policy]` does with late and with refused leads.
const LATE_AFTER: i64 = 6 * 3_600 * 1_000_000;
const REDACT: [&str; 3] = ["do_not_contact", "consent_denied", "suppressed"];

pub(super) fn policy<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Policy {
    let redact = REDACT.map(str::to_owned).to_vec();
    let mut policy = Policy { own_domains: Vec::new(), late_after: LATE_AFTER, redact };
    let Some(section) = root.get("policy").and_then(|value| reader.section("policy", value, keys::POLICY)) else { return policy };
    if let Some(list) = section.get("own_domains").and_then(|value| reader.list_of(value, "own_domains")) {
        for value in list {
            let Some(text) = reader.text_of(value, "own_domains") else { continue };
            // As addresses are compared: lower-case, in punycode, without the root's dot.
            let written = text.trim().trim_end_matches('.');
            let domain = idna::domain_to_ascii(written).unwrap_or_default();
            if written.contains(['@', '/', '*', ' ', ':']) || !domain.contains('.') || domain.starts_with('.') || domain.starts_with("www.")
            {
                reader.tell(
                    value.span().start,
                    "invalid_value",
                    format!("{text:?} is no domain"),
                    "write it like \"acme.example\"; subdomains count too",
                );
                continue;
            }
            if psl::domain_str(&domain).is_none() {
                let message = format!("{text:?} is nobody's own: anybody can have a domain beneath it");
                reader.tell(value.span().start, "invalid_value", message, "write the domains beneath it that you mean");
                continue;
            }
            policy.own_domains.push(domain);
        }
    }
    policy.late_after = section.duration(reader, "late_after").unwrap_or(LATE_AFTER);
    if let Some(list) = section.get("redact").and_then(|value| reader.list_of(value, "redact")) {
        policy.redact.clear();
        // As written, so that a gate with a fault of its own is not missed here too.
        let gates = root.get("gate").and_then(|value| value.get_ref().as_array()).into_iter().flatten();
        let written = gates.filter_map(|gate| gate.get_ref().get("reason")?.get_ref().as_str());
        let reasons: Vec<&str> = written.chain([LOW_SCORE]).collect();
        let known: BTreeSet<&str> = reasons.iter().copied().collect();
        for value in list {
            let Some(reason) = reader.text_of(value, "redact") else { continue };
            // A slip here would publish what must not be published; what is inherited is none, though its gate has been taken out.
            if !known.contains(reason) && !reader.is_built_in(value.span().start) {
                let hint = reader.hint(reason, reasons.iter().copied());
                reader.tell(value.span().start, "unknown_name", format!("no gate gives the reason {reason:?}"), hint);
            }
            policy.redact.push(reason.to_owned());
        }
    }
    policy
}

pub(super) fn gates<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> RuleList<Gate> {
    let mut ids = Ids::default();
    let mut gates = Vec::new();
    for section in rules(reader, root, "gate", keys::GATE) {
        let id = ids.take(reader, &section);
        let reason = section.required(reader, "reason", "\"country_not_allowed\"").and_then(|_| reason(reader, &section));
        let when = section.required(reader, "when", "'is_test'").and_then(|_| section.condition(reader, "when", Sight::Lead));
        let dates = EffectiveDates::read(reader, &section);
        if let (Some(id), Some(reason), Some(when)) = (id, reason, when) {
            gates.push(Gate { id: id.to_owned(), reason: reason.to_owned(), when, dates });
        }
    }
    RuleList::new(gates, |gate| Some(&gate.when))
}

fn reason<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<&'a str> {
    let text = section.get("reason").and_then(|value| reader.text_of(value, "reason"))?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.len() > 64 || !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(fits) {
        let message = format!("{text:?} is no good reason");
        reader.tell(
            section.place("reason"),
            "invalid_value",
            message,
            "write 1 to 64 lower-case letters, digits and \"_\", such as \"too_small\"",
        );
        return None;
    }
    if text == LOW_SCORE {
        let hint = "name a reason of its own; this one is given when the score is below its threshold";
        reader.tell(section.place("reason"), "invalid_value", "\"low_score\" is no gate's reason", hint);
        return None;
    }
    Some(text)
}

/// The grades that need a least total, best first.
const GRADES: [&str; 3] = ["A", "B", "C"];

/// Where the grade is written that does not fall: of two the one whose author could know the other.
fn out_of_order(reader: &Reader<'_>, section: &Section<'_>, least: [i64; 3]) -> Option<usize> {
    let pairs = least.iter().zip(least.iter().skip(1)).zip(GRADES.iter().zip(GRADES.iter().skip(1)));
    let (_, (better, worse)) = pairs.into_iter().find(|((higher, lower), _)| higher <= lower)?;
    let place = |grade: &str| section.get(grade).map(|value| value.span().start);
    Some(match (place(better), place(worse)) {
        (Some(better), Some(worse)) if reader.are_in_one_file(better, worse) => worse,
        // Files that extend others stand before them.
        (Some(better), Some(worse)) => better.min(worse),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => section.start,
    })
}

pub(super) fn scoring<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Scoring {
    let none = RuleList::new(Vec::new(), |_| None);
    let mut scoring = Scoring { threshold: 0, threshold_by_storefront: Vec::new(), grades: [60, 40, 20], rules: none };
    let Some(section) = root.get("score").and_then(|value| reader.section("score", value, keys::SCORE)) else { return scoring };
    scoring.threshold = section.integer(reader, "threshold").unwrap_or_default();
    if let Some(value) = section.get("threshold_by_storefront") {
        match value.get_ref().as_table() {
            Some(table) => {
                for (key, value) in table {
                    match Storefront::from_name(key.get_ref()) {
                        Some(storefront) => {
                            let threshold = reader.integer_of(value, "threshold");
                            scoring.threshold_by_storefront.extend(threshold.map(|threshold| (storefront, threshold)));
                        }
                        None => reader.not_a_word::<Storefront>(key.span().start, key.get_ref(), "storefront"),
                    }
                }
            }
            None => reader.wrong_type(value, "threshold_by_storefront", "a table", "write { APP_SOURCE = 10 }"),
        }
    }
    if let Some(grades) = section.get("grades").and_then(|value| reader.section("score.grades", value, keys::GRADES)) {
        let told = reader.told();
        for (least, grade) in scoring.grades.iter_mut().zip(GRADES) {
            *least = grades.integer(reader, grade).unwrap_or(*least);
        }
        // Of grades with a fault nobody knows what was meant.
        if let Some(at) = out_of_order(reader, &grades, scoring.grades).filter(|_| reader.told() == told) {
            let [a, b, c] = scoring.grades;
            let message = format!("grades must fall from A to C; here they are {a}, {b}, {c}");
            reader.tell(at, "invalid_value", message, "write for example { A = 60, B = 40, C = 20 }");
        }
    }
    let mut ids = Ids::default();
    let mut list = Vec::new();
    for section in rules(reader, section.table, "rule", keys::SCORE_RULE) {
        let id = ids.take(reader, &section);
        let part = section.required(reader, "part", "\"fit\"").and_then(|value| reader.word_of(value, "part"));
        let points = section.required(reader, "points", "10").and_then(|value| reader.integer_of(value, "points"));
        let when = section.required(reader, "when", "'has(note)'").and_then(|_| section.condition(reader, "when", Sight::Lead));
        let dates = EffectiveDates::read(reader, &section);
        if let (Some(id), Some(part), Some(points), Some(when)) = (id, part, points, when) {
            list.push(ScoreRule { id: id.to_owned(), part, points, when, dates });
        }
    }
    scoring.rules = RuleList::new(list, |rule| Some(&rule.when));
    scoring
}

/// The rules of one list, in the order of the file.
pub(super) fn rules<'a>(reader: &mut Reader<'a>, table: &'a DeTable<'a>, name: &str, known: &'static [Key]) -> Vec<Section<'a>> {
    let Some(value) = table.get(name) else { return Vec::new() };
    let full = if name == "rule" { "score.rule" } else { name };
    let Some(list) = value.get_ref().as_array() else {
        reader.wrong_type(value, full, "a list of rules", format!("write [[{full}]] with double brackets before each"));
        return Vec::new();
    };
    list.iter()
        .filter_map(|value| {
            let id = value.get_ref().get("id").and_then(|id| id.get_ref().as_str());
            reader.section(id.map_or_else(|| full.to_owned(), |id| format!("{full} {id:?}")), value, known)
        })
        .collect()
}
