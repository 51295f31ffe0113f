//! Every kind of lead that the ruleset's tables can make: storefront, campaign, action and so on, as they go together. What
//! `pipeline::classify` makes of one lead is a row here. Rows with effective dates may be in force or not.

use std::collections::BTreeSet;

use super::values::Known;
use crate::{
    lead::{
        Action, Audience, Campaign, Channel, Confidence, Consent, Listing, ListingOption, OfferType, Origin, Stage, Storefront, Vocabulary,
    },
    rules::{ActionRow, OfferTypeRow, classification::Classification},
};

/// One kind of lead, with what makes a lead one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class<'r> {
    pub(super) origin: Origin,
    pub(super) storefront: Storefront,
    pub(super) channel: Channel,
    pub(super) campaign: Campaign,
    pub(super) audience: Audience,
    pub(super) listing: Listing,
    pub(super) action: Action,
    pub(super) stage: Stage,
    pub(super) confidence: Confidence,
    pub(super) consent: Consent,
    /// Its type and how it can be taken, of a row of the table `offers`.
    pub(super) offer: Option<(Option<OfferType>, Option<ListingOption>)>,
    pub(super) source: Option<&'r str>,
    pub(super) code: Option<&'r str>,
}

/// What of a class can be asked.
pub(super) const COLUMNS: [&str; 15] = [
    "origin",
    "storefront",
    "channel",
    "campaign",
    "audience",
    "listing",
    "action",
    "stage",
    "confidence",
    "consent.contact",
    "offer",
    "offer.offer_type",
    "offer.listing_option",
    "\"storefront_inferred\" in flags",
    "\"storefront_unresolved\" in flags",
];

impl Class<'_> {
    pub(super) fn value(&self, column: &str) -> Known {
        let or_null = |word: Option<&'static str>| word.map_or(Known::Null, Known::Word);
        Known::Word(match column {
            "origin" => self.origin.name(),
            "storefront" => self.storefront.name(),
            "channel" => self.channel.name(),
            "campaign" => self.campaign.name(),
            "audience" => self.audience.name(),
            "listing" => self.listing.name(),
            "action" => self.action.name(),
            "stage" => self.stage.name(),
            "confidence" => self.confidence.name(),
            "consent.contact" => self.consent.name(),
            "offer" => return if self.offer.is_some() { Known::Row } else { Known::Null },
            "offer.offer_type" => return or_null(self.offer.and_then(|(of, _)| of).map(OfferType::name)),
            "offer.listing_option" => return or_null(self.offer.and_then(|(_, option)| option).map(ListingOption::name)),
            "\"storefront_inferred\" in flags" => return Known::Bool(self.is_inferred()),
            _ => return Known::Bool(self.is_unresolved()),
        })
    }

    pub(super) fn is_inferred(&self) -> bool {
        self.confidence == Confidence::Medium
    }

    pub(super) fn is_unresolved(&self) -> bool {
        self.confidence == Confidence::Low && self.origin == Origin::Storefront
    }
}

/// All classes that differ in one of these columns.
pub(super) fn all<'r>(tables: &'r Classification, asked: &BTreeSet<&str>) -> Vec<Class<'r>> {
    let ask = |columns: &[&str]| columns.iter().any(|column| asked.contains(column));
    let sources = sources(tables);
    let actions = actions(tables);
    let offers = offers(ask(&["listing", "offer", "offer.offer_type"]), ask(&["stage", "offer.listing_option"]), tables);
    let consents: &[Consent] = if ask(&["consent.contact"]) { Consent::ALL } else { &[Consent::Unknown] };
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut classes = Vec::new();
    for origin in Origin::ALL.iter().copied() {
        for (source, stated, by_source) in &sources {
            for (code, action) in &actions {
                for offer in &offers {
                    for consent in consents {
                        let class = Class {
                            origin,
                            storefront: Storefront::Unknown,
                            channel: if origin == Origin::Storefront { *by_source } else { Channel::PartnerCenter },
                            campaign: Campaign::Unclassified,
                            audience: Audience::Unknown,
                            listing: Listing::Unknown,
                            action: action.map_or(Action::Unknown, |row| row.action),
                            stage: action.map_or(Stage::Unknown, |row| row.stage(offer.and_then(|(_, option)| option))),
                            confidence: Confidence::Low,
                            consent: *consent,
                            offer: *offer,
                            source: *source,
                            code: *code,
                        };
                        // Whose contact was granted to somebody else has none (facts.md §2.8).
                        if class.action == Action::DoNotContact && class.consent == Consent::Granted {
                            continue;
                        }
                        in_stores(class, *stated, *action, tables, &mut |class| {
                            if seen.insert(key(&class, asked)) {
                                classes.push(class);
                            }
                        });
                    }
                }
            }
        }
    }
    classes
}

/// The class with each storefront, and what follows from it, that it can have.
fn in_stores<'r>(
    class: Class<'r>,
    stated: Option<Storefront>,
    action: Option<&ActionRow>,
    tables: &Classification,
    add: &mut impl FnMut(Class<'r>),
) {
    let offer_type = class.offer.and_then(|(of, _)| of).and_then(|of| tables.offer_types.get(&of));
    let rows = [offer_type, None];
    let in_force = if offer_type.is_some_and(|row| row.dates.are_set()) { &rows[..] } else { &rows[..1] };
    for offer_type in in_force {
        let by_offer = offer_type.and_then(OfferTypeRow::only_storefront);
        let inferred = by_offer.or_else(|| action.and_then(|row| row.storefront_if_unknown)).filter(|_| class.origin == Origin::Storefront);
        let (storefront, confidence) = match (stated, inferred) {
            (Some(stated), _) => (stated, Confidence::High),
            (None, Some(inferred)) => (inferred, Confidence::Medium),
            (None, None) => (Storefront::Unknown, Confidence::Low),
        };
        let listing = offer_type.map_or(Listing::Unknown, |row| row.listing);
        let row = tables.storefronts.get(&storefront);
        let rows = [row, None];
        for row in if row.is_some_and(|row| row.dates.are_set()) { &rows[..] } else { &rows[..1] } {
            let campaign = row.filter(|_| class.origin == Origin::Storefront).map_or(Campaign::Unclassified, |row| row.campaign);
            let audience = row.map_or(Audience::Unknown, |row| row.audience);
            add(Class { storefront, campaign, audience, listing, confidence, ..class });
        }
    }
}

/// What a class is told apart by.
fn key(class: &Class<'_>, asked: &BTreeSet<&str>) -> Vec<u8> {
    let option = |number: Option<u8>| number.map_or(0, |number| number + 1);
    let number = |column: &str| match column {
        "origin" => class.origin as u8,
        "storefront" => class.storefront as u8,
        "channel" => class.channel as u8,
        "campaign" => class.campaign as u8,
        "audience" => class.audience as u8,
        "listing" => class.listing as u8,
        "action" => class.action as u8,
        "stage" => class.stage as u8,
        "confidence" => class.confidence as u8,
        "consent.contact" => class.consent as u8,
        "offer" => u8::from(class.offer.is_some()),
        "offer.offer_type" => option(class.offer.and_then(|(of, _)| of).map(|of| of as u8)),
        "offer.listing_option" => option(class.offer.and_then(|(_, option)| option).map(|option| option as u8)),
        "\"storefront_inferred\" in flags" => u8::from(class.is_inferred()),
        _ => u8::from(class.is_unresolved()),
    };
    asked.iter().map(|column| number(column)).collect()
}

/// What tokens tell, each once, and what it is where none is known.
fn sources(tables: &Classification) -> Vec<(Option<&str>, Option<Storefront>, Channel)> {
    let mut found: Vec<(Option<&str>, Option<Storefront>, Channel)> = Vec::new();
    let known = tables.sources.iter().map(|(token, row)| (Some(token.as_str()), row.storefront, row.channel));
    for (token, storefront, channel) in known.chain([(None, None, Channel::Unknown)]) {
        if !found.iter().any(|(_, other, by)| (*other, *by) == (storefront, channel)) {
            found.push((token, storefront, channel));
        }
    }
    found
}

/// The same of action codes.
fn actions(tables: &Classification) -> Vec<(Option<&str>, Option<&ActionRow>)> {
    let options = || ListingOption::ALL.iter().copied().map(Some).chain([None]);
    let alike = |left: &ActionRow, right: &ActionRow| {
        left.action == right.action
            && left.storefront_if_unknown == right.storefront_if_unknown
            && options().all(|option| left.stage(option) == right.stage(option))
    };
    let mut found: Vec<(Option<&str>, Option<&ActionRow>)> = Vec::new();
    for (code, row) in &tables.actions {
        if !found.iter().filter_map(|(_, other)| *other).any(|other| alike(other, row)) {
            found.push((Some(code), Some(row)));
        }
    }
    found.push((None, None));
    found
}

/// Rows of the table `offers`, by what is asked of them.
fn offers(by_type: bool, by_option: bool, tables: &Classification) -> Vec<Option<(Option<OfferType>, Option<ListingOption>)>> {
    let told = |of: OfferType| tables.offer_types.get(&of).is_some_and(|row| row.only_storefront().is_some());
    let types = OfferType::ALL.iter().copied().filter(|of| by_type || told(*of)).map(Some).chain([None]);
    let options: Vec<_> = ListingOption::ALL.iter().copied().filter(|_| by_option).map(Some).chain([None]).collect();
    let rows = types.flat_map(|of| options.iter().map(move |option| Some((of, *option))));
    [None].into_iter().chain(rows).collect()
}
