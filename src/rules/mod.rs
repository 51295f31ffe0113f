//! The ruleset: classification tables, gates, scores, routes, clocks: parsed, type-checked, compiled, versioned. Knows text,
//! not files; decides nothing about a lead by itself.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod classification;
mod condition;
mod judgement;
mod quoting;
mod reading;
mod routing;
#[cfg(test)]
pub(crate) mod sample;
mod suggest;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt::Write};

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::problem::Problem;
use classification::Classification;
use judgement::{Gate, Scoring};
use reading::Reader;
use routing::CampaignRule;

pub(crate) use classification::{ActionRow, OfferTypeRow, SourceRow};
pub use condition::Condition;
pub(crate) use condition::Subject;
pub(crate) use judgement::{LOW_SCORE, Policy};
pub(crate) use routing::RouteRule;

/// A checked, compiled ruleset.
#[derive(Debug)]
pub struct Ruleset {
    /// `[ruleset] name`.
    pub name: String,
    /// `[ruleset] version`.
    pub version: String,
    /// Lower-case hex SHA-256 of the file's bytes.
    pub hash: String,
    pub(crate) classification: Classification,
    pub(crate) policy: Policy,
    /// In file order.
    pub(crate) gates: Vec<Gate>,
    pub(crate) scoring: Scoring,
    /// In file order.
    pub(crate) campaigns: Vec<CampaignRule>,
    /// In the order in which they are tried: those of the file, then those of `follow_up`.
    pub(crate) routes: Vec<RouteRule>,
}

/// The built-in ruleset's text: `deploy/rules/default/ruleset.toml`.
pub const DEFAULT: &str = include_str!("../../deploy/rules/default/ruleset.toml");

const KEYS: &[&str] = &["ruleset", "source", "action", "offer_type", "storefront", "policy", "gate", "score", "campaign", "route", "clock"];
const RULESET_KEYS: &[&str] = &["name", "version", "extends", "remove"];

impl Ruleset {
    /// Parses and checks a complete ruleset file.
    ///
    /// # Errors
    /// Every problem of the file at once, with line and column; `file` is left for the caller to fill.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let hash = hex(&Sha256::digest(text.as_bytes()));
        // Editors that write a byte-order mark do not count it as a column.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What the parser made of the rest is a guess: judging it would tell problems that are none.
            for error in errors {
                let hint = "texts stand in quotes; a key stands once in its table; see docs/rules.md";
                reader.tell(
                    error.span().map_or(0, |span| span.start),
                    "toml_syntax",
                    format!("not valid TOML: {}", first_line(error.message())),
                    hint,
                );
            }
            return Err(reader.into_problems());
        }
        let root = root.get_ref();
        reader.known_keys("", root, KEYS);
        let (name, version) = identity(&mut reader, root);
        let classification = Classification::read(&mut reader, root);
        let gates = judgement::gates(&mut reader, root);
        let policy = judgement::policy(&mut reader, root);
        let scoring = judgement::scoring(&mut reader, root);
        let campaigns = routing::campaigns(&mut reader, root);
        let routes = routing::routes(&mut reader, root, &classification.storefronts);
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(Self { name, version, hash, classification, policy, gates, scoring, campaigns, routes })
        } else {
            Err(problems)
        }
    }

    /// The built-in ruleset.
    ///
    /// # Errors
    /// As [`Ruleset::parse`]; the project's tests show that there are none.
    pub fn built_in() -> Result<Self, Vec<Problem>> {
        Self::parse(DEFAULT)
    }

    /// Every reason a lead can get under these rules, each once: those of the gates in file order, then `low_score`.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        self.gates.iter().map(|gate| gate.reason.as_str()).chain([LOW_SCORE]).filter(move |reason| seen.insert(*reason))
    }

    /// Every destination a lead can get under these rules, each once, in the order of the routes.
    pub fn destinations(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        self.routes.iter().map(|route| route.destination.as_str()).filter(move |destination| seen.insert(*destination))
    }
}

/// `[ruleset]`.
fn identity<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> (String, String) {
    let Some(value) = root.get("ruleset") else {
        reader.tell(0, "missing_key", "there is no [ruleset]", "add [ruleset] with name = \"…\" and version = \"…\"");
        return Default::default();
    };
    let Some(section) = reader.section("ruleset", value, RULESET_KEYS) else { return Default::default() };
    let name = section.required(reader, "name", "\"acme\"").and_then(|value| reader.name_of(value, "name"));
    let version = section.required(reader, "version", "\"2026.11.1\"").and_then(|value| reader.name_of(value, "version"));
    for key in ["extends", "remove"] {
        if let Some((key, _)) = section.table.get_key_value(key) {
            let message = format!("{:?} is not supported yet", key.get_ref());
            reader.tell(
                key.span().start,
                "not_supported",
                message,
                "write a complete ruleset: begin with a copy of deploy/rules/default/ruleset.toml",
            );
        }
    }
    (name.unwrap_or_default().to_owned(), version.unwrap_or_default().to_owned())
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
