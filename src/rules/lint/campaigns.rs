//! Campaigns that no lead can have: none is like that, or an earlier one takes them all.

use super::{Lint, unfinished::Stage};
use crate::rules::condition::space::{Answer, Formula};

impl Lint<'_, '_> {
    /// Tells of campaigns; whether one of them is no lead's.
    pub(super) fn campaigns(&mut self, decided: bool) -> bool {
        let told = self.found.len();
        let rules = self.rules;
        let formulas: Vec<Formula> = rules.campaigns.iter().map(|campaign| self.space.campaign(campaign)).collect();
        let lets_pass: Vec<Formula> = formulas.iter().map(|formula| formula.clone().not()).collect();
        let lets_pass: Vec<&Formula> = lets_pass.iter().collect();
        for (at, (campaign, formula)) in rules.campaigns.iter().zip(&formulas).enumerate() {
            self.look_at(Stage::Campaigns, Some(("campaign", &campaign.id)));
            let Some(place) = self.places.own("campaign", &campaign.id) else { continue };
            let what = format!("the campaign {:?}", campaign.id);
            let decided = decided && self.places.file(place.start) == 0;
            if self.is_impossible(&[formula], decided) {
                if let Some(when) = &campaign.when {
                    let with = self.space.within(campaign.dates.from, campaign.dates.until);
                    self.tell_contradiction(&what, place, when, &with, decided);
                }
                continue;
            }
            let earlier = lets_pass.get(..at).unwrap_or_default();
            if self.has_ended(place) {
                continue;
            }
            let Some(used) = self.impossible(&[formula], earlier, decided) else { continue };
            let before: Vec<_> = used.iter().filter_map(|at| rules.campaigns.get(*at)).collect();
            if !before.iter().all(|other| self.places.could_know(place, "campaign", &other.id)) {
                continue;
            }
            let Answer::Possible(model) = self.space.can_hold(&[formula], &[], decided) else { continue };
            let about: Vec<_> = before.iter().copied().chain([campaign]).filter_map(|campaign| campaign.when.as_ref()).collect();
            let example = self.space.example(&model, &about, &["event_time"], |subject| {
                campaign.holds(subject) && before.iter().any(|before| before.holds(subject))
            });
            let names = self.named("campaign", before.iter().map(|campaign| campaign.id.as_str()), place.start);
            let message = format!("{what} is never a lead's: wherever it holds, {names} holds before it");
            self.tell(place.when(), "never_fires", message, "put the narrower campaign first, or take one out", example);
        }
        self.found.len() > told
    }
}
