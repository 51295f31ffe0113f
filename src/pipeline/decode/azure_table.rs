//! A row of the Azure table `MarketplaceLeads` (facts.md §1.2). The customer is JSON inside the string `CustomerInfo`; some
//! writers leave it an object, quote it twice, or give each of its keys a column. A value may come with its type beside it
//! (`{"_": …, "$": "Edm.String"}`, as SDKs write entities).

use std::borrow::Cow;

use crate::lead::Rejection;

use super::{
    https_json, json_text, malformed,
    object::{self, Member},
    raw_lead::{Filler, Place, Text},
};

/// The column that holds the customer.
const CUSTOMER_INFO: &str = "CustomerInfo";

/// How often a string may hold a string that holds the customer.
const QUOTED: usize = 3;

/// Fills a lead from the members of a row. `room` is how deep values may nest.
///
/// # Errors
/// `malformed_json` at `CustomerInfo`: its text is no JSON, so the customer cannot be read; `too_deep`, in it.
pub(super) fn fill<'a>(members: &mut Vec<Member<'a>>, room: usize, lead: &mut Filler<'a, '_>) -> Result<(), Rejection> {
    // The most trusted first: when the lead was made, when the row was written, and the day that the partition is.
    let mut times = [None, None, None];
    for (key, value) in members.drain(..) {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        let value = plain(value);
        if let Some(place) = field(&key).or_else(|| https_json::customer_field(&key)) {
            lead.value(place, key, Cow::Borrowed(value));
        } else if is(CUSTOMER_INFO) {
            customer_info(key, value, room, lead)?;
        } else if is("CreatedTime") {
            times[0] = Some(value);
        } else if is("Timestamp") {
            times[1] = Some(value);
        } else {
            if is("PartitionKey") {
                times[2] = Some(value);
            }
            // With the row's key beside it, a person finds the row again.
            lead.keep(key, Cow::Borrowed(value));
        }
    }
    for (name, value) in ["CreatedTime", "Timestamp", "PartitionKey"].into_iter().zip(times) {
        if let Some(value) = value {
            lead.time(name, Cow::Borrowed(value));
        }
    }
    Ok(())
}

fn field<'a>(key: &str) -> Option<Place<'a>> {
    let place: Place<'a> = match () {
        () if key.eq_ignore_ascii_case("OfferDisplayName") => |lead| &mut lead.offer_title,
        () if key.eq_ignore_ascii_case("ProductId") => |lead| &mut lead.product_id,
        () => return https_json::field(key),
    };
    Some(place)
}

/// The value itself, where it comes with its type.
fn plain(value: &str) -> &str {
    if !value.starts_with('{') {
        return value;
    }
    object::members(value).ok().filter(|members| members.len() <= 2).and_then(|members| object::find(&members, "_")).unwrap_or(value)
}

fn customer_info<'a>(key: Text<'a>, value: &'a str, room: usize, lead: &mut Filler<'a, '_>) -> Result<(), Rejection> {
    if let Some((members, others)) = object::one(value) {
        for (place, other) in others {
            lead.keep(Cow::Owned(format!("{key}[{place}]")), Cow::Borrowed(other));
        }
        https_json::customer(&key, members.into_iter().map(|(key, value)| (key, Cow::Borrowed(value))), lead);
        return Ok(());
    }
    let Some(mut text) = json_text::scalar(value) else {
        lead.keep(key, Cow::Borrowed(value));
        return Ok(());
    };
    for _ in 0..QUOTED {
        let inner = text.trim().trim_start_matches('\u{feff}');
        if inner.is_empty() {
            return Ok(());
        }
        if json_text::depth(inner) > room {
            return Err(super::too_deep_inside().at(CUSTOMER_INFO));
        }
        serde_json::from_str::<&serde_json::value::RawValue>(inner).map_err(|error| malformed(&error).at(CUSTOMER_INFO))?;
        if let Some((members, others)) = object::one(inner) {
            for (place, other) in others {
                lead.keep(Cow::Owned(format!("{key}[{place}]")), Cow::Owned(other.to_owned()));
            }
            https_json::customer_within(&key, value, members, lead);
            return Ok(());
        }
        match json_text::scalar(inner) {
            Some(deeper) if inner.starts_with('"') => text = Cow::Owned(deeper.into_owned()),
            _ => break,
        }
    }
    lead.keep(key, Cow::Borrowed(value));
    Ok(())
}
