//! What a test can look at: the paths of a decision as `explain --json` prints it, and the words each can be.

use crate::{
    lead::Vocabulary as _,
    rules::{
        Ruleset,
        condition::{FieldWords, field_words},
    },
};

/// What conditions do not see, beside what they see.
const MORE: [&str; 17] = [
    "event_id",
    "marketing_campaign",
    "score",
    "score.parts",
    "contact",
    "consent",
    "source",
    "ruleset",
    "ruleset.name",
    "ruleset.version",
    "ruleset.hash",
    "ruleset.tables",
    "verdict",
    "reasons",
    "routes",
    "routes.destination",
    "leads.length",
];
/// What a routing event adds.
const ROUTE: [&str; 9] =
    ["destination", "queue", "owner", "priority", "route", "first_touch_due", "accept_due", "hot_until", "late_delivery"];
/// Of a record that is no lead.
const REJECTION: [&str; 4] = ["stage", "code", "field", "detail"];
/// Conditions see them; the lead block does not have them.
const UNSEEN: [&str; 5] = ["needs_hydration", "own_domain", "reachable", "account", "offer"];

/// What may be expected at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Anything.
    Any,
    Number,
    /// True or false.
    Truth,
    /// One of these.
    OneOf(Vec<String>),
    /// Any of these, in a list.
    SomeOf(Vec<String>),
    /// Any of these, in a list, as the ruleset has it: another is no slip of the test, which then fails.
    Named(Vec<String>),
    /// Anything, of a route to a destination the ruleset does not have.
    NoSuchRoute,
}

/// What may be expected at this path; nothing where there is no such path.
pub(super) fn words(path: &str, rules: &Ruleset) -> Option<Words> {
    if let Some(rest) = path.strip_prefix("leads.").filter(|rest| *rest != "length") {
        let (number, within) = rest.split_once('.')?;
        return number.parse::<u32>().ok().and_then(|_| words(within, rules)).filter(|_| !within.starts_with("leads."));
    }
    if let Some(field) = path.strip_prefix("rejection.") {
        return REJECTION.contains(&field).then_some(Words::Any);
    }
    if path == "leads.length" {
        return Some(Words::Number);
    }
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    match path {
        "reasons" => return Some(Words::Named(rules.reasons().map(str::to_owned).collect())),
        "routes.destination" => return Some(Words::Named(rules.destinations().map(str::to_owned).collect())),
        "verdict" => return Some(Words::OneOf(owned(vec!["QUALIFIED", "UNQUALIFIED", "REJECTED", "MIXED"]))),
        "flags" => return Some(Words::SomeOf(crate::lead::Flag::ALL.iter().map(|flag| flag.name().to_owned()).collect())),
        _ => {}
    }
    if let Some((destination, field)) = path.strip_prefix("routes.").and_then(|rest| rest.rsplit_once('.')) {
        let is_known = rules.destinations().any(|known| known == destination);
        return ROUTE.contains(&field).then_some(if is_known { Words::Any } else { Words::NoSuchRoute });
    }
    if ["attribution.", "extra.", "ruleset.tables."].iter().any(|map| path.len() > map.len() && path.starts_with(map))
        || MORE.contains(&path)
    {
        return Some(Words::Any);
    }
    match field_words(path).filter(|_| is_published(path))? {
        FieldWords::Any => Some(Words::Any),
        FieldWords::Number => Some(Words::Number),
        FieldWords::Truth => Some(Words::Truth),
        FieldWords::OneOf(words) => Some(Words::OneOf(owned(words))),
    }
}

/// All paths but those with a name of the record's own in them, for suggestions.
pub(super) fn known(rules: &Ruleset) -> Vec<String> {
    let of_leads = crate::rules::condition::field_paths().filter(|path| is_published(path)).map(str::to_owned);
    let routed = rules.destinations().flat_map(|destination| ROUTE.map(|field| format!("routes.{destination}.{field}")));
    let rejected = REJECTION.map(|field| format!("rejection.{field}"));
    of_leads.chain(MORE.map(str::to_owned)).chain(routed).chain(rejected).collect()
}

fn is_published(path: &str) -> bool {
    !UNSEEN.contains(&path.split('.').next().unwrap_or_default())
}
