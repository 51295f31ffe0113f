//! Random rulesets of random conditions: whatever `check` finds in them, no lead says otherwise. A hundred by default;
//! `LEADSTREAM_RULESETS=5000` is the long form.

use std::collections::{BTreeMap, BTreeSet};

use leadstream::{
    lead::{Facts, Grade, ScorePart, Timestamp, Verdict, Vocabulary},
    pipeline::{self, Trace},
    problem::Problem,
    rules::{self, Condition, Ruleset, RulesetFile, Weighed},
};

use super::{Grammar, SEED, leads, number};
use crate::mutate::Dice;

const RULESETS: u64 = 100;

/// What became of each entry of one lead.
#[derive(Default)]
struct Held {
    gates: BTreeMap<String, bool>,
    scores: BTreeMap<String, bool>,
    won: BTreeSet<String>,
}

impl Trace for Held {
    fn gate(&mut self, id: &str, _: &str, held: bool, _: impl FnOnce() -> Weighed) {
        self.gates.insert(id.to_owned(), held);
    }

    fn score(&mut self, part: &ScorePart<'_>, held: bool, _: impl FnOnce() -> Weighed) {
        self.scores.insert(part.rule.to_owned(), held);
    }

    fn route(&mut self, id: &str, _: &str, _: bool, won: bool, _: impl FnOnce() -> Weighed) {
        if won {
            self.won.insert(id.to_owned());
        }
    }
}

/// A list of the ruleset, and an entry of it, each line of which ends with the entry's number.
fn entry(dice: &mut Dice, at: usize, condition: &str) -> String {
    let condition = condition.replace('\n', " ").replace("'''", "\"");
    let when = format!("when = '''{condition}''' #{at}");
    match dice.below(6) {
        0 | 1 => format!("[[gate]]\nid = \"e{at}\"\nreason = \"r{}\"\n{when}\n", dice.below(3)),
        2 => format!("[[score.rule]]\nid = \"e{at}\"\npart = \"fit\"\npoints = {}\n{when}\n", [10, -10, 5, -5][dice.below(4)]),
        3 => format!("[[campaign]]\nid = \"e{at}\"\n{when}\n"),
        _ => {
            let destination = ["X", "Y"][dice.below(2)];
            let verdict = if dice.one_in(3) { "UNQUALIFIED" } else { "QUALIFIED" };
            format!(
                "[[route]]\nid = \"e{at}\"\ndestination = \"{destination}\"\nverdict = \"{verdict}\"\nstop = {}\n{when}\n",
                dice.one_in(3)
            )
        }
    }
}

fn combined(dice: &mut Dice, pool: &[String]) -> String {
    let part = |dice: &mut Dice| {
        let part = &pool[dice.below(pool.len())];
        if dice.one_in(3) { format!("!({part})") } else { format!("({part})") }
    };
    let mut text = part(dice);
    for _ in 0..dice.below(4) {
        text = format!("{text} {} {}", dice.of_all(&["&&", "&&", "||"]), part(dice));
    }
    text
}

/// Conditions that are near to one another, so that they often exclude or imply each other.
const NEAR: [&str; 30] = [
    "storefront == \"APP_SOURCE\"",
    "storefront == \"UNKNOWN\"",
    "campaign == \"NURTURE\"",
    "audience != \"ALL_CUSTOMERS\"",
    "action in [\"CREATE\", \"INSTALL\"]",
    "action == \"CONTACT_ME\"",
    "stage == \"TRIAL\"",
    "channel == \"PARTNER_CENTER\"",
    "confidence == \"HIGH\"",
    "origin == \"CO_SELL\"",
    "contact.region == \"EMEA\"",
    "contact.country in [\"DE\", \"FR\"]",
    "contact.country == \"US\"",
    "contact.email_kind == \"FREE_MAIL\"",
    "has(contact.email_domain)",
    "reachable",
    "own_domain",
    "has(account)",
    "account.region == \"EMEA\"",
    "has(offer)",
    "contact.company.lowerAscii().startsWith(\"a\")",
    "contact.company.startsWith(\"Adatum\")",
    "size(note) > 11",
    "event_time >= timestamp(\"2026-01-01T00:00:00Z\")",
    "event_time.getFullYear(\"Europe/Berlin\") == 2026",
    "event_time.getMonth() in [9, 10]",
    "\"late_delivery\" in flags",
    "received_at - event_time > duration(\"24h\")",
    "\"country_unknown\" in flags",
    "\"email_invalid\" in flags",
];
/// The same for what sees the score.
const JUDGED: [&str; 11] = [
    "score.total >= 20",
    "score.total < 40",
    "score.grade == \"B\"",
    "score.fit > 20",
    "score.fit + score.intent >= 25",
    "score.intent < 20",
    "size(reasons) > 0",
    "verdict == \"QUALIFIED\"",
    "\"low_score\" in reasons",
    "\"spam\" in reasons",
    "marketing_campaign == \"e1\"",
];

fn ruleset(dice: &mut Dice, grammar: &Grammar) -> Vec<RulesetFile> {
    let mut pool: Vec<String> = (0..4).map(|_| grammar.condition(dice).ours).collect();
    pool.extend((0..4).map(|_| dice.of_all(&NEAR).to_owned()));
    pool.extend((0..1).map(|_| dice.of_all(&JUDGED).to_owned()));
    let mut entries: Vec<String> = (0..24)
        .map(|at| {
            let condition = combined(dice, &pool);
            entry(dice, at, &condition)
        })
        .collect();
    let head = "[ruleset]\nname = \"a\"\nversion = \"1\"\nextends = \"default\"\n";
    let score = format!("[score]\nthreshold = {}\n", [0, 10, 40, 90][dice.below(4)]);
    let policy = if dice.one_in(2) { "[policy]\nown_domains = [\"acme.example\"]\n" } else { "" };
    loop {
        let text = format!("{head}{policy}{score}{}", entries.concat());
        let files = vec![RulesetFile { name: "a".to_owned(), text: text.clone() }, rules::built_in()];
        let Err(problems) = Ruleset::merge(&files) else { return files };
        // What a gate does not see, and what is told to be a slip, is left out.
        let bad: BTreeSet<String> = problems.iter().map(|problem| entry_on(&text, problem.line)).collect();
        let before = entries.len();
        entries.retain(|entry| !bad.contains(&format!("e{}", entry.trim_end().rsplit_once('#').expect("a number").1)));
        assert!(entries.len() < before, "{problems:#?}");
    }
}

/// The id of the entry that a line belongs to.
fn entry_on(text: &str, line: usize) -> String {
    let from = text.lines().skip(line - 1).find_map(|line| line.rsplit_once(" #"));
    from.map(|(_, number)| format!("e{number}")).unwrap_or_default()
}

fn assert_no_lead_says_otherwise(problem: &Problem, text: &str, rules: &Ruleset, facts: &[Facts<'_>]) {
    let id = entry_on(text, problem.line);
    let mut opposite: Option<BTreeSet<String>> = None;
    for facts in facts {
        let mut held = Held::default();
        let decision = pipeline::decide(facts, rules, &mut held);
        let campaign = decision.marketing_campaign.as_deref() == Some(id.as_str());
        let shown = || format!("{problem}\n{text}\n{facts:?}\n{:?}", decision.qualified);
        let score = decision.qualified.score.total;
        match problem.code {
            "never_fires" | "duplicate_route" => {
                let fired = held.gates.get(&id) == Some(&true) || held.scores.get(&id) == Some(&true);
                assert!(!fired && !campaign && !held.won.contains(&id), "{}", shown());
            }
            "always_fires" => assert_eq!(decision.qualified.verdict, Verdict::Unqualified, "{}", shown()),
            "unreachable_threshold" => {
                assert_eq!(decision.qualified.verdict, Verdict::Unqualified, "{}", shown());
                assert!(score < 90, "{}", shown());
            }
            "scores_cancel" => {
                let alike = held.scores.iter().filter(|(other, is)| **other != id && **is == held.scores[&id]);
                let alike: BTreeSet<String> = alike.map(|(other, _)| other.clone()).collect();
                let left = opposite.map_or(alike.clone(), |before| before.intersection(&alike).cloned().collect());
                assert!(!left.is_empty(), "{}", shown());
                opposite = Some(left);
            }
            "dead_branch" => {
                let (_, part) = problem.message.split_once("never hold: ").expect("the part");
                let part = Condition::of_route(part).expect("a condition");
                let fired = held.gates.get(&id) == Some(&true) || held.scores.get(&id) == Some(&true);
                assert!(!((fired || campaign || held.won.contains(&id)) && part.holds_for(&decision)), "{}", shown());
            }
            // Of single tests, whatever stands around them.
            "impossible_text" => {}
            other => panic!("{other}: {}", shown()),
        }
        assert!(Grade::ALL.contains(&decision.qualified.score.grade));
    }
}

#[test]
fn no_lead_contradicts_a_finding() {
    let count = number("LEADSTREAM_RULESETS").unwrap_or(RULESETS);
    let seed = number("LEADSTREAM_SEED").unwrap_or(SEED);
    println!("LEADSTREAM_SEED={seed} LEADSTREAM_RULESETS={count}");
    let pipeline = leads::pipeline();
    let batches: Vec<_> = (0..4).map(|more| leads::batch(seed + more)).collect();
    let facts: Vec<_> = batches.iter().map(|batch| leads::facts(&pipeline, batch)).collect();
    let leads = leads::decided(&pipeline, &facts[0]);
    let grammar = Grammar::of(&leads);
    let now = Timestamp::parse("2026-11-01T09:00:00Z").expect("a time");
    let mut told: BTreeMap<&str, u64> = BTreeMap::new();
    for number in 0..count {
        let files = ruleset(&mut Dice::of(seed, number), &grammar);
        let rules = Ruleset::merge(&files).expect("merged before");
        for problem in rules.lint(&files, now, &|_| false) {
            *told.entry(problem.code).or_default() += 1;
            for facts in &facts {
                assert_no_lead_says_otherwise(&problem, &files[0].text, &rules, facts);
            }
        }
    }
    println!("{told:?}");
    for code in ["never_fires", "always_fires", "duplicate_route"] {
        assert!(told.contains_key(code), "{code} is never found: {told:?}");
    }
}
