//! Ids that replace an inherited entry which has nothing to do with the new one: it is gone, and nothing says so.

use std::collections::BTreeSet;

use super::{Lint, places::Place};
use crate::rules::{
    Ruleset,
    condition::{
        Condition,
        space::{Answer, Example},
    },
};

impl<'r> Lint<'_, 'r> {
    /// Holds what the user has written against what it replaces of `base`.
    pub(super) fn ids(&mut self, base: &'r Ruleset) {
        let rules = self.rules;
        for gate in &rules.gates {
            let inherited = base.gates.iter().find(|other| other.id == gate.id && other.reason != gate.reason);
            self.replaced("gate", &gate.id, Some(&gate.when), inherited.map(|other| &other.when));
        }
        for rule in &rules.scoring.rules {
            let inherited = base
                .scoring
                .rules
                .iter()
                .find(|other| other.id == rule.id && (other.part != rule.part || other.points.signum() != rule.points.signum()));
            self.replaced("score", &rule.id, Some(&rule.when), inherited.map(|other| &other.when));
        }
        for campaign in &rules.campaigns {
            let inherited = base.campaigns.iter().find(|other| other.id == campaign.id);
            self.replaced("campaign", &campaign.id, campaign.when.as_ref(), inherited.and_then(|other| other.when.as_ref()));
        }
        for route in &rules.routes {
            let inherited = base.routes.iter().find(|other| other.id == route.id && other.destination != route.destination);
            self.replaced("route", &route.id, route.condition(), inherited.and_then(|other| other.condition()));
        }
    }

    fn replaced(&mut self, kind: &'static str, id: &str, new: Option<&'r Condition>, inherited: Option<&'r Condition>) {
        let (Some(new), Some(inherited)) = (new, inherited) else { return };
        let Some(place) =
            self.places.own(kind, id).filter(|place| self.places.file(place.start) == 0 && self.places.removed(kind, id).is_none())
        else {
            return;
        };
        let (asked, asked_before) = (new.names(), inherited.names());
        let of = |names: &BTreeSet<String>| names.iter().map(|name| matter(name).to_owned()).collect::<BTreeSet<_>>();
        if asked.is_empty() || asked_before.is_empty() || !of(&asked).is_disjoint(&of(&asked_before)) {
            return;
        }
        let fields = asked_before.into_iter().collect::<Vec<_>>().join(", ");
        let example = self.lead_lost(new, inherited);
        self.tell_replaced(kind, id, place, &fields, example);
    }

    /// A lead that the inherited entry took and the new one does not.
    fn lead_lost(&self, new: &'r Condition, inherited: &'r Condition) -> Option<Example> {
        let not_new = self.space.formula(new).not();
        let Answer::Possible(model) = self.space.can_hold(&[&not_new], &[], true) else { return None };
        self.space.example(&model, &[new, inherited], &[], |subject| !new.holds(subject))
    }

    fn tell_replaced(&mut self, kind: &'static str, id: &str, place: Place, fields: &str, example: Option<Example>) {
        let kind = if kind == "score" { "score rule" } else { kind };
        let message = format!("the {kind} {id:?} takes the place of an inherited one that asks for something else ({fields})");
        let hint = "give it an id of its own; to take the inherited one out, name it in `remove`";
        self.tell(place.id.unwrap_or(place.start), "reused_id", message, hint, example);
    }
}

/// What a field is about: two of one matter may say the same in other words.
fn matter(field: &str) -> &str {
    match field {
        "contact.email"
        | "contact.email_domain"
        | "contact.email_kind"
        | "contact.phone_raw"
        | "contact.phone_e164"
        | "own_domain"
        | "reachable" => "address",
        "contact.title" | "contact.seniority" => "position",
        "contact.country" | "contact.country_raw" | "contact.region" => "place",
        "origin" | "storefront" | "channel" | "campaign" | "audience" | "confidence" | "source_raw" | "listing" | "action"
        | "action_raw" | "stage" | "flags" => "kind",
        "publisher_id" | "offer_id" | "offer_title" | "offer_raw" => "offer",
        other => other.split(['.', '[']).next().unwrap_or(other),
    }
}
