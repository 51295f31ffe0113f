//! Where looking at a ruleset ended, when it took more steps than are spent on one, and what was not looked at then. Looks at nothing
//! itself.

use super::Lint;
use crate::problem::Problem;

/// What is looked at with searches, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Gates,
    GatesTogether,
    Scores,
    Cancelling,
    Thresholds,
    Campaigns,
    Routes,
    Storefronts,
    Actions,
    Branches,
}

impl Stage {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Gates, "the gates"),
        (Self::GatesTogether, "whether gates together refuse every lead"),
        (Self::Scores, "the score rules"),
        (Self::Cancelling, "which score rules cancel each other"),
        (Self::Thresholds, "thresholds and grades"),
        (Self::Campaigns, "the campaigns"),
        (Self::Routes, "the routes"),
        (Self::Storefronts, "storefronts without a route"),
        (Self::Actions, "actions that no rule asks for"),
        (Self::Branches, "the parts of ||"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(stage, _)| *stage == self).map_or("", |(_, name)| name)
    }
}

/// What is being looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looking<'r> {
    stage: Stage,
    /// List and id.
    entry: Option<(&'static str, &'r str)>,
}

impl<'r> Lint<'_, 'r> {
    /// Says what is looked at now; once no step is left, it stays at what was looked at last.
    pub(super) fn look_at(&mut self, stage: Stage, entry: Option<(&'static str, &'r str)>) {
        if !self.space.is_exhausted() {
            self.looking = Some(Looking { stage, entry });
        }
    }

    /// What was not looked at.
    pub(super) fn unfinished(&self) -> Problem {
        let from = self.looking.map(|looking| looking.stage);
        let rest: Vec<&str> = Stage::ALL.iter().filter(|(stage, _)| from.is_none_or(|from| *stage > from)).map(|(_, name)| *name).collect();
        let after = self.looking.map(|Looking { stage, entry }| match entry {
            Some((kind, id)) => {
                let (what, place) = (if kind == "score" { "score rule" } else { kind }, self.places.start(kind, id).unwrap_or_default());
                (format!("at the {what} {}", self.named(kind, [id], place)), format!("{} from there on", stage.name()))
            }
            None => (format!("at {}", stage.name()), stage.name().to_owned()),
        });
        let (ended, first) = after.unwrap_or_else(|| ("before the first of them".to_owned(), String::new()));
        let mut open: Vec<&str> = [first.as_str()].into_iter().filter(|first| !first.is_empty()).chain(rest).collect();
        let last = open.pop().unwrap_or_default();
        let open = if open.is_empty() { last.to_owned() } else { format!("{} and {last}", open.join(", ")) };
        let message = format!(
            "these are so many rules, or so large ones, that looking at them ended {ended}: of what was not looked at nothing is known, \
             which is {open}"
        );
        let hint = "lists of companies, addresses or offers belong into the reference tables (docs/tables.md); ask for their columns";
        Problem::warning("lint_unfinished", message).hint(hint)
    }
}
