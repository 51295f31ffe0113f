//! One raw lead: the text of its fields as received, whatever the shape it came in, and how a shape's reader fills it within
//! the limits. What the text means is `normalize`'s.

use std::borrow::Cow;

use crate::lead::Format;

use super::{Limits, json_text};

/// Text, borrowed from the record where it stands there as it is.
pub(in crate::pipeline) type Text<'a> = Cow<'a, str>;

/// One raw lead: text as received (escapes resolved, nothing trimmed), `None` where the key is absent.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct RawLead<'a> {
    pub(in crate::pipeline) format: Format,
    /// Place in its record, from 0.
    pub(in crate::pipeline) index: u32,
    pub(in crate::pipeline) first_name: Option<Text<'a>>,
    pub(in crate::pipeline) last_name: Option<Text<'a>>,
    pub(in crate::pipeline) email: Option<Text<'a>>,
    pub(in crate::pipeline) phone: Option<Text<'a>>,
    /// Taken where there is no `phone`.
    pub(in crate::pipeline) mobile: Option<Text<'a>>,
    pub(in crate::pipeline) country: Option<Text<'a>>,
    pub(in crate::pipeline) company: Option<Text<'a>>,
    pub(in crate::pipeline) title: Option<Text<'a>>,
    pub(in crate::pipeline) lead_source: Option<Text<'a>>,
    pub(in crate::pipeline) action_code: Option<Text<'a>>,
    pub(in crate::pipeline) offer_title: Option<Text<'a>>,
    /// An id of the offer beside `LeadSource`: `ProductId` of a table row, `offerId` of a referral.
    pub(in crate::pipeline) product_id: Option<Text<'a>>,
    /// Several things, told apart by `normalize` (readings Q23).
    pub(in crate::pipeline) description: Option<Text<'a>>,
    /// The customer's own words for sure, where the shape has a field for them.
    pub(in crate::pipeline) notes: Option<Text<'a>>,
    /// Id of the publisher's own marketing campaign.
    pub(in crate::pipeline) campaign_id: Option<Text<'a>>,
    /// When it happened, by key, the most trusted first.
    pub(in crate::pipeline) times: Vec<(&'static str, Text<'a>)>,
    pub(in crate::pipeline) consent_contact: Option<Text<'a>>,
    pub(in crate::pipeline) consent_share: Option<Text<'a>>,
    pub(in crate::pipeline) opted_out: Option<Text<'a>>,
    pub(in crate::pipeline) is_spam: Option<Text<'a>>,
    pub(in crate::pipeline) referral: Option<Box<RawReferral<'a>>>,
    /// Name of the webhook's event.
    pub(in crate::pipeline) event_name: Option<Text<'a>>,
    /// Campaign parameters that came as keys of their own.
    pub(in crate::pipeline) attribution: Vec<(Text<'a>, Text<'a>)>,
    /// Unknown keys with their values as compact JSON, in order of appearance.
    pub(in crate::pipeline) extra: Vec<(Text<'a>, Text<'a>)>,
    /// A key came twice, with different values.
    pub(in crate::pipeline) duplicate_key: bool,
    /// Something did not fit the limits and was left out.
    pub(in crate::pipeline) truncated: bool,
}

/// What only a referral tells (facts.md §1.8), as received.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct RawReferral<'a> {
    pub(in crate::pipeline) id: Option<Text<'a>>,
    pub(in crate::pipeline) kind: Option<Text<'a>>,
    pub(in crate::pipeline) qualification: Option<Text<'a>>,
    pub(in crate::pipeline) status: Option<Text<'a>>,
    pub(in crate::pipeline) substatus: Option<Text<'a>>,
    pub(in crate::pipeline) status_reason: Option<Text<'a>>,
    pub(in crate::pipeline) expires: Option<Text<'a>>,
    pub(in crate::pipeline) deal_value: Option<Text<'a>>,
    pub(in crate::pipeline) deal_currency: Option<Text<'a>>,
}

/// Where a text goes.
pub(super) type Place<'a> = for<'r> fn(&'r mut RawLead<'a>) -> &'r mut Option<Text<'a>>;

/// Fills one raw lead within the limits.
pub(super) struct Filler<'a, 'l> {
    pub(super) lead: RawLead<'a>,
    limits: &'l Limits,
    extra_bytes: usize,
}

impl<'a, 'l> Filler<'a, 'l> {
    pub(super) fn new(format: Format, index: u32, limits: &'l Limits) -> Self {
        Self { lead: RawLead { format, index, ..RawLead::default() }, limits, extra_bytes: 0 }
    }

    /// Puts the JSON value of `key` where it belongs: a scalar's text into the field, an object or array beside the lead.
    pub(super) fn value(&mut self, place: Place<'a>, key: Text<'a>, json: Text<'a>) {
        match scalar(json) {
            Ok(text) => self.text(place, text),
            Err(json) => self.keep(key, json),
        }
    }

    /// Puts a text into a field. The first that is not blank is taken; a second one that differs leaves a mark (readings Q1).
    pub(super) fn text(&mut self, place: Place<'a>, text: Text<'a>) {
        let field = place(&mut self.lead);
        let differs = match field {
            None => {
                *field = Some(text);
                return;
            }
            Some(first) => {
                let differs = *first != text;
                if differs && first.trim().is_empty() {
                    *first = text;
                }
                differs
            }
        };
        self.lead.duplicate_key |= differs;
    }

    /// Remembers a time the record tells of itself.
    pub(super) fn time(&mut self, key: &'static str, json: Text<'a>) {
        match scalar(json) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => match self.lead.times.iter().find(|(known, _)| *known == key) {
                Some((_, first)) => self.lead.duplicate_key |= *first != text,
                None => self.lead.times.push((key, text)),
            },
            Err(json) => self.keep(Cow::Borrowed(key), json),
        }
    }

    /// Keeps a JSON value that has no place in a lead, within the limits.
    pub(super) fn keep(&mut self, key: Text<'a>, json: Text<'a>) {
        let value = match json {
            Cow::Borrowed(json) => json_text::compact(json),
            Cow::Owned(json) => Cow::Owned(json_text::compact(&json).into_owned()),
        };
        let bytes = key.len() + value.len();
        if value.len() > self.limits.field_bytes || self.extra_bytes + bytes > self.limits.extra_bytes {
            self.lead.truncated = true;
            return;
        }
        self.extra_bytes += bytes;
        let name = key.rsplit('.').next().unwrap_or_default();
        if is_campaign_parameter(name) && !value.starts_with(['{', '[']) {
            // In one case, so that a rule can name them.
            let name = Cow::Owned(name.to_ascii_lowercase());
            let text = scalar(value).unwrap_or_default();
            if !text.trim().is_empty() {
                self.lead.attribution.push((name, text));
            }
            return;
        }
        if self.lead.extra.is_empty() {
            // A row of a table or a CRM has several.
            self.lead.extra.reserve(8);
        }
        self.lead.extra.push((key, value));
    }

    /// Keeps a value of a shape that writes all its keys, filled or not: those that are not are left out.
    pub(super) fn keep_filled(&mut self, key: Text<'a>, json: Text<'a>) {
        if is_filled(&json) {
            self.keep(key, json);
        }
    }

    /// Keeps a text that has no place in a lead.
    pub(super) fn keep_text(&mut self, key: Text<'a>, text: &str) {
        self.keep(key, Cow::Owned(json_text::quote(text)));
    }

    /// The lead, with the mobile number as its phone where there is no other.
    pub(super) fn done(mut self) -> RawLead<'a> {
        let blank = |field: &Option<Text<'a>>| field.as_deref().is_none_or(|text| text.trim().is_empty());
        if !blank(&self.lead.mobile) {
            if blank(&self.lead.phone) {
                self.lead.phone = self.lead.mobile.take();
            } else if let Some(mobile) = self.lead.mobile.take() {
                self.keep_text(Cow::Borrowed("mobile"), &mobile);
            }
        }
        self.lead
    }
}

/// Whether a JSON value says anything.
pub(super) fn is_filled(json: &str) -> bool {
    !matches!(json, "null" | "\"\"" | "[]" | "{}")
}

/// Whether a key is one of those that marketing hangs on a product's URL (readings Q23).
pub(in crate::pipeline) fn is_campaign_parameter(key: &str) -> bool {
    key.eq_ignore_ascii_case("mktcmpid") || key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("utm_"))
}

/// The text of a JSON scalar; the value itself where it is an object or array.
pub(super) fn scalar(json: Text<'_>) -> Result<Text<'_>, Text<'_>> {
    match json {
        Cow::Borrowed(json) => json_text::scalar(json).ok_or(Cow::Borrowed(json)),
        Cow::Owned(json) => match json_text::scalar(&json) {
            Some(text) => Ok(Cow::Owned(text.into_owned())),
            None => Err(Cow::Owned(json)),
        },
    }
}

impl RawLead<'_> {
    /// The same lead, free of the memory it was read from.
    pub(super) fn into_owned(self) -> RawLead<'static> {
        fn own(text: Option<Text<'_>>) -> Option<Text<'static>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        let pair = |(key, value): (Text<'_>, Text<'_>)| (Cow::Owned(key.into_owned()), Cow::Owned(value.into_owned()));
        RawLead {
            format: self.format,
            index: self.index,
            first_name: own(self.first_name),
            last_name: own(self.last_name),
            email: own(self.email),
            phone: own(self.phone),
            mobile: own(self.mobile),
            country: own(self.country),
            company: own(self.company),
            title: own(self.title),
            lead_source: own(self.lead_source),
            action_code: own(self.action_code),
            offer_title: own(self.offer_title),
            product_id: own(self.product_id),
            description: own(self.description),
            notes: own(self.notes),
            campaign_id: own(self.campaign_id),
            times: self.times.into_iter().map(|(key, time)| (key, Cow::Owned(time.into_owned()))).collect(),
            consent_contact: own(self.consent_contact),
            consent_share: own(self.consent_share),
            opted_out: own(self.opted_out),
            is_spam: own(self.is_spam),
            referral: self.referral.map(|referral| {
                Box::new(RawReferral {
                    id: own(referral.id),
                    kind: own(referral.kind),
                    qualification: own(referral.qualification),
                    status: own(referral.status),
                    substatus: own(referral.substatus),
                    status_reason: own(referral.status_reason),
                    expires: own(referral.expires),
                    deal_value: own(referral.deal_value),
                    deal_currency: own(referral.deal_currency),
                })
            }),
            event_name: own(self.event_name),
            attribution: self.attribution.into_iter().map(pair).collect(),
            extra: self.extra.into_iter().map(pair).collect(),
            duplicate_key: self.duplicate_key,
            truncated: self.truncated,
        }
    }
}
