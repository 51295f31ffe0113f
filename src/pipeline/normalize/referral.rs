//! What a referral says to what it means: its origin, its state, its deal, and when its offer runs out (facts.md §1.8, §4).
//! Words compare without case, and are written as Microsoft's pages do.

use std::borrow::Cow;

use crate::{
    lead::{Origin, Referral, Timestamp},
    pipeline::decode::RawReferral,
};

use super::{
    text::{Cleaner, Text},
    time,
};

/// How long an offer stands that says nothing of its end: 14 days (readings Q21), in microseconds.
const ACCEPT_WINDOW: i64 = 14 * 86_400 * 1_000_000;

/// The words of status and substatus (facts.md §4.3).
const STATES: [&str; 14] = [
    "None", "New", "Active", "Closed", "Pending", "Received", "Accepted", "Won", "Lost", "Declined", "Expired", "Error", "Missed",
    "Archived",
];

/// A referral, sorted out.
pub(super) struct Read<'a> {
    pub(super) origin: Origin,
    pub(super) referral: Referral<'a>,
    /// Its own id.
    pub(super) id: Option<Text<'a>>,
    /// Refused as a test (facts.md §1.10, error reason 7).
    pub(super) is_test: bool,
    /// What has no place after all, by path.
    pub(super) unread: Vec<(&'static str, Text<'a>)>,
}

/// Reads a referral that was made at `created`.
pub(super) fn read<'a>(raw: RawReferral<'a>, created: Option<Timestamp>, cleaner: &mut Cleaner) -> Read<'a> {
    let mut unread = Vec::new();
    let mut line = |field: Option<Text<'a>>| field.and_then(|text| cleaner.line(text));
    let origin = origin(line(raw.kind).as_deref(), line(raw.qualification).as_deref());
    let [status, substatus] = [raw.status, raw.substatus].map(|state| line(state).map(state_word));
    let [status_reason, expires, deal_value, deal_currency] =
        [raw.status_reason, raw.expires, raw.deal_value, raw.deal_currency].map(&mut line);

    let mut expires_at = None;
    if let Some(text) = expires {
        expires_at = time::parse(&text);
        if expires_at.is_none() {
            unread.push(("expirationDateTime", text));
        }
    } else if status.as_deref() == Some("New") && matches!(substatus.as_deref(), Some("Received" | "Pending")) {
        expires_at = created.map(|created| created.plus_micros(ACCEPT_WINDOW));
    }
    let mut value = None;
    if let Some(text) = deal_value {
        value = text.parse().ok().filter(|value: &f64| value.is_finite());
        if value.is_none() {
            unread.push(("details.dealValue", text));
        }
    }
    let refused = substatus.as_deref() == Some("Error");
    let test = |reason: &str| reason == "7" || reason.eq_ignore_ascii_case("test referral");
    Read {
        origin,
        is_test: refused && status_reason.as_deref().is_some_and(test),
        id: line(raw.id),
        referral: Referral { status, substatus, expires_at, deal_value: value, deal_currency },
        unread,
    }
}

/// Shared with Microsoft or another partner: co-sell; else by who has qualified it (readings Q5, facts.md §4.1).
fn origin(kind: Option<&str>, qualification: Option<&str>) -> Origin {
    let is = |text: Option<&str>, word: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(word));
    if is(kind, "Shared") {
        return Origin::CoSell;
    }
    if kind.is_some() && !is(kind, "Independent") {
        return Origin::Unknown;
    }
    if is(qualification, "Direct") {
        Origin::PartnerCenterDirect
    } else if is(qualification, "MarketingQualified") {
        Origin::MicrosoftMarketingQualified
    } else if is(qualification, "SalesQualified") {
        Origin::MicrosoftSalesQualified
    } else {
        Origin::Unknown
    }
}

fn state_word(text: Text<'_>) -> Text<'_> {
    match STATES.iter().find(|word| text.eq_ignore_ascii_case(word)) {
        Some(word) => Cow::Borrowed(word),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_told_by_type_and_qualification() {
        for (kind, qualification, wanted) in [
            (Some("Shared"), Some("SalesQualified"), Origin::CoSell),
            (Some("shared"), None, Origin::CoSell),
            (Some("Independent"), Some("Direct"), Origin::PartnerCenterDirect),
            (None, Some("direct"), Origin::PartnerCenterDirect),
            (Some("Independent"), Some("MarketingQualified"), Origin::MicrosoftMarketingQualified),
            (Some("Independent"), Some("SalesQualified"), Origin::MicrosoftSalesQualified),
            (Some("Independent"), Some("None"), Origin::Unknown),
            (Some("Other"), Some("Direct"), Origin::Unknown),
            (None, None, Origin::Unknown),
        ] {
            assert_eq!(origin(kind, qualification), wanted, "{kind:?} {qualification:?}");
        }
    }

    #[test]
    fn an_offer_without_an_end_stands_for_fourteen_days_while_it_is_new() {
        let created = Timestamp::parse("2026-03-01T10:00:00Z");
        let of = |status: &'static str, substatus: &'static str, expires: Option<&'static str>| {
            let raw = RawReferral {
                status: Some(status.into()),
                substatus: Some(substatus.into()),
                expires: expires.map(Cow::Borrowed),
                ..RawReferral::default()
            };
            read(raw, created, &mut Cleaner::new(100)).referral.expires_at.map(|at| at.to_string())
        };
        assert_eq!(of("new", "RECEIVED", None).as_deref(), Some("2026-03-15T10:00:00.000000Z"));
        assert_eq!(of("New", "Pending", Some("")).as_deref(), Some("2026-03-15T10:00:00.000000Z"));
        assert_eq!(of("New", "Received", Some("2026-03-09T00:00:00Z")).as_deref(), Some("2026-03-09T00:00:00.000000Z"));
        assert_eq!(of("Active", "Accepted", None), None);
        assert_eq!(of("New", "SomethingNew", None), None);
        assert_eq!(of("New", "Received", Some("soon")), None);
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        let raw = RawReferral { deal_value: Some("50 000 USD".into()), ..RawReferral::default() };
        let read = super::read(raw, None, &mut Cleaner::new(100));
        assert_eq!((read.referral.deal_value, read.unread), (None, vec![("details.dealValue", Cow::Borrowed("50 000 USD"))]));
    }
}
