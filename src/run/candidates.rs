//! Reads the rulesets on trial, each as the live one is read, and sees that people and metrics can tell them apart. How they
//! decide is the core's, when they change is `reload`'s.

use std::{path::Path, sync::Arc};

use crate::{
    config::Config,
    pipeline::{Canary, Pipeline, Share, Trials},
    problem::Problem,
    rules::Ruleset,
};

use super::{
    load::{inspect_pipeline, ruleset},
    rule_tests::failing,
};

/// What a shadow's path is named by.
pub(super) const SHADOW: &str = "rules.shadow";
/// What a canary's path is named by.
pub(super) const CANARY: &str = "rules.canary.path";

/// All that decides in a running service, if there are no errors, and everything that is wrong with it, warnings too.
#[must_use]
pub fn inspect_live(config: &Config) -> (Option<(Pipeline, Trials)>, Vec<Problem>) {
    let (pipeline, mut problems) = inspect_pipeline(config);
    let mut read = |path: &Path, key| {
        let mut found = Vec::new();
        let rules = ruleset(Some(path), key, &mut found);
        // What several of them extend is told once.
        found.retain(|problem| !problems.contains(problem));
        problems.append(&mut found);
        rules
    };
    let canary = config.rules.canary.path.as_deref().map(|path| (path, read(path, CANARY)));
    let shadows: Vec<_> = config.rules.shadow.iter().map(|path| (path, read(path, SHADOW))).collect();
    if let (Some(pipeline), Some((path, Some(rules)))) = (&pipeline, &canary) {
        problems.extend(mistakable(rules, &pipeline.rules).map(|problem| problem.in_file(path.display().to_string())));
    }
    let mut before: Vec<&Ruleset> = Vec::new();
    for (path, rules) in shadows.iter().filter_map(|(path, rules)| Some((path, rules.as_ref()?))) {
        problems.extend(repeated(rules, before.iter().copied()).map(|problem| problem.in_file(path.display().to_string())));
        before.push(rules);
    }
    let Some(pipeline) = pipeline.filter(|_| !problems.iter().any(Problem::is_error)) else { return (None, problems) };
    let canary = canary.and_then(|(_, rules)| Some(new_canary(config, Arc::new(rules?))));
    let shadows = shadows.into_iter().filter_map(|(_, rules)| rules.map(Arc::new)).collect();
    (Some((pipeline, Trials { canary, shadows })), problems)
}

/// As [`inspect_live`], for a service: what decides leads has to pass its own tests too (`rules.test`). What is only compared may
/// fail them.
#[must_use]
pub fn inspect_service(config: &Config) -> (Option<(Pipeline, Trials)>, Vec<Problem>) {
    let (live, mut problems) = inspect_live(config);
    problems.extend(live.iter().flat_map(|(pipeline, trials)| failing_own(config, pipeline, trials)));
    (live.filter(|_| !problems.iter().any(Problem::is_error)), problems)
}

/// The own tests that fail, of what decides leads.
pub(super) fn failing_own(config: &Config, pipeline: &Pipeline, trials: &Trials) -> Vec<Problem> {
    let rules = &config.rules;
    if !rules.test {
        return Vec::new();
    }
    let mut problems = failing(rules.path.as_deref(), &pipeline.rules, pipeline);
    if let Some(canary) = &trials.canary {
        problems.extend(failing(rules.canary.path.as_deref(), &canary.rules, pipeline));
    }
    problems
}

/// A canary with all the leads it is to have.
pub(super) fn new_canary(config: &Config, rules: Arc<Ruleset>) -> Canary {
    Canary { rules, share: Share::of(config.rules.canary.percent / 100.0), stopped: None }
}

/// Why a canary's events could be taken for the live ruleset's: one name and version, other rules.
pub(super) fn mistakable(canary: &Ruleset, live: &Ruleset) -> Option<Problem> {
    let same = canary.label() == live.label() && canary.hash != live.hash;
    same.then(|| {
        let message = format!("the canary is called {} as the live ruleset is, and has other rules", live.label());
        Problem::error("mistakable_ruleset", message).hint("give it a version of its own in [ruleset]")
    })
}

/// Why a shadow could be taken for another one.
pub(super) fn repeated<'r>(shadow: &Ruleset, mut others: impl Iterator<Item = &'r Ruleset>) -> Option<Problem> {
    let other = others.find(|other| other.label() == shadow.label())?;
    let (message, hint) = if other.hash == shadow.hash {
        (format!("the candidate {} is tried twice", shadow.label()), "name each candidate once in rules.shadow")
    } else {
        (format!("two candidates are called {}", shadow.label()), "give each a version of its own in [ruleset]")
    };
    Some(Problem::error("duplicate_candidate", message).hint(hint))
}
