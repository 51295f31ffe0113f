//! The part of a ruleset that routes: the publisher's campaigns, owners and routes. Reads and keeps; the choosing is in
//! `pipeline::route`.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    classification::{StorefrontRow, table},
    clock::{Clocks, RouteClock},
    condition::{Compared, Condition, Sight, Subject, Weighed},
    dates::EffectiveDates,
    judgement::rules,
    keys,
    list::RuleList,
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

    /// Each part of what it asks, beside what the lead has.
    pub(crate) fn weigh(&self, subject: &Subject<'_>) -> Weighed {
        let when = self.when.as_ref().map(|when| when.weigh(subject));
        Weighed::all(self.dates.weigh(subject.facts.event_time).into_iter().chain(when).collect())
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
    /// Its `when`.
    pub(super) fn condition(&self) -> Option<&Condition> {
        match &self.asks {
            Asks::When(when) => when.as_ref(),
            Asks::Storefront(_) => None,
        }
    }

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

    /// Each part of what it asks, beside what the lead has: its verdict too where that is not the usual one, or not met.
    pub(crate) fn weigh(&self, subject: &Subject<'_>) -> Weighed {
        let compared = |field: &str, is: &str| Compared { field: field.to_owned(), is: format!("{is:?}"), is_free: false };
        let equal =
            |field: &str, wanted: &str, is: &str| Weighed::said(format!("{field} == {wanted:?}"), wanted == is, vec![compared(field, is)]);
        let verdict = subject.qualified.map_or("", |qualified| qualified.verdict.name());
        let verdict = equal("verdict", self.verdict.name(), verdict);
        let asked = match &self.asks {
            Asks::When(when) => when.iter().map(|when| when.weigh(subject)).collect(),
            Asks::Storefront(storefront) => vec![
                equal("origin", Origin::Storefront.name(), subject.facts.origin.name()),
                equal("storefront", storefront.name(), subject.class.storefront.name()),
            ],
        };
        let verdict = Some(verdict).filter(|verdict| !verdict.held || self.verdict != Verdict::Qualified || asked.is_empty());
        Weighed::all(verdict.into_iter().chain(self.dates.weigh(subject.facts.event_time)).chain(asked).collect())
    }
}

/// `[owner.NAME]`: who follows up, for people; events carry the name alone.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) name: Option<String>,
    pub(crate) contact: Option<String>,
}

pub(super) fn campaigns<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> RuleList<CampaignRule> {
    let mut ids = Ids::default();
    let mut campaigns = Vec::new();
    for section in rules(reader, root, "campaign", keys::CAMPAIGN) {
        let id = ids.take(reader, &section);
        let when = section.condition(reader, "when", Sight::Judged);
        let dates = EffectiveDates::read(reader, &section);
        if ["when", "from", "until"].iter().all(|key| section.get(key).is_none()) {
            let hint = "add when = '…', or from and until";
            reader.tell(section.start, "missing_key", format!("{} would hold for every lead", section.name), hint);
        }
        campaigns.extend(id.map(|id| CampaignRule { id: id.to_owned(), when, dates }));
    }
    RuleList::new(campaigns, |campaign| campaign.when.as_ref())
}

pub(super) fn routes<'a>(
    reader: &mut Reader<'a>,
    root: &'a DeTable<'a>,
    storefronts: &BTreeMap<Storefront, StorefrontRow>,
    owners: &BTreeMap<String, Owner>,
) -> RuleList<RouteRule> {
    let clocks = Clocks::read(reader, root);
    let mut ids = Ids::default();
    let mut routes = Vec::new();
    for section in rules(reader, root, "route", keys::ROUTE) {
        routes.extend(route(reader, &section, &mut ids, &clocks));
        check_owner(reader, &section, owners);
    }
    for (storefront, row) in storefronts {
        let named = row.clock.as_ref().map(|(name, place)| (name.as_str(), *place));
        let clock = clocks.get(reader, named, &format!("storefront.{}", storefront.name()));
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
    RuleList::new(routes, RouteRule::condition)
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
    let clock = clocks.get(reader, named, &section.name);
    let stop = section.boolean(reader, "stop").unwrap_or_default();
    let verdict = section.word(reader, "verdict").unwrap_or(Verdict::Qualified);
    let dates = EffectiveDates::read(reader, section);
    let (id, destination) = (id?.to_owned(), destination?.to_owned());
    Some(RouteRule { id, destination, queue, owner, priority, clock, stop, verdict, dates, asks: Asks::When(when) })
}

pub(super) fn owners<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> BTreeMap<String, Owner> {
    let mut owners = BTreeMap::new();
    for (key, value) in table(reader, root, "owner").into_iter().flatten() {
        let Some(section) = reader.section(format!("owner.{}", key.get_ref()), value, keys::OWNER) else { continue };
        let mut own = |key: &str| section.label(reader, key).map(str::to_owned);
        owners.insert(key.get_ref().to_string(), Owner { name: own("name"), contact: own("contact") });
    }
    owners
}

/// Where owners are listed, a route has one of them.
fn check_owner<'a>(reader: &mut Reader<'a>, section: &Section<'a>, owners: &BTreeMap<String, Owner>) {
    let Some(owner) = section.get("owner").and_then(|value| value.get_ref().as_str()) else { return };
    if !owners.is_empty() && !owners.contains_key(owner) {
        reader.no_such("owner", (owner, section.place("owner")), &section.name, owners.keys());
    }
}
