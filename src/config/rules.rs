//! `[rules]`: the ruleset that decides, and those that are tried beside it. Names files and reads none of them.

use std::path::PathBuf;

use super::{
    schema::{Key, key, set},
    written::{Fault, Faults, Written},
};

/// More candidates would cost more than they tell.
const MOST_SHADOWS: usize = 8;
/// A canary that is judged by fewer leads is judged by chance.
const LEAST_LEADS: u64 = 30;

/// Where the rules are, and what is on trial.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesConfig {
    /// `None`: the built-in ruleset.
    pub path: Option<PathBuf>,
    /// Reload when the file changes.
    pub watch: bool,
    /// A ruleset that decides leads has to pass its own tests.
    pub test: bool,
    /// Candidate rulesets that decide nothing, each once.
    pub shadow: Vec<PathBuf>,
    /// Of the lanes' time shadows may take this share; 1: whatever they take.
    pub shadow_share: f64,
    /// The ruleset that decides a part of the leads.
    pub canary: CanaryConfig,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self { path: None, watch: true, test: true, shadow: Vec::new(), shadow_share: 0.2, canary: CanaryConfig::default() }
    }
}

/// A ruleset that decides a part of the leads, and when it is stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryConfig {
    /// `None`: there is none.
    pub path: Option<PathBuf>,
    /// Of all leads, 0 to 100.
    pub percent: f64,
    /// How far its qualification rate may be from the live ruleset's, in percentage points.
    pub band: f64,
    /// Leads that each of the two must have decided before they are compared.
    pub after: u64,
}

impl Default for CanaryConfig {
    fn default() -> Self {
        Self { path: None, percent: 0.0, band: 5.0, after: 200 }
    }
}

/// The section's keys, in the order of the contract.
pub(super) const KEYS: [Key; 9] = [
    key("rules.path", |config, value| set(&mut config.rules.path, value.path().map(Some))),
    key("rules.watch", |config, value| set(&mut config.rules.watch, value.boolean())),
    key("rules.test", |config, value| set(&mut config.rules.test, value.boolean())),
    key("rules.shadow", |config, value| {
        let (paths, faults) = shadows(value)?;
        config.rules.shadow = paths;
        if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
    }),
    key("rules.shadow_share", |config, value| set(&mut config.rules.shadow_share, value.share())),
    key("rules.canary.path", |config, value| set(&mut config.rules.canary.path, value.path().map(Some))),
    key("rules.canary.percent", |config, value| {
        let percent = value.number("a number from 0 to 100", |percent| (0.0..=100.0).contains(&percent));
        set(&mut config.rules.canary.percent, percent)
    }),
    key("rules.canary.band", |config, value| {
        let points = value.number("a number above 0 and at most 100, in percentage points", |points| points > 0.0 && points <= 100.0);
        set(&mut config.rules.canary.band, points)
    }),
    key("rules.canary.after", |config, value| set(&mut config.rules.canary.after, value.integer(LEAST_LEADS..=1_000_000_000))),
];

/// The candidates' paths, each once, and what is wrong with the others.
fn shadows(value: Written<'_>) -> Result<(Vec<PathBuf>, Vec<Fault>), Faults> {
    let elements = value.list("a list of paths, such as [\"candidate.toml\"]")?;
    let (mut paths, mut faults) = (Vec::new(), Vec::new());
    let found = elements.len();
    for element in elements {
        match element {
            Err(fault) => faults.push(fault),
            Ok(("", offset)) => {
                let fault = Fault::new("invalid_value", format!("{} holds an empty path", value.key));
                faults.push(Fault { offset, ..fault.hint("name a ruleset: a file, or a folder with ruleset.toml") });
            }
            Ok((text, offset)) => {
                let path = value.resolve(text);
                if paths.contains(&path) {
                    let fault = Fault::new("duplicate_candidate", format!("{} names {text:?} twice", value.key));
                    faults.push(Fault { offset, ..fault.hint("name each candidate once") });
                } else {
                    paths.push(path);
                }
            }
        }
    }
    if found > MOST_SHADOWS {
        let fault = Fault::new("too_many_candidates", format!("{} has {found} candidates; at most {MOST_SHADOWS} are tried", value.key));
        faults.push(fault.hint("try the others afterwards, or with a process of another group"));
    }
    Ok((paths, faults))
}

/// What the keys are together; each fault with the key to point at, and whether it is an error.
pub(super) fn together(config: &RulesConfig, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, bool, Fault)> {
    let mut found = Vec::new();
    let CanaryConfig { path, percent, .. } = &config.canary;
    if path.is_none() {
        for key in ["rules.canary.percent", "rules.canary.band", "rules.canary.after"].into_iter().filter(|key| is_set(key)) {
            let fault = Fault::new("no_effect", format!("{key} has no effect without rules.canary.path"));
            found.push((key, false, fault.hint("name the canary's ruleset, or keep it for later")));
        }
    } else if !is_set("rules.canary.percent") {
        let fault = Fault::new("missing_key", "a canary without rules.canary.percent");
        found.push(("rules.canary.path", true, fault.hint("say how many of a hundred leads it decides: percent = 5")));
    } else if *percent >= 100.0 {
        let fault =
            Fault::new("nothing_to_compare", "a canary that decides every lead is compared with nothing, and cannot stop by itself");
        found.push(("rules.canary.percent", false, fault.hint("make it the ruleset of rules.path, or leave it fewer leads")));
    }
    if config.shadow.is_empty() && is_set("rules.shadow_share") && !is_set("rules.shadow") {
        let fault = Fault::new("no_effect", "rules.shadow_share has no effect without rules.shadow");
        found.push(("rules.shadow_share", false, fault.hint("name candidates, or keep it for later")));
    }
    found
}
