//! The part of a ruleset that routes: the publisher's campaigns, routes and clocks. Reads and keeps; the choosing is in
//! `pipeline::route`.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    classification::{StorefrontRow, table},
    condition::{Condition, Sight, Subject},
    judgement::rules,
    reading::{Ids, Reader, Section},
};
use crate::lead::{Origin, Storefront, Timestamp, Verdict, Vocabulary};

/// The clock of a route that names none, where the ruleset has one of this name.
const DEFAULT_CLOCK: &str = "default";
/// Ids that begin so belong to the routes made of `follow_up`.
const FOLLOW_UP: &str = "follow_up.";

/// `[[campaign]]`: one of the publisher's own.
#[derive(Debug)]
pub(crate) struct CampaignRule {
    pub(crate) id: String,
    when: Option<Condition>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl CampaignRule {
    /// Whether the lead's event time lies in it (its end excluded) and its condition is true.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        let at = subject.facts.event_time;
        self.from.is_none_or(|from| from <= at)
            && self.until.is_none_or(|until| at < until)
            && self.when.as_ref().is_none_or(|when| when.holds(subject))
    }
}

/// What a route asks of a lead.
#[derive(Debug)]
enum Asks {
    /// A `[[route]]`; without a condition all.
    When(Option<Condition>),
    /// Made of a storefront's `follow_up`: a storefront lead of that store.
    Storefront(Storefront),
}

/// `[[route]]`, or one of a storefront's `follow_up`.
#[derive(Debug)]
pub(crate) struct RouteRule {
    pub(crate) id: String,
    pub(crate) destination: String,
    pub(crate) queue: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) priority: Option<String>,
    pub(crate) clock: Clock,
    /// No later route is tried once it holds.
    pub(crate) stop: bool,
    verdict: Verdict,
    asks: Asks,
}

impl RouteRule {
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        subject.qualified.is_some_and(|qualified| qualified.verdict == self.verdict)
            && match &self.asks {
                Asks::When(when) => when.as_ref().is_none_or(|when| when.holds(subject)),
                Asks::Storefront(storefront) => {
                    // Referrals that name a store are no storefront leads (contract, "Routes").
                    subject.facts.origin == Origin::Storefront && subject.class.storefront == *storefront
                }
            }
    }
}

/// `[clock.NAME]`, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) first_touch: Option<i64>,
    pub(crate) accept: Option<i64>,
    pub(crate) hot: Option<i64>,
    pub(crate) late_first_touch: Option<i64>,
}

const CAMPAIGN_KEYS: &[&str] = &["id", "when", "from", "until"];
const ROUTE_KEYS: &[&str] = &["id", "when", "destination", "queue", "owner", "priority", "clock", "stop", "verdict"];
const CLOCK_KEYS: &[&str] = &["first_touch", "accept", "hot", "late_first_touch"];

pub(super) fn campaigns<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Vec<CampaignRule> {
    let mut ids = Ids::default();
    let mut campaigns = Vec::new();
    for section in rules(reader, root, "campaign", CAMPAIGN_KEYS) {
        let id = ids.take(reader, &section);
        let when = section.condition(reader, "when", Sight::Judged);
        let (from, until) = (section.time(reader, "from"), section.time(reader, "until"));
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            reader.tell(section.place("until"), "invalid_value", "until must come after from", "the campaign ends right before `until`");
        }
        if ["when", "from", "until"].iter().all(|key| section.get(key).is_none()) {
            let hint = "add when = '…', or from and until";
            reader.tell(section.start, "missing_key", format!("{} would hold for every lead", section.name), hint);
        }
        campaigns.extend(id.map(|id| CampaignRule { id: id.to_owned(), when, from, until }));
    }
    campaigns
}

pub(super) fn routes<'a>(
    reader: &mut Reader<'a>,
    root: &'a DeTable<'a>,
    storefronts: &BTreeMap<Storefront, StorefrontRow>,
) -> Vec<RouteRule> {
    let clocks = Clocks::read(reader, root);
    let mut ids = Ids::default();
    let mut routes = Vec::new();
    for section in rules(reader, root, "route", ROUTE_KEYS) {
        routes.extend(route(reader, &section, &mut ids, &clocks));
    }
    for (storefront, row) in storefronts {
        let named = row.clock.as_ref().map(|(name, place)| (name.as_str(), *place));
        let clock = clocks.get(reader, named);
        routes.extend(row.follow_up.iter().map(|(destination, _)| RouteRule {
            id: format!("{FOLLOW_UP}{}.{destination}", storefront.name()),
            destination: destination.clone(),
            queue: None,
            owner: None,
            priority: None,
            clock,
            stop: false,
            verdict: Verdict::Qualified,
            asks: Asks::Storefront(*storefront),
        }));
    }
    routes
}

fn route<'a>(reader: &mut Reader<'a>, section: &Section<'a>, ids: &mut Ids<'a>, clocks: &Clocks) -> Option<RouteRule> {
    let id = ids.take(reader, section);
    if id.is_some_and(|id| id.starts_with(FOLLOW_UP)) {
        let message = format!("ids that begin with {FOLLOW_UP:?} belong to the follow_up of storefronts");
        reader.tell(section.place("id"), "invalid_value", message, "name the route otherwise");
    }
    let destination = section.required(reader, "destination", "\"PUBLISHER_CRM\"");
    let destination = destination.and_then(|value| reader.name_of(value, "destination"));
    let when = section.condition(reader, "when", Sight::Routed);
    let named = section.name(reader, "clock").map(|name| (name, section.place("clock")));
    let own = |text: Option<&str>| text.map(str::to_owned);
    let (queue, owner) = (own(section.label(reader, "queue")), own(section.label(reader, "owner")));
    let priority = own(section.label(reader, "priority"));
    let clock = clocks.get(reader, named);
    let stop = section.boolean(reader, "stop").unwrap_or_default();
    let verdict = section.word(reader, "verdict").unwrap_or(Verdict::Qualified);
    let (id, destination) = (id?.to_owned(), destination?.to_owned());
    Some(RouteRule { id, destination, queue, owner, priority, clock, stop, verdict, asks: Asks::When(when) })
}

/// The clocks by name.
struct Clocks(BTreeMap<String, Clock>);

impl Clocks {
    fn read<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Self {
        let mut clocks = BTreeMap::new();
        for (name, value) in table(reader, root, "clock").into_iter().flatten() {
            let Some(section) = reader.section(format!("clock.{}", name.get_ref()), value, CLOCK_KEYS) else { continue };
            let clock = Clock {
                first_touch: section.duration(reader, "first_touch"),
                accept: section.duration(reader, "accept"),
                hot: section.duration(reader, "hot"),
                late_first_touch: section.duration(reader, "late_first_touch"),
            };
            clocks.insert(name.get_ref().to_string(), clock);
        }
        Self(clocks)
    }

    /// The clock of this name (written at that byte), else the default one, else none.
    fn get(&self, reader: &mut Reader<'_>, named: Option<(&str, usize)>) -> Clock {
        let clock = self.0.get(named.map_or(DEFAULT_CLOCK, |(name, _)| name));
        if let (None, Some((name, place))) = (clock, named) {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let hint = reader.hint(name, &known);
            reader.tell(place, "unknown_name", format!("there is no [clock.{name}]"), hint);
        }
        clock.copied().unwrap_or_default()
    }
}
