//! Gates that never hold, and gates that always do.

use super::{Lint, unfinished::Stage};
use crate::rules::condition::{
    Condition,
    space::{Answer, Formula},
};

impl Lint<'_, '_> {
    /// Tells of gates; whether no lead can qualify.
    pub(super) fn gates(&mut self) -> bool {
        let rules = self.rules;
        let formulas: Vec<Formula> = rules.gates.iter().map(|gate| self.space.gate(gate)).collect();
        let mut always = false;
        for (gate, formula) in rules.gates.iter().zip(&formulas) {
            self.look_at(Stage::Gates, Some(("gate", &gate.id)));
            let lets_none_pass = self.is_impossible(&[&formula.clone().not()], false);
            always |= lets_none_pass;
            let Some(place) = self.places.own("gate", &gate.id) else { continue };
            let what = format!("the gate {:?}", gate.id);
            if lets_none_pass {
                let Answer::Possible(model) = self.space.can_hold(&[formula], &[], false) else { continue };
                let example = self.space.example(&model, &[&gate.when], &["reachable"], |subject| gate.holds(subject));
                let message = format!("{what} always holds: every lead is refused with {:?}, and none qualifies", gate.reason);
                let hint = "ask for what is wrong with a lead; a gate refuses the leads of which it is true";
                self.tell(place.when(), "always_fires", message, hint, example);
            } else if self.is_impossible(&[formula], false) && !self.waits_for_a_domain(&gate.when) {
                let with = self.space.within(gate.dates.from, gate.dates.until);
                self.tell_contradiction(&what, place, &gate.when, &with, false);
            }
        }
        always || self.gates_together(&formulas)
    }

    /// A gate for one's own domains stands ready before there are any, as in the built-in ruleset.
    fn waits_for_a_domain(&self, when: &Condition) -> bool {
        self.rules.policy.own_domains.is_empty() && when.names().into_iter().eq(["own_domain"])
    }

    /// Gates of which one holds for every lead.
    fn gates_together(&mut self, formulas: &[Formula]) -> bool {
        let rules = self.rules;
        self.look_at(Stage::GatesTogether, None);
        let open: Vec<Formula> = formulas.iter().map(|gate| gate.clone().not()).collect();
        let open: Vec<&Formula> = open.iter().collect();
        let Some(used) = self.impossible(&[], &open, false) else { return false };
        let gates: Vec<_> = used.iter().filter_map(|at| Some((rules.gates.get(*at)?, formulas.get(*at)?))).collect();
        let last = gates.iter().rev().find_map(|(gate, formula)| Some((*gate, *formula, self.places.own("gate", &gate.id)?)));
        let Some((gate, formula, place)) = last else { return true };
        if let Answer::Possible(model) = self.space.can_hold(&[formula], &[], false) {
            let about: Vec<_> = gates.iter().map(|(gate, _)| &gate.when).collect();
            let example = self.space.example(&model, &about, &[], |subject| gate.holds(subject));
            let others = self.named("gate", gates.iter().map(|(gate, _)| gate.id.as_str()).filter(|id| *id != gate.id), place.start);
            let message = format!("the gate {:?} refuses every lead that {others} let pass: none qualifies", gate.id);
            self.tell(place.when(), "always_fires", message, "one of them must let some leads pass", example);
        }
        true
    }
}
