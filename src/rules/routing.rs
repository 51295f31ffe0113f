//! The part of a ruleset that routes: the publisher's campaigns, owners and routes. Reads and keeps; the choosing is in
//! `pipeline::route`.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    classification::{StorefrontRow, table},
    clock::{Clocks, RouteClock},
    condition::{Condition, Sight, Subject},
    dates::EffectiveDates,
    judgement::rules,
    reading::{Ids, Reader, Section},
};
use crate::lead::{Origin, Storefront, Verdict, Vocabulary};

/// Ids that begin so belong to the routes made of `follow_up`.
const FOLLOW_UP: &str = "follow_up.";

/// `[[campaign]]`: one of the publisher's own.
#[derive(Debug)]
pub(crate) struct CampaignRule {
    pub(crate) id: String,
    pub(super) when: Option<Condition>,
    pub(super) dates: EffectiveDates,
}

impl CampaignRule {
    /// Whether it is in force at the lead's event time and its condition is true.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        self.dates.include(subject.facts.event_time) && self.when.as_ref().is_none_or(|when| when.holds(subject))
    }
}

/// What a route asks of a lead.
#[derive(Debug)]
pub(super) enum Asks {
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
    pub(crate) clock: RouteClock,
    /// No later route is tried once it holds.
    pub(crate) stop: bool,
    pub(super) verdict: Verdict,
    pub(super) dates: EffectiveDates,
    pub(super) asks: Asks,
}

impl RouteRule {
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        subject.qualified.is_some_and(|qualified| qualified.verdict == self.verdict)
            && self.dates.include(subject.facts.event_time)
            && match &self.asks {
                Asks::When(when) => when.as_ref().is_none_or(|when| when.holds(subject)),
                Asks::Storefront(storefront) => {
                    // Referrals that name a store are no storefront leads (contract, "Routes").
                    subject.facts.origin == Origin::Storefront && subject.class.storefront == *storefront
                }
            }
    }
}

/// `[owner.NAME]`: who follows up, for people; events carry the name alone.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) name: Option<String>,
    pub(crate) contact: Option<String>,
}

const CAMPAIGN_KEYS: &[&str] = &["id", "when", "from", "until"];
const ROUTE_KEYS: &[&str] = &["id", "when", "destination", "queue", "owner", "priority", "clock", "stop", "verdict", "from", "until"];
const OWNER_KEYS: &[&str] = &["name", "contact"];

pub(super) fn campaigns<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Vec<CampaignRule> {
    let mut ids = Ids::default();
    let mut campaigns = Vec::new();
    for section in rules(reader, root, "campaign", CAMPAIGN_KEYS) {
        let id = ids.take(reader, &section);
        let when = section.condition(reader, "when", Sight::Judged);
        let dates = EffectiveDates::read(reader, &section);
        if ["when", "from", "until"].iter().all(|key| section.get(key).is_none()) {
            let hint = "add when = '…', or from and until";
            reader.tell(section.start, "missing_key", format!("{} would hold for every lead", section.name), hint);
        }
        campaigns.extend(id.map(|id| CampaignRule { id: id.to_owned(), when, dates }));
    }
    campaigns
}

pub(super) fn routes<'a>(
    reader: &mut Reader<'a>,
    root: &'a DeTable<'a>,
    storefronts: &BTreeMap<Storefront, StorefrontRow>,
    owners: &BTreeMap<String, Owner>,
) -> Vec<RouteRule> {
    let clocks = Clocks::read(reader, root);
    let mut ids = Ids::default();
    let mut routes = Vec::new();
    for section in rules(reader, root, "route", ROUTE_KEYS) {
        routes.extend(route(reader, &section, &mut ids, &clocks));
        check_owner(reader, &section, owners);
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
            clock: clock.clone(),
            stop: false,
            verdict: Verdict::Qualified,
            dates: row.dates,
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
    let dates = EffectiveDates::read(reader, section);
    let (id, destination) = (id?.to_owned(), destination?.to_owned());
    Some(RouteRule { id, destination, queue, owner, priority, clock, stop, verdict, dates, asks: Asks::When(when) })
}

pub(super) fn owners<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> BTreeMap<String, Owner> {
    let mut owners = BTreeMap::new();
    for (key, value) in table(reader, root, "owner").into_iter().flatten() {
        let Some(section) = reader.section(format!("owner.{}", key.get_ref()), value, OWNER_KEYS) else { continue };
        let mut own = |key: &str| section.label(reader, key).map(str::to_owned);
        owners.insert(key.get_ref().to_string(), Owner { name: own("name"), contact: own("contact") });
    }
    owners
}

/// Where owners are listed, a route has one of them.
fn check_owner<'a>(reader: &mut Reader<'a>, section: &Section<'a>, owners: &BTreeMap<String, Owner>) {
    let Some(owner) = section.get("owner").and_then(|value| value.get_ref().as_str()) else { return };
    if !owners.is_empty() && !owners.contains_key(owner) {
        let hint = reader.hint(owner, owners.keys().map(String::as_str));
        reader.tell(section.place("owner"), "unknown_name", format!("there is no [owner.{owner}]"), hint);
    }
}
