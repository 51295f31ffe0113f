//! The classification tables of a ruleset: what a source token, an action code, an offer type and a storefront mean. Rows
//! only; the order in which they are asked is in `pipeline::classify`.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::{
    absent::some_of,
    dates::EffectiveDates,
    keys::{self, Key},
    reading::{Reader, Section, Written},
};
use crate::lead::{Action, Audience, Campaign, Channel, Listing, ListingOption, OfferType, Stage, Storefront, Timestamp, Vocabulary, fold};

/// What a token on the left of `LeadSource` means.
#[derive(Debug)]
pub(crate) struct SourceRow {
    /// Absent where the token does not tell it (readings Q7).
    pub(crate) storefront: Option<Storefront>,
    pub(crate) channel: Channel,
    pub(super) dates: EffectiveDates,
}

/// What an action code means.
#[derive(Debug)]
pub(crate) struct ActionRow {
    pub(crate) action: Action,
    stage: Stage,
    stage_by_listing_option: Vec<(ListingOption, Stage)>,
    pub(crate) storefront_if_unknown: Option<Storefront>,
    pub(crate) impossible_with: Pairs,
    pub(crate) undocumented_with: Pairs,
    pub(super) dates: EffectiveDates,
}

impl ActionRow {
    /// The stage, softened or sharpened by how the offer can be taken (readings Q4, Q8).
    pub(crate) fn stage(&self, option: Option<ListingOption>) -> Stage {
        let by_option = self.stage_by_listing_option.iter().find(|(listed, _)| Some(*listed) == option);
        by_option.map_or(self.stage, |(_, stage)| *stage)
    }
}

/// Sources an action is named with: whole storefronts or single tokens (folded).
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    storefronts: Vec<Storefront>,
    tokens: Vec<String>,
}

impl Pairs {
    /// Whether the stated storefront or the token (folded) is one of them.
    pub(crate) fn contain(&self, storefront: Option<Storefront>, token: &str) -> bool {
        storefront.is_some_and(|storefront| self.storefronts.contains(&storefront)) || self.tokens.iter().any(|named| named == token)
    }
}

/// Where an offer type is sold, and as what.
#[derive(Debug)]
pub(crate) struct OfferTypeRow {
    pub(crate) storefronts: Vec<Storefront>,
    pub(crate) listing: Listing,
    pub(super) dates: EffectiveDates,
}

impl OfferTypeRow {
    /// The one store it is sold in, if there is but one.
    pub(crate) fn only_storefront(&self) -> Option<Storefront> {
        match self.storefronts.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// The seed's tables for one storefront.
#[derive(Debug)]
pub(crate) struct StorefrontRow {
    pub(crate) campaign: Campaign,
    pub(crate) audience: Audience,
    /// What is listed there; none: not told.
    listings: Vec<Listing>,
    /// The byte they are written at.
    listings_at: usize,
    /// Destinations with the byte each is written at.
    pub(super) follow_up: Vec<(String, usize)>,
    /// Clock of those destinations.
    pub(super) clock: Option<(String, usize)>,
    pub(super) dates: EffectiveDates,
}

/// All four tables. Tokens are kept folded. A row is looked up for an event's time: one that is not in force then is not there.
#[derive(Debug, Default)]
pub(crate) struct Classification {
    pub(super) sources: BTreeMap<String, SourceRow>,
    pub(super) actions: BTreeMap<String, ActionRow>,
    pub(super) offer_types: BTreeMap<OfferType, OfferTypeRow>,
    pub(super) storefronts: BTreeMap<Storefront, StorefrontRow>,
}

impl Classification {
    /// The row of a folded token.
    pub(crate) fn source(&self, token: &str, event_time: Timestamp) -> Option<&SourceRow> {
        self.sources.get(token).filter(|row| row.dates.include(event_time))
    }

    /// The row of a folded code.
    pub(crate) fn action(&self, code: &str, event_time: Timestamp) -> Option<&ActionRow> {
        self.actions.get(code).filter(|row| row.dates.include(event_time))
    }

    pub(crate) fn offer_type(&self, offer_type: OfferType, event_time: Timestamp) -> Option<&OfferTypeRow> {
        self.offer_types.get(&offer_type).filter(|row| row.dates.include(event_time))
    }

    pub(crate) fn storefront(&self, storefront: Storefront, event_time: Timestamp) -> Option<&StorefrontRow> {
        self.storefronts.get(&storefront).filter(|row| row.dates.include(event_time))
    }

    pub(super) fn read<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>) -> Self {
        let sources = tokens(reader, root, "source", keys::SOURCE, source_row);
        let actions = tokens(reader, root, "action", keys::ACTION, action_row);
        let storefronts = keyed(reader, root, "storefront", keys::STOREFRONT, storefront_row);
        let mut left_out = BTreeMap::new();
        let offer_types = keyed(reader, root, "offer_type", keys::OFFER_TYPE, |reader, section| {
            offer_type_row(reader, section, &storefronts, &mut left_out)
        });
        for (at, sold) in left_out {
            let message = format!("listings leaves out what is still sold there: {}", some_of(&sold));
            reader.tell(at, "invalid_value", message, "add it, or remove or replace those offer types too");
        }
        let whole = Self { sources, actions, offer_types, storefronts };
        whole.check_pairs(reader, root);
        whole
    }

    /// The sources that action rows name must be there.
    fn check_pairs<'a>(&self, reader: &mut Reader<'a>, root: &'a DeTable<'a>) {
        let Some(actions) = root.get("action").and_then(|value| value.get_ref().as_table()) else { return };
        let lists = actions.iter().flat_map(|(code, row)| {
            let lists = ["impossible_with", "undocumented_with"].into_iter().filter_map(|key| row.get_ref().get(key)?.get_ref().as_array());
            lists.map(move |list| (code.get_ref(), list))
        });
        for (code, value) in lists.flat_map(|(code, list)| list.iter().map(move |value| (code, value))) {
            let Some(text) = value.get_ref().as_str() else { continue };
            let is_known = Storefront::from_name(text).is_some() || self.sources.contains_key(&*fold(text));
            if is_known || reader.is_known_to_lack("source", (text, value.span().start), &format!("action.{code:?}")) {
                continue;
            }
            let tokens = root.get("source").and_then(|value| value.get_ref().as_table());
            let known = tokens.into_iter().flat_map(DeTable::keys).map(|key| key.get_ref().as_ref());
            let known = known.chain(Storefront::ALL.iter().map(|storefront| storefront.name()));
            let message = format!("{text:?} is neither a storefront nor a token of [source]");
            let hint = reader.hint(text, known);
            reader.tell(value.span().start, "unknown_name", message, hint);
        }
    }
}

/// The rows of a table whose keys are tokens.
fn tokens<'a, Row>(
    reader: &mut Reader<'a>,
    root: &'a DeTable<'a>,
    name: &str,
    known: &'static [Key],
    read: impl Fn(&mut Reader<'a>, &Section<'a>) -> Option<Row>,
) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let Some(table) = table(reader, root, name) else { return rows };
    // In the order of the file, so that it is the later of two like tokens that is told.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let token = key.get_ref().as_ref();
        let folded = fold(token).into_owned();
        // LeadSource is cut there.
        let is_cut = name == "source" && token.contains('|');
        if folded.is_empty() || is_cut {
            reader.tell(
                key.span().start,
                "invalid_value",
                format!("{token:?} is no token"),
                "name it as it stands in LeadSource or ActionCode",
            );
            continue;
        }
        if let Some(first) = seen.get(&folded) {
            let message = format!("the {name} token {token:?} compares like {first:?}");
            let hint = "tokens compare without case, blanks and round brackets; keep one of the two";
            reader.tell(key.span().start, "duplicate_token", message, hint);
            continue;
        }
        seen.insert(folded.clone(), token);
        if let Some(section) = reader.section(format!("{name}.{token:?}"), value, known)
            && let Some(row) = read(reader, &section)
        {
            rows.insert(folded, row);
        }
    }
    rows
}

/// The rows of a table whose keys are words of a closed list.
fn keyed<'a, Word: Vocabulary + Ord, Row>(
    reader: &mut Reader<'a>,
    root: &'a DeTable<'a>,
    name: &str,
    known: &'static [Key],
    mut read: impl FnMut(&mut Reader<'a>, &Section<'a>) -> Option<Row>,
) -> BTreeMap<Word, Row> {
    let mut rows = BTreeMap::new();
    let Some(table) = table(reader, root, name) else { return rows };
    for (key, value) in table {
        let written = key.get_ref().as_ref();
        let Some(word) = Word::from_name(written) else {
            reader.not_a_word::<Word>(key.span().start, written, name);
            continue;
        };
        if let Some(section) = reader.section(format!("{name}.{written}"), value, known)
            && let Some(row) = read(reader, &section)
        {
            rows.insert(word, row);
        }
    }
    rows
}

/// The table of this name, if it is one.
pub(super) fn table<'a>(reader: &mut Reader<'a>, root: &'a DeTable<'a>, name: &str) -> Option<&'a DeTable<'a>> {
    let value: Written<'a> = root.get(name)?;
    let table = value.get_ref().as_table();
    if table.is_none() {
        reader.no_table(value, name);
    }
    table
}

/// A storefront that is known; `UNKNOWN` is as good as nothing.
fn storefront<'a>(reader: &mut Reader<'a>, section: &Section<'a>, key: &str) -> Option<Storefront> {
    section.word(reader, key).filter(|storefront| *storefront != Storefront::Unknown)
}

// A row is asked only to fill its own problems in; on any of them the ruleset is refused, so defaults may stand in.
#[expect(clippy::unnecessary_wraps, reason = "the same shape as the other rows")]
fn source_row<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<SourceRow> {
    let channel = section.word(reader, "channel").unwrap_or(Channel::Unknown);
    let storefront = storefront(reader, section, "storefront");
    Some(SourceRow { storefront, channel, dates: EffectiveDates::read(reader, section) })
}

fn action_row<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<ActionRow> {
    let action = section.required(reader, "action", "\"CONTACT_ME\"");
    let action = action.and_then(|value| reader.word_of(value, "action"));
    let stage = section.word(reader, "stage").unwrap_or(Stage::Unknown);
    let mut stage_by_listing_option = Vec::new();
    if let Some(table) = section.get("stage_by_listing_option") {
        match table.get_ref().as_table() {
            Some(table) => {
                for (key, value) in table {
                    match ListingOption::from_name(key.get_ref()) {
                        Some(option) => {
                            stage_by_listing_option.extend(reader.word_of(value, "stage").map(|stage| (option, stage)));
                        }
                        None => reader.not_a_word::<ListingOption>(key.span().start, key.get_ref(), "listing_option"),
                    }
                }
            }
            None => reader.wrong_type(table, "stage_by_listing_option", "a table", "write { transact = \"ACTIVE\" }"),
        }
    }
    Some(ActionRow {
        storefront_if_unknown: storefront(reader, section, "storefront_if_unknown"),
        impossible_with: pairs(reader, section, "impossible_with"),
        undocumented_with: pairs(reader, section, "undocumented_with"),
        dates: EffectiveDates::read(reader, section),
        action: action?,
        stage,
        stage_by_listing_option,
    })
}

fn pairs<'a>(reader: &mut Reader<'a>, section: &Section<'a>, key: &str) -> Pairs {
    let mut pairs = Pairs::default();
    let Some(list) = section.get(key).and_then(|value| reader.list_of(value, key)) else { return pairs };
    for value in list {
        let Some(text) = reader.text_of(value, key) else { continue };
        match Storefront::from_name(text) {
            Some(storefront) => pairs.storefronts.push(storefront),
            None => pairs.tokens.push(fold(text).into_owned()),
        }
    }
    pairs
}

#[expect(clippy::unnecessary_wraps, reason = "the same shape as the other rows")]
fn storefront_row<'a>(reader: &mut Reader<'a>, section: &Section<'a>) -> Option<StorefrontRow> {
    let campaign = section.word(reader, "campaign").unwrap_or(Campaign::Unclassified);
    let audience = section.word(reader, "audience").unwrap_or(Audience::Unknown);
    let listings = section.words(reader, "listings");
    let mut follow_up: Vec<(String, usize)> = Vec::new();
    let mut named = BTreeSet::new();
    let list = section.get("follow_up").and_then(|value| reader.list_of(value, "follow_up"));
    for value in list.unwrap_or_default() {
        let Some(destination) = reader.name_of(value, "destination") else { continue };
        if !named.insert(destination) {
            let message = format!("{destination:?} is named twice");
            reader.tell(value.span().start, "duplicate_id", message, "a lead has at most one event a destination; name it once");
            continue;
        }
        follow_up.push((destination.to_owned(), value.span().start));
    }
    let clock = section.name(reader, "clock").map(|clock| (clock.to_owned(), section.place("clock")));
    let dates = EffectiveDates::read(reader, section);
    Some(StorefrontRow { campaign, audience, listings, listings_at: section.place("listings"), follow_up, clock, dates })
}

/// What is sold in a storefront whose outer `listings` leave it out goes to `left_out`, by the byte those are written at.
fn offer_type_row<'a>(
    reader: &mut Reader<'a>,
    section: &Section<'a>,
    rows: &BTreeMap<Storefront, StorefrontRow>,
    left_out: &mut BTreeMap<usize, Vec<String>>,
) -> Option<OfferTypeRow> {
    section.required(reader, "storefronts", "[\"APP_SOURCE\"]")?;
    let storefronts: Vec<Storefront> = section.words(reader, "storefronts");
    let listing = section.word(reader, "listing").unwrap_or(Listing::Unknown);
    let lists = |storefront: &Storefront| rows.get(storefront).is_none_or(|row| row.listings.is_empty() || row.listings.contains(&listing));
    if listing != Listing::Unknown && !storefronts.is_empty() && !storefronts.iter().any(lists) {
        let at = section.place("listing");
        let outermost = storefronts.iter().filter_map(|storefront| rows.get(storefront)).map(|row| row.listings_at).min();
        if let Some(outer) = outermost.filter(|outer| *outer < at && !reader.are_in_one_file(*outer, at)) {
            left_out.entry(outer).or_default().push(format!("{} as {:?}", section.name, listing.name()));
        } else {
            let message = format!("{:?} is in no `listings` of the storefronts it is sold in", listing.name());
            reader.tell(at, "invalid_value", message, "add it to [storefront.X] listings, or name another listing");
        }
    }
    Some(OfferTypeRow { storefronts, listing, dates: EffectiveDates::read(reader, section) })
}
