//! What was decided about a lead: one named type a stage, so that the types tell the order. Made by `pipeline`, written by
//! its `encode`.

use std::borrow::Cow;

use super::{
    Action, Audience, Campaign, Channel, Confidence, ConsentFacts, Facts, Flag, Flags, Grade, Listing, Part, Rejection, Stage, Storefront,
    Timestamp, Verdict,
};
use crate::rules::Ruleset;

/// After `classify`: what kind of lead it is. Flags are those of the facts and those found here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// The store.
    pub storefront: Storefront,
    /// How the customer came.
    pub channel: Channel,
    /// The storefront's campaign.
    pub campaign: Campaign,
    /// Whom the storefront addresses.
    pub audience: Audience,
    /// Kind of listing.
    pub listing: Listing,
    /// What the customer did.
    pub action: Action,
    /// How far the customer is.
    pub stage: Stage,
    /// How sure the storefront is.
    pub confidence: Confidence,
    /// The facts' consent, but a do-not-contact touch grants nothing.
    pub consent: ConsentFacts,
    /// All flags so far.
    pub flags: Flags,
}

/// One score rule that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScorePart<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// Which half it adds to.
    pub part: Part,
    /// May be negative.
    pub points: i64,
}

/// The score and its parts; `total` is `fit` + `intent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score<'a> {
    /// Sum.
    pub total: i64,
    /// Who the customer is.
    pub fit: i64,
    /// What the customer did.
    pub intent: i64,
    /// The rules that held, in the ruleset's order.
    pub parts: Vec<ScorePart<'a>>,
    /// In four steps.
    pub grade: Grade,
}

/// After `qualify`: score, verdict, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualified<'a> {
    /// Computed for every lead.
    pub score: Score<'a>,
    /// Qualified if and only if there is no reason.
    pub verdict: Verdict,
    /// In gate order; `low_score` only when no gate held.
    pub reasons: Vec<&'a str>,
    /// Whether the published event must carry no personal data.
    pub redacted: bool,
}

/// After `route`: one destination, who follows up there and by when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// At most one event a destination.
    pub destination: &'a str,
    /// Queue in it.
    pub queue: Option<&'a str>,
    /// Who owns it.
    pub owner: Option<&'a str>,
    /// As the rule names it.
    pub priority: Option<&'a str>,
    /// Id of the rule.
    pub route: &'a str,
    /// First follow-up.
    pub first_touch_due: Option<Timestamp>,
    /// Accept or decline.
    pub accept_due: Option<Timestamp>,
    /// Until then it has priority.
    pub hot_until: Option<Timestamp>,
    /// The clocks were started anew because the lead came late.
    pub late_delivery: bool,
}

/// All that was decided about one lead.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// What it was decided on.
    pub facts: &'a Facts<'a>,
    /// Under which rules.
    pub rules: &'a Ruleset,
    /// What kind of lead.
    pub class: Classified,
    /// The publisher's own campaign.
    pub marketing_campaign: Option<Cow<'a, str>>,
    /// Whether it qualifies.
    pub qualified: Qualified<'a>,
    /// Who follows up; in rule order, one a destination.
    pub routes: Vec<Route<'a>>,
}

impl Decision<'_> {
    /// Every flag the published event carries: of the facts, of the classification, and of what was decided.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let mut flags = self.facts.flags.union(self.class.flags);
        flags.set(Flag::Redacted, self.qualified.redacted);
        flags
    }
}

/// What became of one record: total, exactly one for every record there is.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// One or more leads, each with a verdict.
    Decided(Vec<Decision<'a>>),
    /// One dead letter.
    Rejected(Rejection),
}
