//! Entries of the ruleset as formulas: what they ask of a lead together with their effective dates. Knows what an entry asks; what
//! becomes of it is for others.

use super::{Condition, Formula, Space};
use crate::{
    lead::{Timestamp, Vocabulary},
    rules::{
        Ruleset,
        dates::EffectiveDates,
        judgement::{Gate, ScoreRule, Scoring},
        routing::{Asks, CampaignRule, RouteRule},
    },
};

impl<'r> Space<'r> {
    /// That the gate holds.
    pub(in crate::rules) fn gate(&self, gate: &'r Gate) -> Formula {
        self.in_force(gate.dates, Some(&gate.when))
    }

    /// That the score rule holds.
    pub(in crate::rules) fn score_rule(&self, rule: &'r ScoreRule) -> Formula {
        self.in_force(rule.dates, Some(&rule.when))
    }

    /// That the campaign holds.
    pub(in crate::rules) fn campaign(&self, campaign: &'r CampaignRule) -> Formula {
        self.in_force(campaign.dates, campaign.when.as_ref())
    }

    /// That the route holds, for a lead of its verdict.
    pub(in crate::rules) fn route(&self, route: &'r RouteRule) -> Formula {
        let asks = match &route.asks {
            Asks::When(_) => Formula::Always,
            Asks::Storefront(storefront) => Formula::all([self.is("origin", "STOREFRONT"), self.is("storefront", storefront.name())]),
        };
        Formula::all([self.is("verdict", route.verdict.name()), asks, self.in_force(route.dates, route.condition())])
    }

    fn in_force(&self, dates: EffectiveDates, when: Option<&'r Condition>) -> Formula {
        let when = when.map_or(Formula::Always, |when| self.formula(when));
        Formula::all([self.within(dates.from, dates.until), when])
    }
}

impl Scoring {
    /// Totals at which something changes.
    pub(super) fn bounds(&self) -> impl Iterator<Item = i64> {
        let thresholds = self.threshold_by_storefront.iter().map(|(_, threshold)| *threshold);
        self.grades.into_iter().chain([self.threshold]).chain(thresholds)
    }
}

/// All times at which an entry that asks something of a lead comes or goes.
pub(super) fn dates(rules: &Ruleset) -> impl Iterator<Item = Timestamp> {
    let gates = rules.gates.iter().map(|gate| gate.dates);
    let scored = rules.scoring.rules.iter().map(|rule| rule.dates);
    let campaigns = rules.campaigns.iter().map(|campaign| campaign.dates);
    let routes = rules.routes.iter().map(|route| route.dates);
    gates.chain(scored).chain(campaigns).chain(routes).flat_map(|dates| [dates.from, dates.until]).flatten()
}
