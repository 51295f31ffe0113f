//! A made-up lead for tests of rules and of the stages that use them. No real person's data.

use std::sync::{Arc, LazyLock};

use crate::{
    lead::{
        Consent, ConsentFacts, Contact, EmailKind, Facts, Flags, Format, Identity, OfferFacts, Origin, Partition, Position, Region,
        Seniority, Timestamp,
    },
    tables::TableVersions,
};

static NO_TABLES: LazyLock<TableVersions> = LazyLock::new(TableVersions::new);

/// 2026-11-01T09:00:00Z.
pub(crate) fn noon() -> Timestamp {
    Timestamp::from_millis(1_793_523_600_000)
}

/// A storefront lead with a business address, and nothing else.
pub(crate) fn facts() -> Facts<'static> {
    let contact = Contact {
        first_name: Some("Jane".into()),
        last_name: Some("Doe".into()),
        email: Some("jane.doe@adatum-industries.example".into()),
        email_domain: Some("adatum-industries.example".into()),
        email_kind: EmailKind::Business,
        phone_raw: None,
        phone_e164: None,
        country: Some("FR"),
        country_raw: Some("France".into()),
        region: Region::Emea,
        company: Some("Adatum Industries".into()),
        title: None,
        seniority: Seniority::Unknown,
    };
    Facts {
        at: Position { partition: Partition { topic: Arc::from("leads.raw"), number: 3 }, offset: 42 },
        index: 0,
        format: Format::HttpsJson,
        received_at: noon(),
        event_time: noon(),
        lead_id: Identity::from_digest(&[7; 32]),
        person_key: None,
        origin: Origin::Storefront,
        source_raw: None,
        action_raw: None,
        contact,
        offer: OfferFacts::default(),
        account: None,
        consent: ConsentFacts { contact: Consent::Granted, share: Consent::Granted, marketing: Consent::Unknown },
        referral: None,
        is_test: false,
        is_spam: false,
        needs_hydration: false,
        suppressed_by: None,
        note: None,
        attribution: Vec::new(),
        extra: Vec::new(),
        flags: Flags::default(),
        tables: &NO_TABLES,
    }
}
