//! Entries whose dates have passed: they are as if they were not there for every lead that comes now.

use super::Lint;
use crate::rules::{
    condition::{
        Condition,
        space::{Answer, Example, Formula},
    },
    dates::EffectiveDates,
};

impl<'r> Lint<'_, 'r> {
    pub(super) fn dates(&mut self) {
        let ended: Vec<_> = self.places.ending().filter(|(.., until)| *until <= self.now).collect();
        for (kind, name, at, until) in ended {
            let dates = EffectiveDates { from: None, until: Some(until) };
            let (shown, example) = match kind {
                "gate" | "score" | "campaign" | "route" => {
                    let when = self.condition(kind, name);
                    let shown = if kind == "score" { format!("the score rule {name:?}") } else { format!("the {kind} {name:?}") };
                    (shown, self.late_lead(when, dates))
                }
                _ => (format!("[{kind}.{name}]"), self.late_lead(None, dates)),
            };
            let message = format!("{shown} has ended, at {until}: for a lead of today it is as if it were not there");
            self.tell(at, "dates_passed", message, "take it out, or give it a later `until`", example);
        }
    }

    fn condition(&self, kind: &str, id: &str) -> Option<&'r Condition> {
        let rules = self.rules;
        match kind {
            "gate" => rules.gates.iter().find(|gate| gate.id == id).map(|gate| &gate.when),
            "score" => rules.scoring.rules.iter().find(|rule| rule.id == id).map(|rule| &rule.when),
            "campaign" => rules.campaigns.iter().find(|campaign| campaign.id == id).and_then(|campaign| campaign.when.as_ref()),
            _ => rules.routes.iter().find(|route| route.id == id).and_then(|route| route.condition()),
        }
    }

    /// A lead that the entry would take, but for its time.
    fn late_lead(&self, when: Option<&'r Condition>, dates: EffectiveDates) -> Option<Example> {
        let asked = when.map_or(Formula::Always, |when| self.space.formula(when));
        let late = self.space.within(dates.until, None);
        let about: Vec<&Condition> = when.into_iter().collect();
        let meets = |needs: &[&Formula], holds: bool| {
            let Answer::Possible(model) = self.space.can_hold(needs, &[], true) else { return None };
            self.space.example(&model, &about, &["event_time"], |subject| {
                !dates.include(subject.facts.event_time) && (!holds || when.is_none_or(|when| when.holds(subject)))
            })
        };
        meets(&[&asked, &late], true).or_else(|| meets(&[&late], false))
    }
}
