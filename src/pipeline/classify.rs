//! Facts to a kind of lead: which store, how, what was done, how far it went. What a token means is a row of the ruleset; the
//! order in which rows are asked, and what is flagged where they disagree, is decided here.

use crate::{
    lead::{
        Action, Audience, Campaign, Channel, Classified, Confidence, Consent, Facts, Flag, Flags, LeadSource, Listing, Origin, Stage,
        Storefront, Vocabulary, fold,
    },
    rules::{ActionRow, OfferTypeRow, Ruleset, SourceRow},
};

use super::Trace;

/// Classifies.
pub(super) fn classify(facts: &Facts<'_>, rules: &Ruleset, trace: &mut impl Trace) -> Classified {
    let tables = &rules.classification;
    let mut flags = Flags::default();
    let parts = facts.lead_source();
    let offer = facts.offer.row;
    let offer_type = offer.and_then(|row| row.offer_type).and_then(|of| tables.offer_types.get(&of));

    let token = fold(parts.source);
    let source = tables.sources.get(&*token);
    let chosen = action(facts, &parts, source, rules, &mut flags);
    let (storefront, confidence, because) = storefront(facts.origin, source, offer_type, chosen, &mut flags);

    let stated = source.and_then(|row| row.storefront);
    if let Some(row) = chosen {
        flags.set(Flag::ImpossiblePair, source.is_some() && row.impossible_with.contain(stated, &token));
        flags.set(Flag::UndocumentedPair, source.is_some() && row.undocumented_with.contain(stated, &token));
    }
    let sold_elsewhere =
        |stated| offer_type.is_some_and(|of: &OfferTypeRow| !of.storefronts.is_empty() && !of.storefronts.contains(&stated));
    flags.set(Flag::CatalogueMismatch, stated.is_some_and(sold_elsewhere));

    let is_storefront_lead = facts.origin == Origin::Storefront;
    let channel = match facts.origin {
        Origin::Storefront => source.map_or(Channel::Unknown, |row| row.channel),
        _ => Channel::PartnerCenter,
    };
    let row = tables.storefronts.get(&storefront);
    let action = chosen.map_or(Action::Unknown, |row| row.action);
    let mut consent = facts.consent;
    if action == Action::DoNotContact && consent.contact == Consent::Granted {
        // What was granted was granted to somebody else (facts.md §2.8).
        consent.contact = Consent::Unknown;
    }
    flags.set(Flag::ConsentUnknown, action == Action::DoNotContact && consent.contact == Consent::Unknown);

    trace.classified("storefront", storefront.name(), because);
    trace.classified("action", action.name(), if chosen.is_some() { "a row of the ruleset" } else { "no row of the ruleset" });
    flags.iter().for_each(|flag| trace.flag(flag));
    Classified {
        storefront,
        channel,
        campaign: row.filter(|_| is_storefront_lead).map_or(Campaign::Unclassified, |row| row.campaign),
        audience: row.map_or(Audience::Unknown, |row| row.audience),
        listing: offer_type.map_or(Listing::Unknown, |of| of.listing),
        action,
        stage: chosen.map_or(Stage::Unknown, |row| row.stage(offer.and_then(|row| row.listing_option))),
        confidence,
        consent,
        flags,
    }
}

/// The row of the action: `LeadSource` before `ActionCode`, but do-not-contact in either wins (readings Q6). A code that no
/// row knows tells no action, so the other place may. Flags what is unknown and what disagrees.
fn action<'r>(
    facts: &Facts<'_>,
    parts: &LeadSource<'_>,
    source: Option<&SourceRow>,
    rules: &'r Ruleset,
    flags: &mut Flags,
) -> Option<&'r ActionRow> {
    let actions = &rules.classification.actions;
    let (in_source, in_code) = (fold(parts.action), fold(facts.action_raw.as_deref().unwrap_or_default()));
    let (from_source, from_code) = (actions.get(&*in_source), actions.get(&*in_code));

    let parsed = source.is_some() || is_single_token(parts, from_source.is_some());
    if source.is_none() && !parts.is_empty() {
        flags.insert(if parsed { Flag::UnknownSource } else { Flag::UnparsedLeadSource });
    }
    // What stands after a hyphen in free text is no action code.
    let source_tells = from_source.is_some() || (parsed && !in_source.is_empty());
    let unknown_in_source = source_tells && from_source.is_none();
    let unknown_in_code = !in_code.is_empty() && from_code.is_none();
    flags.set(Flag::UnknownAction, unknown_in_source || unknown_in_code);
    let same = match (from_source, from_code) {
        (Some(left), Some(right)) => left.action == right.action,
        _ => in_source == in_code,
    };
    flags.set(Flag::ActionConflict, source_tells && !in_code.is_empty() && !same);

    match (from_source, from_code) {
        (Some(row), Some(code)) if code.action == Action::DoNotContact && row.action != Action::DoNotContact => Some(code),
        (row, code) => row.or(code),
    }
}

/// Whether the left part has the form `token` or `token-action`: no blanks, and no hyphen in the token unless what stands after
/// the last one is a known action.
fn is_single_token(parts: &LeadSource<'_>, action_is_known: bool) -> bool {
    !parts.source.is_empty() && !parts.left.contains(char::is_whitespace) && (action_is_known || !parts.source.contains('-'))
}

/// The store, how sure that is, and why: the source token; else the offer's type; else the action (contract, "Default
/// decisions"). Leads of other origins are no storefront leads: only what is stated counts.
fn storefront(
    origin: Origin,
    source: Option<&SourceRow>,
    offer_type: Option<&OfferTypeRow>,
    action: Option<&ActionRow>,
    flags: &mut Flags,
) -> (Storefront, Confidence, &'static str) {
    if let Some(stated) = source.and_then(|row| row.storefront) {
        return (stated, Confidence::High, "the source token states it");
    }
    if origin != Origin::Storefront {
        return (Storefront::Unknown, Confidence::Low, "it is no storefront lead");
    }
    let by_offer = offer_type.and_then(OfferTypeRow::only_storefront).map(|storefront| (storefront, "the offer's type is sold there only"));
    let by_action = action.and_then(|row| row.storefront_if_unknown).map(|storefront| (storefront, "the action is known there only"));
    if let Some((inferred, because)) = by_offer.or(by_action) {
        flags.insert(Flag::StorefrontInferred);
        return (inferred, Confidence::Medium, because);
    }
    flags.insert(Flag::StorefrontUnresolved);
    (Storefront::Unknown, Confidence::Low, "neither token, offer nor action tell it")
}
