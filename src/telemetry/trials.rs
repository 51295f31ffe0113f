//! The rulesets on trial as metrics and status are told of them.

use crate::{io::RulesetName, pipeline::Share};

/// A ruleset that decides a share of the leads.
#[derive(Clone, Debug)]
pub struct ShownCanary {
    /// Which.
    pub ruleset: RulesetName,
    /// Of all leads, unless it is stopped.
    pub share: Share,
    /// Why it decides none any more.
    pub stopped: Option<String>,
}

/// All that are on trial.
#[derive(Clone, Debug, Default)]
pub struct ShownTrials {
    /// What decides a share of the leads.
    pub canary: Option<ShownCanary>,
    /// What decides leads for comparison alone.
    pub shadows: Vec<RulesetName>,
}
