//! Facts to a kind of lead: which store, how, what was done, how far it went. What a token means is a row of the ruleset; the
//! order in which rows are asked, and what is flagged where they disagree, is decided here.

use crate::{
    lead::{
        Action, Audience, Campaign, Channel, Classified, Confidence, Consent, Facts, Flag, Flags, LeadSource, Listing, Origin, SmallText,
        Stage, Storefront, Vocabulary, fold,
    },
    rules::{ActionRow, OfferTypeRow, Ruleset, SourceRow},
};

use super::Trace;

/// Classifies.
#[inline(never)] // A profile tells the stages apart.
pub(super) fn classify(facts: &Facts<'_>, rules: &Ruleset, trace: &mut impl Trace) -> Classified {
    let tables = &rules.classification;
    let mut flags = Flags::default();
    let parts = facts.lead_source();
    let offer = facts.offer.row;
    let offer_type = offer.and_then(|row| row.offer_type).and_then(|of| tables.offer_type(of, facts.event_time));

    let token = fold(parts.source);
    let token: &str = &token;
    let source = tables.source(token, facts.event_time);
    let told = action(facts, &parts, source, rules, &mut flags);
    let chosen = told.as_ref().map(|told| told.row);
    let (storefront, confidence, because) = storefront(facts.origin, source, offer_type, chosen, &mut flags);

    let stated = source.and_then(|row| row.storefront);
    if let Some(row) = chosen {
        flags.set(Flag::ImpossiblePair, source.is_some() && row.impossible_with.contain(stated, token));
        flags.set(Flag::UndocumentedPair, source.is_some() && row.undocumented_with.contain(stated, token));
    }
    let sold_elsewhere =
        |stated| offer_type.is_some_and(|of: &OfferTypeRow| !of.storefronts.is_empty() && !of.storefronts.contains(&stated));
    flags.set(Flag::CatalogueMismatch, stated.is_some_and(sold_elsewhere));

    flags.set(Flag::LateDelivery, facts.received_at > facts.event_time.plus_micros(rules.policy.late_after));

    let is_storefront_lead = facts.origin == Origin::Storefront;
    let channel = match facts.origin {
        Origin::Storefront => source.map_or(Channel::Unknown, |row| row.channel),
        _ => Channel::PartnerCenter,
    };
    let row = tables.storefront(storefront, facts.event_time);
    let action = chosen.map_or(Action::Unknown, |row| row.action);
    let mut consent = facts.consent;
    if action == Action::DoNotContact && consent.contact == Consent::Granted {
        // What was granted was granted to somebody else (facts.md §2.8).
        consent.contact = Consent::Unknown;
    }
    flags.set(Flag::ConsentUnknown, action == Action::DoNotContact && consent.contact == Consent::Unknown);

    let class = Classified {
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
    };
    if source.is_some() {
        trace.row("source", token);
    }
    if let Some(told) = &told {
        trace.row("action", &told.code);
    }
    if let (Some(of), Some(_)) = (offer.and_then(|row| row.offer_type), offer_type) {
        trace.row("offer_type", of.name());
    }
    if row.is_some() {
        trace.row("storefront", storefront.name());
    }
    conclude(&class, facts, source.map(|_| parts.source), told.as_ref(), because, trace);
    class
}

/// Tells what was concluded, and why.
fn conclude(
    class: &Classified,
    facts: &Facts<'_>,
    known_source: Option<&str>,
    told: Option<&ToldAction<'_, '_>>,
    because: &str,
    trace: &mut impl Trace,
) {
    let storefront = class.storefront.name();
    // What no row knows may be anything, a name too: it is not told.
    let token = || match known_source {
        Some(token) => format!("source token {token:?}"),
        None if facts.lead_source().source.is_empty() => "there is no source token".to_owned(),
        None => "the ruleset has no such source token".to_owned(),
    };
    trace.classified("storefront", storefront, || format!("{because} ({}), confidence {}", token(), class.confidence.name()));
    let by_token = facts.origin == Origin::Storefront;
    trace.classified("channel", class.channel.name(), || if by_token { token() } else { "the lead came by Partner Center".to_owned() });
    let of_storefront = || format!("what the ruleset has for {storefront}");
    let no_campaign = || format!("a lead of origin {} belongs to no storefront's campaign", facts.origin.name());
    trace.classified("campaign", class.campaign.name(), || if by_token { of_storefront() } else { no_campaign() });
    trace.classified("audience", class.audience.name(), of_storefront);
    let row = facts.offer.row;
    if let Some(of) = row.and_then(|row| row.offer_type) {
        trace.classified("listing", class.listing.name(), || format!("the offers table has the offer as {}", of.name()));
    }
    trace.classified("action", class.action.name(), || match told {
        Some(told) => format!("{} says {:?}", told.place, told.written),
        None if class.flags.contains(Flag::UnknownAction) => "the ruleset has no such action".to_owned(),
        None => "neither LeadSource nor ActionCode names one".to_owned(),
    });
    let option = row.and_then(|row| row.listing_option);
    trace.classified("stage", class.stage.name(), || match option {
        Some(option) => format!("what the action says of an offer listed as {}", option.name()),
        None => "what the action says".to_owned(),
    });
    if class.consent.contact != facts.consent.contact {
        trace.classified("consent", class.consent.contact.name(), || "contact was granted to somebody else: this touch says so".to_owned());
    }
    class.flags.iter().for_each(|flag| trace.flag(flag));
}

/// The row of an action, and where it was named.
struct ToldAction<'r, 'c> {
    row: &'r ActionRow,
    /// `LeadSource` or `ActionCode`.
    place: &'static str,
    /// As it stands there.
    written: &'c str,
    /// As codes are compared.
    code: SmallText<'c>,
}

/// The row of the action: `LeadSource` before `ActionCode`, but do-not-contact in either wins (readings Q6). A code that no
/// row knows tells no action, so the other place may. Flags what is unknown and what disagrees.
fn action<'r, 'c>(
    facts: &'c Facts<'_>,
    parts: &LeadSource<'c>,
    source: Option<&SourceRow>,
    rules: &'r Ruleset,
    flags: &mut Flags,
) -> Option<ToldAction<'r, 'c>> {
    let row = |code: &str| rules.classification.action(code, facts.event_time);
    let action_code = facts.action_raw.as_deref().unwrap_or_default();
    let (in_source, in_code) = (fold(parts.action), fold(action_code));
    let (from_source, from_code) = (row(&in_source), row(&in_code));

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
        (Some(row), Some(code)) if code.action == Action::DoNotContact && row.action != Action::DoNotContact => {
            Some(ToldAction { row: code, place: "ActionCode", written: action_code, code: in_code })
        }
        (Some(row), _) => Some(ToldAction { row, place: "LeadSource", written: parts.action, code: in_source }),
        (None, code) => code.map(|row| ToldAction { row, place: "ActionCode", written: action_code, code: in_code }),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lead::{ListingOption, OfferType},
        pipeline::NoTrace,
        rules::sample,
        tables::Offer,
    };

    fn of(source: &str, code: &str, offer: Option<&Offer>) -> Classified {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let mut facts = sample::facts();
        facts.source_raw = (!source.is_empty()).then(|| source.into());
        facts.action_raw = (!code.is_empty()).then(|| code.into());
        facts.offer.row = offer;
        classify(&facts, &rules, &mut NoTrace)
    }

    /// `STOREFRONT CONFIDENCE CHANNEL ACTION flags…`
    fn line(class: &Classified) -> String {
        let names = [class.storefront.name(), class.confidence.name(), class.channel.name(), class.action.name()];
        names.into_iter().chain(class.flags.iter().map(Flag::name)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn source_and_action_tell_the_kind_of_lead() {
        for (source, code, wanted) in [
            // Every documented pair (facts.md §2.2, §2.3).
            ("SPZA-PLT|contoso.app", "", "APP_SOURCE HIGH WEB CONTACT_ME"),
            ("SPZA-INS", "", "APP_SOURCE HIGH WEB INSTALL"),
            ("AzureMarketplace-INS|a.b", "", "AZURE_MARKETPLACE HIGH WEB INSTALL"),
            ("AzurePortal-Create|my-publisher.x", "", "AZURE_MARKETPLACE HIGH AZURE_PORTAL CREATE"),
            ("AzureMarketplace-StartTestDrive", "", "AZURE_MARKETPLACE HIGH WEB START_TEST_DRIVE"),
            // Bare source, action beside it (facts.md §2.5).
            ("AzureMarketplace", "INS", "AZURE_MARKETPLACE HIGH WEB INSTALL"),
            ("AzureMarketplace-INS|", "INS", "AZURE_MARKETPLACE HIGH WEB INSTALL"),
            // Aliases, case, blanks (readings Q10).
            ("AppSource (SPZA)-PLT", "", "APP_SOURCE HIGH WEB CONTACT_ME"),
            ("appsource(spza)-plt", "", "APP_SOURCE HIGH WEB CONTACT_ME"),
            (" app source - p l t | x", "", "APP_SOURCE HIGH WEB CONTACT_ME"),
            // Two actions (readings Q6).
            ("SPZA-PLT", "INS", "APP_SOURCE HIGH WEB CONTACT_ME action_conflict"),
            ("SPZA-PLT", "plt", "APP_SOURCE HIGH WEB CONTACT_ME"),
            ("SPZA-DNC", "INS", "APP_SOURCE HIGH WEB DO_NOT_CONTACT action_conflict consent_unknown"),
            ("SPZA-INS", "DNC", "APP_SOURCE HIGH WEB DO_NOT_CONTACT action_conflict consent_unknown"),
            ("SPZA-Frob", "INS", "APP_SOURCE HIGH WEB INSTALL action_conflict unknown_action"),
            ("SPZA-INS", "Frob", "APP_SOURCE HIGH WEB INSTALL action_conflict unknown_action"),
            ("SPZA-Frob", "", "APP_SOURCE HIGH WEB UNKNOWN unknown_action"),
            ("SPZA", "", "APP_SOURCE HIGH WEB UNKNOWN"),
            // Pairs that the pages rule out or do not know (readings Q9).
            ("SPZA-Create", "", "APP_SOURCE HIGH WEB CREATE impossible_pair"),
            ("AzureMarketplace-PLT", "", "AZURE_MARKETPLACE HIGH WEB CONTACT_ME undocumented_pair"),
            ("AzurePortal-DNC", "", "AZURE_MARKETPLACE HIGH AZURE_PORTAL DO_NOT_CONTACT consent_unknown undocumented_pair"),
            ("AzureMarketplace-Create", "", "AZURE_MARKETPLACE HIGH WEB CREATE undocumented_pair"),
            // The action tells the store where the source does not.
            ("", "Create", "AZURE_MARKETPLACE MEDIUM UNKNOWN CREATE storefront_inferred"),
            ("", "PLT", "APP_SOURCE MEDIUM UNKNOWN CONTACT_ME storefront_inferred"),
            ("", "INS", "UNKNOWN LOW UNKNOWN INSTALL storefront_unresolved"),
            ("", "", "UNKNOWN LOW UNKNOWN UNKNOWN storefront_unresolved"),
            ("TestDrive-StartTestDrive|a.b", "", "UNKNOWN LOW TEST_DRIVE START_TEST_DRIVE storefront_unresolved"),
            // Unknown tokens and free text (readings Q14).
            ("MicrosoftMarketplace-INS|a.b", "", "UNKNOWN LOW UNKNOWN INSTALL storefront_unresolved unknown_source"),
            ("Microsoft-Marketplace-INS|a.b", "", "UNKNOWN LOW UNKNOWN INSTALL storefront_unresolved unknown_source"),
            ("MSFT_TEST_1-MSFT_TEST_1|My Offer", "", "UNKNOWN LOW UNKNOWN UNKNOWN storefront_unresolved unknown_action unknown_source"),
            ("Test run through MS Flow", "", "UNKNOWN LOW UNKNOWN UNKNOWN storefront_unresolved unparsed_lead_source"),
            ("Test run-through MS Flow", "INS", "UNKNOWN LOW UNKNOWN INSTALL storefront_unresolved unparsed_lead_source"),
            ("some web-form-x", "PLT", "APP_SOURCE MEDIUM UNKNOWN CONTACT_ME storefront_inferred unparsed_lead_source"),
            ("a-b-c|d", "", "UNKNOWN LOW UNKNOWN UNKNOWN storefront_unresolved unparsed_lead_source"),
            ("-INS|a.b", "", "UNKNOWN LOW UNKNOWN INSTALL storefront_unresolved unparsed_lead_source"),
            ("|a.b", "", "UNKNOWN LOW UNKNOWN UNKNOWN storefront_unresolved unparsed_lead_source"),
            ("Test run - DNC", "", "UNKNOWN LOW UNKNOWN DO_NOT_CONTACT consent_unknown storefront_unresolved unparsed_lead_source"),
        ] {
            assert_eq!(line(&of(source, code, None)), wanted, "{source:?} {code:?}");
        }
    }

    #[test]
    fn the_offers_type_tells_the_store_and_the_listing() {
        let row = |offer_type| Offer { offer_type: Some(offer_type), ..Default::default() };
        for (source, offer_type, wanted, listing) in [
            (
                "TestDrive-StartTestDrive",
                OfferType::VirtualMachine,
                "AZURE_MARKETPLACE MEDIUM TEST_DRIVE START_TEST_DRIVE storefront_inferred",
                Listing::Technology,
            ),
            (
                "TestDrive-StartTestDrive",
                OfferType::Dynamics365,
                "APP_SOURCE MEDIUM TEST_DRIVE START_TEST_DRIVE storefront_inferred",
                Listing::App,
            ),
            ("TestDrive-StartTestDrive", OfferType::Saas, "UNKNOWN LOW TEST_DRIVE START_TEST_DRIVE storefront_unresolved", Listing::App),
            (
                "MicrosoftMarketplace-INS",
                OfferType::ManagedService,
                "AZURE_MARKETPLACE MEDIUM UNKNOWN INSTALL storefront_inferred unknown_source",
                Listing::Offer,
            ),
            // The offer before the action.
            (
                "TestDrive-PLT",
                OfferType::Container,
                "AZURE_MARKETPLACE MEDIUM TEST_DRIVE CONTACT_ME storefront_inferred",
                Listing::Technology,
            ),
            // Sold in both: the token decides (readings Q17).
            (
                "AzureMarketplace-PLT",
                OfferType::ConsultingService,
                "AZURE_MARKETPLACE HIGH WEB CONTACT_ME undocumented_pair",
                Listing::ConsultingService,
            ),
            ("SPZA-INS", OfferType::Saas, "APP_SOURCE HIGH WEB INSTALL", Listing::App),
            ("SPZA-INS", OfferType::VirtualMachine, "APP_SOURCE HIGH WEB INSTALL catalogue_mismatch", Listing::Technology),
            ("AzurePortal-Create", OfferType::PowerPlatform, "AZURE_MARKETPLACE HIGH AZURE_PORTAL CREATE catalogue_mismatch", Listing::App),
        ] {
            let class = of(source, "", Some(&row(offer_type)));
            assert_eq!((line(&class).as_str(), class.listing), (wanted, listing), "{source} {offer_type:?}");
        }
        assert_eq!(of("SPZA-INS", "", Some(&Offer::default())).listing, Listing::Unknown);
    }

    #[test]
    fn the_stage_follows_from_the_action_and_the_listing_option() {
        let stage = |code: &str, listing_option| of("", code, Some(&Offer { listing_option, ..Default::default() })).stage;
        assert_eq!(of("SPZA-INS", "", None).stage, Stage::Active);
        for (code, option, wanted) in [
            ("INS", None, Stage::Active),
            ("INS", Some(ListingOption::Transact), Stage::Active),
            ("INS", Some(ListingOption::GetItNow), Stage::Active),
            ("INS", Some(ListingOption::List), Stage::InitialInterest),
            ("INS", Some(ListingOption::ContactMe), Stage::InitialInterest),
            ("INS", Some(ListingOption::FreeTrial), Stage::Trial),
            ("PLT", Some(ListingOption::Transact), Stage::InitialInterest),
            ("PLT", Some(ListingOption::FreeTrial), Stage::Trial),
            ("Create", Some(ListingOption::List), Stage::Active),
            ("StartTestDrive", None, Stage::Trial),
            ("DNC", Some(ListingOption::FreeTrial), Stage::Informational),
            ("", Some(ListingOption::Transact), Stage::Unknown),
        ] {
            assert_eq!(stage(code, option), wanted, "{code} {option:?}");
        }
    }

    #[test]
    fn campaign_and_audience_are_the_storefronts() {
        let of = |source| {
            let class = of(source, "", None);
            (class.campaign, class.audience)
        };
        assert_eq!(of("SPZA-PLT"), (Campaign::Nurture, Audience::BusinessCustomers));
        assert_eq!(of("AzurePortal-Create"), (Campaign::DemandGeneration, Audience::AllCustomers));
        assert_eq!(of("x"), (Campaign::Unclassified, Audience::Unknown));
    }

    #[test]
    fn a_lead_of_another_origin_is_no_storefront_lead() {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        for origin in Origin::ALL.iter().copied().filter(|origin| *origin != Origin::Storefront) {
            let mut facts = sample::facts();
            facts.origin = origin;
            facts.action_raw = Some("Create".into());
            let class = classify(&facts, &rules, &mut NoTrace);
            assert_eq!(
                (line(&class).as_str(), class.campaign),
                ("UNKNOWN LOW PARTNER_CENTER CREATE", Campaign::Unclassified),
                "{origin:?}"
            );
            facts.source_raw = Some("SPZA".into());
            let class = classify(&facts, &rules, &mut NoTrace);
            assert_eq!((class.storefront, class.campaign), (Storefront::AppSource, Campaign::Unclassified), "{origin:?}");
        }
    }

    #[test]
    fn do_not_contact_takes_back_only_what_was_granted() {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let mut facts = sample::facts();
        facts.source_raw = Some("SPZA-DNC".into());
        assert_eq!(classify(&facts, &rules, &mut NoTrace).consent.contact, Consent::Unknown);
        facts.consent.contact = Consent::Denied;
        let class = classify(&facts, &rules, &mut NoTrace);
        assert_eq!((class.consent.contact, class.flags.contains(Flag::ConsentUnknown)), (Consent::Denied, false));
    }
}
