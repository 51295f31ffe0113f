//! Rulesets of many rules at random, whose equalities lead to the few that may hold: what is decided must be what is decided
//! where each rule is asked. How conditions judge is `conditions`'.

use std::fmt::Write;

use leadstream::{
    lead::{Decision, ScorePart},
    pipeline::{self, NoTrace, Pipeline, Trace},
    rules::{Ruleset, Weighed},
};

use crate::{conditions::leads, mutate::Dice};

/// Questions with answers that leads give, and one that none does.
const QUESTIONS: [(&str, &[&str]); 12] = [
    ("storefront", &["APP_SOURCE", "AZURE_MARKETPLACE", "UNKNOWN"]),
    ("action", &["CONTACT_ME", "INSTALL", "CREATE", "DO_NOT_CONTACT", "UNKNOWN"]),
    ("contact.region", &["EMEA", "AMER", "APAC"]),
    ("contact.seniority", &["C_LEVEL", "VP", "DIRECTOR", "STAFF", "UNKNOWN"]),
    ("contact.country", &["US", "DE", "FR", "JP", "BR"]),
    ("offer_id", &["planner", "crm", "none"]),
    ("account.owner", &["kim", "ada"]),
    ("account.tier", &["gold", ""]),
    ("offer.offer_type", &["saas", "consulting_service"]),
    ("attribution[\"utm_campaign\"]", &["Spring", "fall", ""]),
    ("note", &["Please call", ""]),
    ("contact.company", &["cedar labs", "ÄÖÜ GmbH", "none"]),
];

/// What routes alone may ask.
const LATER: [(&str, &[&str]); 2] = [("marketing_campaign", &["c1", "c2", "c3"]), ("score.grade", &["A", "B", "C", "D"])];

const OTHERS: [&str; 9] = [
    "is_test",
    "reachable",
    "has(account)",
    "!has(note)",
    "contact.company.startsWith(\"A\")",
    "contact.email_domain.lowerAscii() == \"adatum.example\"",
    "event_time < timestamp(\"2026-06-01T00:00:00Z\")",
    "true",
    "(contact.country == null ? \"none\" : contact.country) == \"none\"",
];

fn equality(dice: &mut Dice, routed: bool) -> String {
    let (question, answers) =
        if routed && dice.one_in(8) { LATER[dice.below(LATER.len())] } else { QUESTIONS[dice.below(QUESTIONS.len())] };
    let (one, other) = (dice.of_all(answers), dice.of_all(answers));
    let nullable = question != "storefront";
    match dice.below(9) {
        0 => format!("\"{one}\" == {question}"),
        1 => format!("{question} in [\"{one}\", \"{other}\"]"),
        2 if nullable => format!("{question} in [\"{one}\", null]"),
        3 => format!("({question} == \"{one}\" || {question} == \"{other}\")"),
        4 => format!("{question} != \"{one}\""),
        5 => format!("!({question} == \"{one}\")"),
        _ => format!("{question} == \"{one}\""),
    }
}

fn condition(dice: &mut Dice, routed: bool) -> String {
    let mut parts = Vec::new();
    for _ in 0..=dice.below(4) {
        parts.push(match dice.below(10) {
            0 => dice.of_all(&OTHERS).to_owned(),
            1 => format!("({} || {})", equality(dice, routed), equality(dice, routed)),
            2 => format!("({} || {} && {})", equality(dice, routed), equality(dice, routed), dice.of_all(&OTHERS)),
            _ => equality(dice, routed),
        });
    }
    parts.join(" && ")
}

fn dates(dice: &mut Dice) -> &'static str {
    if dice.one_in(6) {
        dice.of_all(&["from = \"2025-01-01T00:00:00Z\"\n", "until = \"2027-01-01T00:00:00Z\"\n", "from = \"2031-12-01T00:00:00Z\"\n"])
    } else {
        ""
    }
}

/// Up to so many rules in each list.
fn ruleset(dice: &mut Dice, most: usize) -> String {
    let mut text = "[ruleset]\nname = \"many\"\nversion = \"1\"\nextends = \"default\"\n".to_owned();
    for number in 0..dice.below(most) {
        let (when, dates) = (condition(dice, false), dates(dice));
        writeln!(text, "[[gate]]\nid = \"g{number}\"\nreason = \"r{}\"\nwhen = '''{when}'''\n{dates}", number % 7).expect("memory");
    }
    for number in 0..dice.below(most) {
        let (when, dates, part) = (condition(dice, false), dates(dice), dice.of_all(&["fit", "intent"]));
        let points = dice.below(9);
        writeln!(text, "[[score.rule]]\nid = \"s{number}\"\npart = \"{part}\"\npoints = {points}\nwhen = '''{when}'''\n{dates}")
            .expect("memory");
    }
    for number in 0..dice.below(most) {
        let (when, dates) = (condition(dice, false), dates(dice));
        writeln!(text, "[[campaign]]\nid = \"c{number}\"\nwhen = '''{when}'''\n{dates}").expect("memory");
    }
    for number in 0..dice.below(most) {
        let (when, dates, verdict) = (condition(dice, true), dates(dice), dice.of_all(&["QUALIFIED", "UNQUALIFIED"]));
        let (destination, stop) = (dice.below(20), dice.one_in(25));
        writeln!(text, "[[route]]\nid = \"t{number}\"\ndestination = \"D{destination}\"\nstop = {stop}\nverdict = \"{verdict}\"")
            .expect("memory");
        writeln!(text, "when = '''{when}'''\n{dates}").expect("memory");
    }
    text
}

/// How many of each list it was told of, and what held.
#[derive(Default)]
struct Told {
    gates: usize,
    score: usize,
    routes: usize,
    held: Vec<String>,
}

impl Trace for Told {
    fn gate(&mut self, id: &str, _: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.gates += 1;
        self.held.extend(held.then(|| id.to_owned()));
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool, _: impl FnOnce() -> Weighed) {
        self.score += 1;
        self.held.extend(held.then(|| part.rule.to_owned()));
    }

    fn route(&mut self, id: &str, _: &str, held: bool, _: bool, _: impl FnOnce() -> Weighed) {
        self.routes += 1;
        self.held.extend(held.then(|| id.to_owned()));
    }
}

/// What held, told of the rules that may hold alone.
#[derive(Default)]
struct Held(Told);

impl Trace for Held {
    const OF_EVERY_RULE: bool = false;

    fn gate(&mut self, id: &str, reason: &str, held: bool, weigh: impl FnOnce() -> Weighed) {
        self.0.gate(id, reason, held, weigh);
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool, weigh: impl FnOnce() -> Weighed) {
        self.0.score(part, held, weigh);
    }

    fn route(&mut self, id: &str, destination: &str, held: bool, won: bool, weigh: impl FnOnce() -> Weighed) {
        self.0.route(id, destination, held, won, weigh);
    }
}

fn decided(decision: &Decision<'_>) -> String {
    format!("{:?}", (&decision.qualified, &decision.marketing_campaign, &decision.routes))
}

#[test]
fn rules_found_by_their_equalities_decide_as_if_each_was_asked() {
    let (mut told_of_all, mut told_of_found, mut held) = (0, 0, 0);
    for number in 0..21 {
        let mut dice = Dice::of(20_261_126, number);
        let text = ruleset(&mut dice, [20, 60, 300][usize::try_from(number % 3).expect("small")]);
        let rules = Ruleset::parse(&text).unwrap_or_else(|problems| panic!("{number}: {problems:#?}"));
        let pipeline = Pipeline { rules, ..leads::pipeline() };
        let batch = leads::batch(number);
        for facts in &leads::facts(&pipeline, &batch) {
            let (mut all, mut found) = (Told::default(), Held::default());
            let wanted = pipeline::decide(facts, &pipeline.rules, &mut all);
            assert_eq!(decided(&pipeline::decide(facts, &pipeline.rules, &mut NoTrace)), decided(&wanted), "{number}");
            assert_eq!(decided(&pipeline::decide(facts, &pipeline.rules, &mut found)), decided(&wanted), "{number}");
            assert_eq!(found.0.held, all.held, "{number}");
            // Of a complete account nothing is left out, but for what a `stop` leaves out.
            assert_eq!([all.gates, all.score], ["\n[[gate]]", "\n[[score.rule]]"].map(|list| text.matches(list).count() + built_in(list)));
            told_of_all += all.gates + all.score + all.routes;
            told_of_found += found.0.gates + found.0.score + found.0.routes;
            held += all.held.len();
        }
    }
    // Else nothing was shown.
    assert!(held > 10_000 && 4 * told_of_found < 3 * told_of_all, "{held} held of {told_of_found} and of {told_of_all}");
}

fn built_in(list: &str) -> usize {
    leadstream::rules::DEFAULT.matches(list).count()
}
