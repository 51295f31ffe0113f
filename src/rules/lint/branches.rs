//! Parts of `||` that never hold beside parts that may: what was meant to be let in, or kept out, by them is not.

use super::{Lint, unfinished::Stage};
use crate::rules::{
    Ruleset,
    condition::{
        Condition,
        space::{Answer, Formula, Model},
    },
    dates::EffectiveDates,
};

/// What is asked of a lead beside the condition.
struct Entry<'r> {
    kind: &'static str,
    id: &'r str,
    when: &'r Condition,
    dates: EffectiveDates,
    /// Of leads that were judged, by the whole ruleset.
    decided: bool,
    with: Formula,
}

impl<'r> Lint<'_, 'r> {
    pub(super) fn branches(&mut self, decided: bool) {
        let rules = self.rules;
        // What follows from a rule that never holds is told by that.
        let something_is_dead = self.found.iter().any(|(_, problem)| problem.code == "never_fires");
        for Entry { kind, id, when, dates, decided, with } in self.entries(rules, decided) {
            self.look_at(Stage::Branches, Some((kind, id)));
            let Some(place) = self.places.own(kind, id).filter(|place| !self.has_ended(*place)) else { continue };
            // Of what never or always holds it is told as a whole.
            if self.found.iter().any(|(at, problem)| *at == place.when() && matches!(problem.code, "never_fires" | "always_fires")) {
                continue;
            }
            let decided = decided && self.places.file(place.start) == 0;
            let with = Formula::all([with, self.space.within(dates.from, dates.until)]);
            let whole = self.space.formula(when);
            let Answer::Possible(_) = self.space.can_hold(&[&whole, &with], &[], decided) else { continue };
            for branch in self.space.branches(when) {
                // That a domain of one's own is not there yet is no mistake.
                if rules.policy.own_domains.is_empty() && branch.names.iter().any(|name| name == "own_domain") {
                    continue;
                }
                let follows =
                    |name: &String| name.starts_with("score.") || ["verdict", "reasons", "marketing_campaign"].contains(&name.as_str());
                if something_is_dead && branch.names.iter().any(follows) {
                    continue;
                }
                let alone = matches!(self.space.can_hold(&[&branch.formula, &with], &[], decided), Answer::Impossible(_));
                if !alone {
                    continue;
                }
                let Some(model) = self.shown_by(&whole, &with, decided) else { continue };
                let also: &[&str] = if decided { &["verdict"] } else { &[] };
                let example = self.space.example(&model, &[when], also, |subject| when.holds(subject) && !branch.holds(subject));
                let what = if kind == "score" { format!("the score rule {id:?}") } else { format!("the {kind} {id:?}") };
                let message = format!("{what} has a part that can never hold: {}", branch.written);
                let at = self.find_in(place, &branch.written).or_else(|| branch.texts.iter().find_map(|text| self.find_text(place, text)));
                let hint = "ask for something that a lead can have there, or take that part out";
                self.tell(at.unwrap_or_else(|| place.when()), "dead_branch", message, hint, example);
            }
        }
    }

    fn shown_by(&self, whole: &Formula, with: &Formula, decided: bool) -> Option<Model> {
        match self.space.can_hold(&[whole, with], &[], decided) {
            Answer::Possible(model) => Some(model),
            _ => None,
        }
    }

    /// Every entry of the lists with what it asks beside its condition.
    fn entries(&self, rules: &'r Ruleset, decided: bool) -> Vec<Entry<'r>> {
        let mut entries = Vec::new();
        let always = || Formula::Always;
        for gate in &rules.gates {
            entries.push(Entry { kind: "gate", id: &gate.id, when: &gate.when, dates: gate.dates, decided: false, with: always() });
        }
        for rule in &rules.scoring.rules {
            entries.push(Entry { kind: "score", id: &rule.id, when: &rule.when, dates: rule.dates, decided: false, with: always() });
        }
        for campaign in &rules.campaigns {
            let Some(when) = &campaign.when else { continue };
            entries.push(Entry { kind: "campaign", id: &campaign.id, when, dates: campaign.dates, decided, with: always() });
        }
        for route in &rules.routes {
            let Some(when) = route.condition() else { continue };
            let with = self.space.is("verdict", crate::lead::Vocabulary::name(route.verdict));
            entries.push(Entry { kind: "route", id: &route.id, when, dates: route.dates, decided, with });
        }
        entries
    }
}
