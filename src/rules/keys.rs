//! Every key of a ruleset and of its tests: where it stands, what its value is, and what it is for. What is read is checked against these names,
//! and the JSON Schema (`schema`) is made of them; the reading itself is elsewhere.

use super::condition::words;
use crate::lead::{Action, Audience, Campaign, Channel, Format, Listing, ListingOption, OfferType, Part, Stage, Storefront, Verdict};

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) of: Kind,
    pub(super) presence: Presence,
    /// For people, in an editor.
    pub(super) what: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
    /// It may be inherited: required where nothing is.
    RequiredOnceMerged,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    /// A text that is not blank.
    Condition,
    /// Letters, digits, `_`, `.`, `-`.
    Name,
    /// A name that none of the routes made of `follow_up` can have.
    RouteId,
    /// One line for people or for a desk.
    Label,
    Reason,
    Domain,
    /// What `remove` takes.
    Removable,
    Word(fn() -> Vec<&'static str>),
    WholeNumber,
    TrueOrFalse,
    /// `24h`.
    Duration,
    Time,
    Date,
    /// `09:00-17:00`, or a list of such.
    Hours,
    List(&'static Kind),
    /// A list that names nothing twice.
    Set(&'static Kind),
    Table(&'static [Key]),
    /// A table whose keys are told elsewhere.
    Row,
    /// A table whose keys are names of one's own.
    ByName(&'static Kind),
    /// A table whose keys are the words of a fixed list.
    ByWord(fn() -> Vec<&'static str>, &'static Kind),
}

const fn key(name: &'static str, of: Kind, what: &'static str) -> Key {
    Key { name, of, presence: Presence::Optional, what }
}

const fn required(name: &'static str, of: Kind, what: &'static str) -> Key {
    Key { name, of, presence: Presence::Required, what }
}

const fn required_once_merged(name: &'static str, of: Kind, what: &'static str) -> Key {
    Key { name, of, presence: Presence::RequiredOnceMerged, what }
}

const FROM: Key = key("from", Kind::Time, "In force from this event time on.");
const UNTIL: Key = key("until", Kind::Time, "In force until right before this event time.");
/// In a ruleset's own file they are no part of what it says.
const TESTS: Key = key("test", Kind::List(&Kind::Table(TEST)), "Tests of the ruleset: a lead, and what is expected of it.");

/// The top level, in the order in which a ruleset is shown.
pub(super) const ROOT: &[Key] = &[
    required("ruleset", Kind::Table(RULESET), "What the ruleset is called and what it extends."),
    key(
        "source",
        Kind::ByName(&Kind::Table(SOURCE)),
        "Tokens at the beginning of LeadSource; they compare without case, blanks and round brackets.",
    ),
    key("action", Kind::ByName(&Kind::Table(ACTION)), "Action codes, in LeadSource or in ActionCode; they compare as source tokens do."),
    key("offer_type", Kind::ByWord(words::<OfferType>, &Kind::Table(OFFER_TYPE)), "Where an offer type is sold, and as what."),
    key("storefront", Kind::ByWord(words::<Storefront>, &Kind::Table(STOREFRONT)), "What a storefront means for its leads."),
    key("policy", Kind::Table(POLICY), "Own domains, late leads, and what is not published."),
    key("gate", Kind::List(&Kind::Table(GATE)), "A lead for which one holds does not qualify; all that hold are reported."),
    key("score", Kind::Table(SCORE), "The score: threshold, grades and rules."),
    key("campaign", Kind::List(&Kind::Table(CAMPAIGN)), "Your own campaigns; the first that holds."),
    key("route", Kind::List(&Kind::Table(ROUTE)), "Who follows up; the first route that holds wins its destination."),
    key("owner", Kind::ByName(&Kind::Table(OWNER)), "Who follows up, for people; no event tells more than the name in brackets."),
    key("clock", Kind::ByName(&Kind::Table(CLOCK)), "By when something is due."),
    key("calendar", Kind::ByName(&Kind::Table(CALENDAR)), "Working time that clocks count by."),
    TESTS,
];

pub(super) const RULESET: &[Key] = &[
    required("name", Kind::Name, "Stands on every event, with the version."),
    required("version", Kind::Name, "Give it a new one whenever you change the ruleset."),
    key("extends", Kind::Text, "\"default\", the built-in ruleset, or a path relative to this file; left out: nothing is inherited."),
    key(
        "remove",
        Kind::List(&Kind::Removable),
        "What is inherited and not wanted: gate.ID, score.ID, route.ID, clock.NAME, source.TOKEN, …",
    ),
];

pub(super) const SOURCE: &[Key] = &[
    key("storefront", Kind::Word(words::<Storefront>), "The storefront that the token tells; left out: it does not tell one."),
    key("channel", Kind::Word(words::<Channel>), "How the lead came."),
    FROM,
    UNTIL,
];

pub(super) const ACTION: &[Key] = &[
    required_once_merged("action", Kind::Word(words::<Action>), "What the customer did."),
    key("stage", Kind::Word(words::<Stage>), "How far the customer has come with it."),
    key(
        "stage_by_listing_option",
        Kind::ByWord(words::<ListingOption>, &Kind::Word(words::<Stage>)),
        "The stage where the offers table tells the listing option.",
    ),
    key("storefront_if_unknown", Kind::Word(words::<Storefront>), "The storefront where neither source nor offer tell it."),
    key("impossible_with", Kind::List(&Kind::Text), "Storefronts or source tokens: sets the flag impossible_pair."),
    key("undocumented_with", Kind::List(&Kind::Text), "Storefronts or source tokens: sets the flag undocumented_pair."),
    FROM,
    UNTIL,
];

pub(super) const OFFER_TYPE: &[Key] = &[
    required_once_merged("storefronts", Kind::List(&Kind::Word(words::<Storefront>)), "Where it is sold; one alone tells the storefront."),
    key("listing", Kind::Word(words::<Listing>), "As what it is listed."),
    FROM,
    UNTIL,
];

pub(super) const STOREFRONT: &[Key] = &[
    key("campaign", Kind::Word(words::<Campaign>), "The kind of campaign its leads belong to."),
    key("audience", Kind::Word(words::<Audience>), "Whom it is for."),
    key("listings", Kind::List(&Kind::Word(words::<Listing>)), "What offer types sold there may be listed as."),
    key("follow_up", Kind::Set(&Kind::Name), "Destinations of its qualified leads, tried after all routes."),
    key("clock", Kind::Name, "The clock of those destinations; left out: the one named default."),
    FROM,
    UNTIL,
];

pub(super) const POLICY: &[Key] = &[
    key("own_domains", Kind::List(&Kind::Domain), "Your own mail domains, and all beneath them: the field own_domain."),
    key("late_after", Kind::Duration, "Received this long after the event: the flag late_delivery."),
    key("redact", Kind::List(&Kind::Text), "With these reasons no names, mail, phone, note or extra are published."),
];

pub(super) const GATE: &[Key] = &[
    required("id", Kind::Name, "Its name, which no other gate has."),
    required("when", Kind::Condition, "Of which leads it holds: CEL over the lead, see docs/conditions.md."),
    required("reason", Kind::Reason, "Why the lead does not qualify: one of leadstream's, or your own."),
    FROM,
    UNTIL,
];

pub(super) const SCORE: &[Key] = &[
    key("threshold", Kind::WholeNumber, "A lead for which no gate holds and whose total is below it does not qualify: low_score."),
    key("threshold_by_storefront", Kind::ByWord(words::<Storefront>, &Kind::WholeNumber), "The threshold of a storefront's leads."),
    key("grades", Kind::Table(GRADES), "Least totals of the grades; below C it is D."),
    key("rule", Kind::List(&Kind::Table(SCORE_RULE)), "Rules whose points add up."),
];

pub(super) const GRADES: &[Key] = &[
    key("A", Kind::WholeNumber, "Least total of grade A."),
    key("B", Kind::WholeNumber, "Least total of grade B."),
    key("C", Kind::WholeNumber, "Least total of grade C."),
];

pub(super) const SCORE_RULE: &[Key] = &[
    required("id", Kind::Name, "Its name, which no other score rule has."),
    required("part", Kind::Word(words::<Part>), "What it adds to: who the customer is, or what the customer did."),
    required("when", Kind::Condition, "Of which leads it holds: CEL over the lead, see docs/conditions.md."),
    required("points", Kind::WholeNumber, "What it adds; may be negative."),
    FROM,
    UNTIL,
];

pub(super) const CAMPAIGN: &[Key] = &[
    required("id", Kind::Name, "Its name, which no other campaign has; the field marketing_campaign."),
    key("when", Kind::Condition, "Of which leads it holds; score, verdict and reasons can be asked too."),
    FROM,
    UNTIL,
];

pub(super) const ROUTE: &[Key] = &[
    required("id", Kind::RouteId, "Its name, which no other route has."),
    key(
        "when",
        Kind::Condition,
        "Of which leads it holds; score, verdict, reasons and marketing_campaign can be asked too. Left out: of all.",
    ),
    required("destination", Kind::Name, "Where the lead goes; the first route that holds wins its destination."),
    key("queue", Kind::Label, "The desk's queue."),
    key("owner", Kind::Label, "One of [owner], where there are any; events carry this name."),
    key("priority", Kind::Label, "The desk's word for how urgent it is."),
    key("clock", Kind::Name, "By when it is due; left out: the clock named default, if there is one."),
    key("stop", Kind::TrueOrFalse, "Once it holds, no later route is tried."),
    key("verdict", Kind::Word(words::<Verdict>), "Which leads it routes; left out: those that qualify."),
    FROM,
    UNTIL,
];

pub(super) const OWNER: &[Key] =
    &[key("name", Kind::Label, "What people call them."), key("contact", Kind::Label, "How they are reached.")];

pub(super) const CLOCK: &[Key] = &[
    key("first_touch", Kind::Duration, "The customer should have been talked to: first_touch_due."),
    key("accept", Kind::Duration, "The referral should have been accepted: accept_due."),
    key("hot", Kind::Duration, "So long the lead is hot: hot_until."),
    key("late_first_touch", Kind::Duration, "first_touch_due of a late lead, counted from its arrival."),
    key("calendar", Kind::Name, "These are lengths of its working time; left out: of all time."),
    FROM,
    UNTIL,
];

pub(super) const CALENDAR: &[Key] = &[
    required_once_merged("zone", Kind::Text, "A name of the IANA database, such as Europe/Berlin."),
    required_once_merged("hours", Kind::Table(HOURS), "Working hours; a day left out has none."),
    key("holidays", Kind::List(&Kind::Date), "Days without working hours."),
];

pub(super) const HOURS: &[Key] = &[
    key("monday", Kind::Hours, "Working hours, up to 24:00."),
    key("tuesday", Kind::Hours, "Working hours, up to 24:00."),
    key("wednesday", Kind::Hours, "Working hours, up to 24:00."),
    key("thursday", Kind::Hours, "Working hours, up to 24:00."),
    key("friday", Kind::Hours, "Working hours, up to 24:00."),
    key("saturday", Kind::Hours, "Working hours, up to 24:00."),
    key("sunday", Kind::Hours, "Working hours, up to 24:00."),
];

/// The top level of a file of tests.
pub(super) const TEST_FILE: &[Key] = &[key("now", Kind::Time, "When leads are received, where a test does not tell it."), TESTS];

pub(super) const TEST: &[Key] = &[
    required("name", Kind::Label, "What is shown, which no other test has."),
    key("now", Kind::Time, "When the lead is received."),
    key("lead", Kind::Text, "The lead as it comes from Kafka."),
    key("lead_file", Kind::Text, "The lead's file, relative to this one."),
    key("lead_hex", Kind::Text, "The lead's bytes in hexadecimal, where they are no text."),
    key("format", Kind::Word(words::<Format>), "Its format, where it must not be told from the lead's structure."),
    key("offers", Kind::List(&Kind::Row), "Rows of the offers table that this test sees alone."),
    key("accounts", Kind::List(&Kind::Row), "Rows of the accounts table that this test sees alone."),
    key("suppressions", Kind::List(&Kind::Row), "Rows of the suppressions table that this test sees alone."),
    required("expect", Kind::Row, "Paths of the decision and what is there, such as verdict = \"QUALIFIED\"; see docs/rules.md."),
];
