//! Score rules that never hold or give nothing, those that cancel each other, and thresholds and grades that no lead can reach.

use std::collections::BTreeMap;

use super::{Lint, unfinished::Stage};
use crate::{
    lead::{Storefront, Vocabulary},
    rules::{
        condition::space::{Answer, Formula, Model},
        judgement::ScoreRule,
    },
};

/// So many pairs of rules are held against each other.
const PAIRS: usize = 200_000;

impl<'r> Lint<'_, 'r> {
    /// Tells of the score; whether a threshold is out of reach.
    pub(super) fn scores(&mut self) -> bool {
        let rules = self.rules;
        let mut alive: Vec<(&'r ScoreRule, Formula, Model)> = Vec::new();
        let mut meant = 0;
        for rule in &rules.scoring.rules {
            self.look_at(Stage::Scores, Some(("score", &rule.id)));
            let formula = self.space.score_rule(rule);
            match self.space.can_hold(&[&formula], &[], false) {
                Answer::Possible(model) => {
                    self.worthless(rule, &model);
                    alive.push((rule, formula, model));
                }
                Answer::Unknown => {}
                Answer::Impossible(_) => {
                    let Some(place) = self.places.own("score", &rule.id) else { continue };
                    meant += rule.points.max(0);
                    let with = self.space.within(rule.dates.from, rule.dates.until);
                    self.tell_contradiction(&format!("the score rule {:?}", rule.id), place, &rule.when, &with, false);
                }
            }
        }
        self.look_at(Stage::Cancelling, None);
        self.cancelling(&alive);
        self.look_at(Stage::Thresholds, None);
        self.thresholds(meant)
    }

    /// Tells of a rule that neither gives nor takes.
    fn worthless(&mut self, rule: &'r ScoreRule, model: &Model) {
        let Some(place) = self.places.own("score", &rule.id).filter(|place| rule.points == 0 && !self.has_ended(*place)) else { return };
        let example = self.space.example(model, &[&rule.when], &[], |subject| rule.holds(subject));
        let message = format!("the score rule {:?} gives no points: it changes no score", rule.id);
        self.tell(place.points.unwrap_or(place.start), "no_points", message, "give it points, or take it out", example);
    }

    fn cancelling(&mut self, alive: &[(&'r ScoreRule, Formula, Model)]) {
        let mut pairs = PAIRS;
        let mut told: Vec<&str> = Vec::new();
        let asks_for_halves = self.asks_for_halves();
        for (at, (second, formula, model)) in alive.iter().enumerate().filter(|(_, (rule, ..))| rule.points != 0) {
            let opposite = alive.iter().take(at).filter(|(first, ..)| {
                // Of two halves each counts for itself, where something asks for it.
                (first.part == second.part || !asks_for_halves) && first.points.checked_neg() == Some(second.points)
            });
            let mut near = opposite.take_while(|_| {
                pairs = pairs.saturating_sub(1);
                pairs > 0
            });
            let found = near.find(|(_, other, its)| {
                self.space.holds(other, model) && self.space.holds(formula, its) && self.hold_alike(formula, other, false)
            });
            let Some((first, ..)) = found else { continue };
            told.extend([first.id.as_str(), second.id.as_str()]);
            let own = |rule: &ScoreRule| self.places.own("score", &rule.id);
            let Some(place) = own(second).or_else(|| own(first)) else { continue };
            let example =
                self.space.example(model, &[&first.when, &second.when], &[], |subject| first.holds(subject) && second.holds(subject));
            let (this, that) = if own(second).is_some() { (second, first) } else { (first, second) };
            let other = self.named("score", [that.id.as_str()], place.start);
            let message = format!(
                "the score rule {:?} ({:+}) takes back what {other} gives ({:+}): they hold for the same leads",
                this.id, this.points, that.points
            );
            self.tell(place.when(), "scores_cancel", message, "take both out, or change the points of one", example);
        }
        let left: Vec<_> =
            alive.iter().filter(|(rule, ..)| !told.contains(&rule.id.as_str())).map(|(rule, _, model)| (*rule, model)).collect();
        self.cancelling_together(&left, asks_for_halves);
    }

    /// Whether something asks for fit or intent alone.
    fn asks_for_halves(&self) -> bool {
        self.conditions().into_iter().filter_map(|(.., when)| when).any(|when| {
            let names = when.names();
            names.contains("score.fit") || names.contains("score.intent")
        })
    }

    /// Tells of three rules or more with one and the same condition whose points add up to nothing.
    fn cancelling_together(&mut self, rules: &[(&'r ScoreRule, &Model)], asks_for_halves: bool) {
        let mut alike: BTreeMap<(String, String), Vec<(&'r ScoreRule, &Model)>> = BTreeMap::new();
        for (rule, model) in rules.iter().filter(|(rule, _)| rule.points != 0) {
            let half = if asks_for_halves { rule.part.name() } else { "" };
            alike.entry((format!("{} {:?}", rule.when, rule.dates), half.to_owned())).or_default().push((*rule, *model));
        }
        for group in alike.into_values().filter(|group| group.len() > 2 && group.iter().map(|(rule, _)| rule.points).sum::<i64>() == 0) {
            let own = group.iter().rev().find_map(|(rule, model)| Some((*rule, *model, self.places.own("score", &rule.id)?)));
            let Some((last, model, place)) = own else { continue };
            let example = self.space.example(model, &[&last.when], &[], |subject| group.iter().all(|(rule, _)| rule.holds(subject)));
            let others = self.named("score", group.iter().map(|(rule, _)| rule.id.as_str()).filter(|id| *id != last.id), place.start);
            let message =
                format!("the score rule {:?} ({:+}) and {others} add up to nothing: they hold for the same leads", last.id, last.points);
            self.tell(place.when(), "scores_cancel", message, "take them out, or change the points of one", example);
        }
    }

    /// Thresholds and grades above all that the rules can add up to, those with the points that were meant to be given and are not.
    fn thresholds(&mut self, meant: i64) -> bool {
        let scoring = &self.rules.scoring;
        let mut out_of_reach = false;
        let mut by_default: Vec<Storefront> = Vec::new();
        for storefront in Storefront::ALL.iter().copied() {
            let Some((_, threshold)) = scoring.threshold_by_storefront.iter().find(|(named, _)| *named == storefront) else {
                by_default.push(storefront);
                continue;
            };
            let path = format!("threshold_by_storefront.{}", storefront.name());
            out_of_reach |= self.threshold(&path, *threshold, &[storefront], meant);
        }
        out_of_reach |= self.threshold("threshold", scoring.threshold, &by_default, meant);
        for (grade, least) in ["A", "B", "C"].into_iter().zip(scoring.grades) {
            let Some(at) = self.places.score(&format!("grades.{grade}")) else { continue };
            if let Some((most, example)) = self.most(Storefront::ALL).filter(|(most, _)| *most + meant < least) {
                let message = format!("no lead can have the grade {grade}: it needs {least}, and the most is {most}");
                self.tell(at, "unreachable_threshold", message, "lower it, or give more points", example);
            }
        }
        out_of_reach
    }

    /// Tells of a threshold that no lead of these storefronts reaches; whether it is one.
    fn threshold(&mut self, path: &str, threshold: i64, of: &[Storefront], meant: i64) -> bool {
        let Some((most, example)) = self.most(of).filter(|(most, _)| *most + meant < threshold) else { return false };
        if let Some(at) = self.places.score(path) {
            let names: Vec<&str> = of.iter().map(|storefront| storefront.name()).collect();
            let message = format!("no lead of {} can reach {threshold}: the most is {most}, so none qualifies", names.join(" or "));
            self.tell(at, "unreachable_threshold", message, "lower it, or give more points", example);
        }
        true
    }

    /// The most points that a lead of these storefronts can have, or a little more, with the lead that was found to have most.
    fn most(&self, of: &[Storefront]) -> Option<(i64, Option<super::Example>)> {
        let storefronts = Formula::any(of.iter().map(|storefront| self.space.is("storefront", storefront.name())));
        let Answer::Possible(_) = self.space.can_hold(&[&storefronts], &[], false) else { return None };
        let most = self.space.most_points(&storefronts)?;
        let model = self.space.with_most_points(&storefronts)?;
        let held: Vec<_> = self.rules.scoring.rules.iter().filter(|rule| self.space.holds(&self.space.score_rule(rule), &model)).collect();
        let about: Vec<_> = held.iter().map(|rule| &rule.when).collect();
        let names: Vec<&str> = of.iter().map(|storefront| storefront.name()).collect();
        let example = self.space.example(&model, &about, &["storefront"], |subject| {
            let total: i64 = self.rules.scoring.rules.iter().filter(|rule| rule.holds(subject)).map(|rule| rule.points).sum();
            total <= most && names.contains(&subject.class.storefront.name())
        });
        Some((most, example))
    }
}
