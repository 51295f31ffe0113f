//! The `Referral` resource of Partner Center's Referrals API (facts.md §1.8). Objects may come as arrays and arrays as objects
//! (readings Q28). What has no field of its own is kept under its path.

use std::borrow::Cow;

use super::{
    json_text,
    object::{self, Member},
    raw_lead::{Filler, Place, RawReferral, Text},
};

/// Fills a lead from the members of a referral.
pub(super) fn fill<'a>(members: Vec<Member<'a>>, lead: &mut Filler<'a, '_>) {
    lead.lead.referral = Some(Box::default());
    for (key, value) in members {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("customerProfile") {
            inside(&key, value, lead, customer);
        } else if is("consent") {
            inside_all(&key, value, lead, consent);
        } else if is("details") {
            inside(&key, value, lead, details);
        } else if is("createdDateTime") {
            lead.time("createdDateTime", Cow::Borrowed(value));
        } else if let Some(place) = own_field(&key) {
            put(place, &key, value, lead);
        } else if let Some(place) = field(&key) {
            lead.value(place, key, Cow::Borrowed(value));
        } else if !is("@odata.context") {
            lead.keep_filled(key, Cow::Borrowed(value));
        }
    }
}

/// What is done with a member: its path, its key, its value.
type Each<'a, 'l> = fn(Text<'a>, &str, &'a str, &mut Filler<'a, 'l>);

/// Hands each member of an object to `each`, with its path. Of several objects it is the first: two must not become one; the
/// others, and what is no object, are kept as they are.
fn inside<'a, 'l>(parent: &Text<'a>, value: &'a str, lead: &mut Filler<'a, 'l>, each: Each<'a, 'l>) {
    let Some((members, others)) = object::one(value) else {
        lead.keep_filled(parent.clone(), Cow::Borrowed(value));
        return;
    };
    for (key, value) in members {
        each(under(parent, &key), &key, value, lead);
    }
    for (place, other) in others {
        lead.keep_filled(Cow::Owned(format!("{parent}[{place}]")), Cow::Borrowed(other));
    }
}

/// The same for every object of several: what one of them refuses is refused.
fn inside_all<'a, 'l>(parent: &Text<'a>, value: &'a str, lead: &mut Filler<'a, 'l>, each: Each<'a, 'l>) {
    let Some(found) = object::objects(value) else {
        lead.keep_filled(parent.clone(), Cow::Borrowed(value));
        return;
    };
    for (_, object) in found.objects {
        inside(parent, object, lead, each);
    }
    for (place, other) in found.others {
        lead.keep_filled(Cow::Owned(format!("{parent}[{place}]")), Cow::Borrowed(other));
    }
}

fn under<'a>(parent: &str, key: &str) -> Text<'a> {
    Cow::Owned([parent, ".", key].concat())
}

type Own<'a> = for<'r> fn(&'r mut RawReferral<'a>) -> &'r mut Option<Text<'a>>;

fn own_field<'a>(key: &str) -> Option<Own<'a>> {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let place: Own<'a> = match () {
        () if is("id") => |referral| &mut referral.id,
        () if is("type") || is("referralType") => |referral| &mut referral.kind,
        () if is("qualification") => |referral| &mut referral.qualification,
        () if is("status") => |referral| &mut referral.status,
        () if is("substatus") => |referral| &mut referral.substatus,
        () if is("statusReason") => |referral| &mut referral.status_reason,
        () if is("expirationDateTime") => |referral| &mut referral.expires,
        () => return None,
    };
    Some(place)
}

fn field<'a>(key: &str) -> Option<Place<'a>> {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let place: Place<'a> = match () {
        // Readings Q5: tried as a LeadSource and an ActionCode.
        () if is("referralSource") => |lead| &mut lead.lead_source,
        () if is("callToAction") => |lead| &mut lead.action_code,
        () if is("offerId") => |lead| &mut lead.product_id,
        () if is("isSpam") => |lead| &mut lead.is_spam,
        () if is("campaignId") => |lead| &mut lead.campaign_id,
        () => return None,
    };
    Some(place)
}

/// Puts a scalar into a field only referrals have; the first that is not blank stands.
fn put<'a>(place: Own<'a>, key: &Text<'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let Some(text) = json_text::scalar(value) else {
        lead.keep_filled(key.clone(), Cow::Borrowed(value));
        return;
    };
    // The id and the reason are published nowhere else.
    if ["id", "statusReason"].iter().any(|name| key.eq_ignore_ascii_case(name)) && !text.trim().is_empty() {
        lead.keep_filled(key.clone(), Cow::Borrowed(value));
    }
    let Some(referral) = &mut lead.lead.referral else { return };
    let field = place(referral);
    let differs = field.as_ref().is_some_and(|first| *first != text);
    if field.as_ref().is_none_or(|first| first.trim().is_empty()) {
        *field = Some(text);
    }
    lead.lead.duplicate_key |= differs;
}

fn customer<'a>(path: Text<'a>, key: &str, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    if is("name") {
        lead.value(|lead| &mut lead.company, path, Cow::Borrowed(value));
    } else if is("address") {
        inside(&path, value, lead, |path, key, value, lead| {
            if key.eq_ignore_ascii_case("country") {
                lead.value(|lead| &mut lead.country, path, Cow::Borrowed(value));
            } else {
                lead.keep_filled(path, Cow::Borrowed(value));
            }
        });
    } else if is("team") {
        team(path, value, lead);
    } else {
        lead.keep_filled(path, Cow::Borrowed(value));
    }
}

/// The customer's people: the first who can be reached is the contact, the others are kept.
fn team<'a>(path: Text<'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let Some(found) = object::objects(value) else {
        lead.keep_filled(path, Cow::Borrowed(value));
        return;
    };
    for (place, other) in found.others {
        lead.keep_filled(Cow::Owned(format!("{path}[{place}]")), Cow::Borrowed(other));
    }
    let people = found.objects;
    let can_be_reached = |(_, person): &(usize, &str)| {
        let members = object::members(person).unwrap_or_default();
        let filled = |name| object::find(&members, name).and_then(json_text::scalar).is_some_and(|text| !text.trim().is_empty());
        filled("email") || filled("phoneNumber")
    };
    let contact = people.iter().position(can_be_reached).unwrap_or(0);
    for (place, (_, person)) in people.into_iter().enumerate() {
        let path = format!("{path}[{place}]");
        if place != contact {
            lead.keep_filled(Cow::Owned(path), Cow::Borrowed(person));
            continue;
        }
        for (key, value) in object::members(person).unwrap_or_default() {
            match member_field(&key) {
                Some(place) => lead.value(place, under(&path, &key), Cow::Borrowed(value)),
                None => lead.keep_filled(under(&path, &key), Cow::Borrowed(value)),
            }
        }
    }
}

fn member_field<'a>(key: &str) -> Option<Place<'a>> {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let place: Place<'a> = match () {
        () if is("firstName") => |lead| &mut lead.first_name,
        () if is("lastName") => |lead| &mut lead.last_name,
        () if is("email") => |lead| &mut lead.email,
        () if is("phoneNumber") => |lead| &mut lead.phone,
        () if is("title") => |lead| &mut lead.title,
        () => return None,
    };
    Some(place)
}

fn consent<'a>(path: Text<'a>, key: &str, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    if is("consentToContact") {
        // Said twice, no is no (readings Q32).
        if is_no(value) {
            lead.lead.duplicate_key |= lead.lead.consent_contact.is_some();
            lead.lead.consent_contact = None;
        }
        lead.value(|lead| &mut lead.consent_contact, path, Cow::Borrowed(value));
    } else if is("consentToToShareInfoWithOthers") || is("consentToShareInfoWithOthers") {
        // The doubled "To" is Microsoft's.
        lead.value(|lead| &mut lead.consent_share, path, Cow::Borrowed(value));
    } else {
        lead.keep_filled(path, Cow::Borrowed(value));
    }
}

/// Whether a flag refuses.
fn is_no(value: &str) -> bool {
    let text = json_text::scalar(value).unwrap_or_default();
    ["false", "no", "n", "0"].iter().any(|no| text.trim().eq_ignore_ascii_case(no))
}

fn details<'a>(path: Text<'a>, key: &str, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    if is("notes") {
        lead.value(|lead| &mut lead.notes, path, Cow::Borrowed(value));
    } else if is("dealValue") {
        put(|referral| &mut referral.deal_value, &path, value, lead);
    } else if is("currency") {
        put(|referral| &mut referral.deal_currency, &path, value, lead);
    } else {
        lead.keep_filled(path, Cow::Borrowed(value));
    }
}
