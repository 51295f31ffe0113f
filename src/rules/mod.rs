//! The ruleset: classification tables, gates, scores, routes, clocks: merged, type-checked, compiled, versioned. Is handed the
//! texts of its files and opens none; decides nothing about a lead by itself.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod absent;
mod calendar;
mod classification;
mod clock;
mod condition;
mod dates;
mod diff;
mod files;
mod judgement;
mod keys;
mod lint;
mod list;
mod merge;
mod quoting;
mod reading;
mod routing;
mod rule_test;
#[cfg(test)]
pub(crate) mod sample;
mod schema;
mod show;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
mod toml_text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use crate::problem::Problem;
use classification::Classification;
use files::Texts;
use judgement::{Gate, Scoring};
use list::RuleList;
use reading::{Reader, Written};
use routing::{CampaignRule, Owner};

pub(crate) use classification::{ActionRow, OfferTypeRow, SourceRow};
pub(crate) use clock::Clock;
pub(crate) use condition::Subject;
pub use condition::{Asked, Compared, Condition, Of, Turned, Weighed};
pub use diff::{Change, Difference, RulesetIdentity, What};
pub use files::{Extended, Extends, RulesetFile, extends};
pub(crate) use judgement::{LOW_SCORE, Policy};
pub(crate) use routing::RouteRule;
pub use rule_test::{Coverage, Expectation, Gap, Mismatch, RuleTest, TestLead, Tried, rule_tests, unmet};
pub use schema::{rule_test_schema, ruleset_schema};

/// A checked, compiled ruleset.
#[derive(Debug)]
pub struct Ruleset {
    /// `[ruleset] name`.
    pub name: String,
    /// `[ruleset] version`.
    pub version: String,
    /// Lower-case hex SHA-256 of the file's bytes; of several files, of their SHA-256, outermost first.
    pub hash: String,
    pub(crate) classification: Classification,
    pub(crate) policy: Policy,
    /// In the order of the merged files, as all lists here.
    pub(crate) gates: RuleList<Gate>,
    pub(crate) scoring: Scoring,
    pub(crate) campaigns: RuleList<CampaignRule>,
    /// In the order in which they are tried: those of the files, then those of `follow_up`.
    pub(crate) routes: RuleList<RouteRule>,
    pub(crate) owners: BTreeMap<String, Owner>,
}

/// The built-in ruleset's text: `deploy/rules/default/ruleset.toml`.
pub const DEFAULT: &str = include_str!("../../deploy/rules/default/ruleset.toml");

/// The tests of the built-in ruleset: `deploy/rules/default/default.test.toml`.
const DEFAULT_TESTS: &str = include_str!("../../deploy/rules/default/default.test.toml");

/// What problems of the built-in ruleset are said to stand in.
const BUILT_IN: &str = "built-in ruleset";

impl Ruleset {
    /// Parses and checks one file, which extends none or the built-in ruleset.
    ///
    /// # Errors
    /// As [`Ruleset::merge`]; the `file` of the text's own problems is left for the caller to fill.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let file = RulesetFile { name: String::new(), text: text.to_owned() };
        let base = extends(&file).filter(|extended| extended.what == Extends::BuiltIn).map(|_| built_in());
        Self::merge(&[file].into_iter().chain(base).collect::<Vec<_>>())
    }

    /// Merges, parses and checks the files of a ruleset: first the outermost, then what it extends, and so on.
    ///
    /// # Errors
    /// Every problem of all files at once, with file, line and column.
    pub fn merge(files: &[RulesetFile]) -> Result<Self, Vec<Problem>> {
        let texts = Texts::new(files);
        let mut reader = Reader::new(&texts);
        let Some(merged) = merge::merge(&mut reader, &texts) else { return Err(reader.into_problems()) };
        let root = &merged.root;
        reader.known_keys("", root, keys::ROOT);
        let identities: Vec<_> =
            merged.identities.iter().map(|(start, value)| identity(&mut reader, *start, value.as_ref(), root)).collect();
        let (name, version) = identities.into_iter().next().unwrap_or_default();
        // What is inherited is not known then: all else would be told of a guess.
        if merged.may_extend {
            return Err(reader.into_problems());
        }
        let classification = Classification::read(&mut reader, root);
        let gates = judgement::gates(&mut reader, root);
        let policy = judgement::policy(&mut reader, root);
        let scoring = judgement::scoring(&mut reader, root);
        let campaigns = routing::campaigns(&mut reader, root);
        let owners = routing::owners(&mut reader, root);
        let routes = routing::routes(&mut reader, root, &classification.storefronts, &owners);
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(Self { name, version, hash: hash(files), classification, policy, gates, scoring, campaigns, routes, owners })
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

    /// `NAME/VERSION`: what people and metrics call it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.name, self.version)
    }

    /// Every reason a lead can get under these rules, each once: those of the gates in file order, then `low_score`.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        self.gates.iter().map(|gate| gate.reason.as_str()).chain([LOW_SCORE]).filter(move |reason| seen.insert(*reason))
    }

    /// The publisher's own mail domains.
    pub fn own_domains(&self) -> impl Iterator<Item = &str> {
        self.policy.own_domains.iter().map(String::as_str)
    }

    /// The tokens of `[source]`, as they are compared.
    pub fn source_tokens(&self) -> impl Iterator<Item = &str> {
        self.classification.sources.keys().map(String::as_str)
    }

    /// The codes of `[action]`, as they are compared.
    pub fn action_codes(&self) -> impl Iterator<Item = &str> {
        self.classification.actions.keys().map(String::as_str)
    }

    /// How many rules it has in all its lists.
    #[must_use]
    pub fn size(&self) -> usize {
        self.gates.len() + self.scoring.rules.len() + self.campaigns.len() + self.routes.len()
    }

    /// Every destination a lead can get under these rules, each once, in the order of the routes.
    pub fn destinations(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        self.routes.iter().map(|route| route.destination.as_str()).filter(move |destination| seen.insert(*destination))
    }
}

/// The built-in ruleset as a file.
#[must_use]
pub fn built_in() -> RulesetFile {
    RulesetFile { name: BUILT_IN.to_owned(), text: DEFAULT.to_owned() }
}

/// The tests of the built-in ruleset as a file.
#[must_use]
pub fn built_in_tests() -> RulesetFile {
    RulesetFile { name: "built-in tests".to_owned(), text: DEFAULT_TESTS.to_owned() }
}

/// `[ruleset]` of one file, which begins at `start`.
fn identity<'a>(reader: &mut Reader<'a>, start: usize, value: Option<Written<'a>>, root: &DeTable<'a>) -> (String, String) {
    let Some(value) = value else {
        // One that is misspelt is told as a key that is not known.
        if suggest::nearest("ruleset", root.keys().map(|known| known.get_ref().as_ref())).is_none() {
            reader.tell(start, "missing_key", "there is no [ruleset]", "add [ruleset] with name = \"…\" and version = \"…\"");
        }
        return Default::default();
    };
    let Some(section) = reader.section("ruleset", value, keys::RULESET) else { return Default::default() };
    let name = section.required(reader, "name", "\"acme\"").and_then(|value| reader.name_of(value, "name"));
    let version = section.required(reader, "version", "\"2026.11.1\"").and_then(|value| reader.name_of(value, "version"));
    // Both are followed before: here only what could not be.
    section.get("extends").and_then(|value| reader.text_of(value, "extends"));
    for value in section.get("remove").and_then(|value| reader.list_of(value, "remove")).unwrap_or_default() {
        reader.text_of(value, "remove");
    }
    (name.unwrap_or_default().to_owned(), version.unwrap_or_default().to_owned())
}

/// Of one file what `sha256sum` tells; of several the hash of theirs, so that the same files always have the same one.
fn hash(files: &[RulesetFile]) -> String {
    let digests = files.iter().map(|file| Sha256::digest(file.text.as_bytes()));
    match files {
        [only] => hex(&Sha256::digest(only.text.as_bytes())),
        _ => hex(&digests.fold(Sha256::new(), Digest::chain_update).finalize()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
