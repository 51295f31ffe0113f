//! The `Referral` resource of Partner Center's Referrals API (facts.md §1.8). Objects may come as arrays and arrays as objects
//! (readings Q28). What has no field of its own is kept under its path.

use std::borrow::Cow;

use super::{
    json_text,
    object::{self, Member},
    raw_lead::{Filler, Place, RawReferral, Text, is_filled},
};

/// Fills a lead from the members of a referral.
pub(super) fn fill<'a>(members: &mut Vec<Member<'a>>, lead: &mut Filler<'a, '_>) {
    lead.lead.referral = Some(Box::default());
    for (key, value) in members.drain(..) {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        let path = Path { parent: None, key: &key, place: None };
        if is("customerProfile") {
            inside(path, value, lead, customer);
        } else if is("consent") {
            inside_all(path, value, lead, consent);
        } else if is("details") {
            inside(path, value, lead, details);
        } else if is("createdDateTime") {
            lead.time("createdDateTime", Cow::Borrowed(value));
        } else if let Some(place) = own_field(&key) {
            put(place, path, value, lead);
        } else if let Some(place) = field(&key) {
            lead.value(place, key, Cow::Borrowed(value));
        } else if !is("@odata.context") {
            lead.keep_filled(key, Cow::Borrowed(value));
        }
    }
}

/// Where a value stands. Its text is made only for what is kept under it.
#[derive(Clone, Copy)]
struct Path<'p, 'a> {
    parent: Option<&'p Path<'p, 'a>>,
    key: &'p Text<'a>,
    /// Which element of the array it is that has the key.
    place: Option<usize>,
}

impl<'p, 'a> Path<'p, 'a> {
    fn under(&'p self, key: &'p Text<'a>) -> Self {
        Self { parent: Some(self), key, place: None }
    }

    fn at(self, place: usize) -> Self {
        Self { place: Some(place), ..self }
    }

    fn text(&self) -> Text<'a> {
        if self.parent.is_none() && self.place.is_none() {
            return self.key.clone();
        }
        let mut text = String::with_capacity(64);
        self.write(&mut text);
        Cow::Owned(text)
    }

    fn write(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(text);
            text.push('.');
        }
        text.push_str(self.key);
        if let Some(place) = self.place {
            text.push('[');
            text.push_str(itoa::Buffer::new().format(place));
            text.push(']');
        }
    }
}

/// Puts a JSON value where it belongs: a scalar's text into the field, an object or array under its path.
fn value<'a>(place: Place<'a>, path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    match json_text::scalar(value) {
        Some(text) => lead.text(place, text),
        None => lead.keep(path.text(), Cow::Borrowed(value)),
    }
}

/// Keeps a value under its path, unless it is empty.
fn keep<'a>(path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    if is_filled(value) {
        lead.keep(path.text(), Cow::Borrowed(value));
    }
}

/// What is done with a member: its path, whose key is the member's, and its value.
type Each<'a, 'l> = fn(Path<'_, 'a>, &'a str, &mut Filler<'a, 'l>);

/// Hands each member of an object to `each`, with its path. Of several objects it is the first: two must not become one; the
/// others, and what is no object, are kept as they are.
fn inside<'a, 'l>(parent: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, 'l>, each: Each<'a, 'l>) {
    if value.starts_with('{') {
        object::known(value).for_each(|(key, value)| each(parent.under(&key), value, lead));
        return;
    }
    let Some((members, others)) = object::one(value) else {
        keep(parent, value, lead);
        return;
    };
    for (key, value) in members {
        each(parent.under(&key), value, lead);
    }
    for (place, other) in others {
        keep(parent.at(place), other, lead);
    }
}

/// The same for every object of several: what one of them refuses is refused.
fn inside_all<'a, 'l>(parent: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, 'l>, each: Each<'a, 'l>) {
    let Some(found) = object::objects(value) else {
        keep(parent, value, lead);
        return;
    };
    for (_, object) in found.objects {
        inside(parent, object, lead, each);
    }
    for (place, other) in found.others {
        keep(parent.at(place), other, lead);
    }
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
fn put<'a>(place: Own<'a>, path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let Some(text) = json_text::scalar(value) else {
        keep(path, value, lead);
        return;
    };
    // The id and the reason are published nowhere else.
    let is_told_here = || path.parent.is_none() && ["id", "statusReason"].iter().any(|name| path.key.eq_ignore_ascii_case(name));
    if is_told_here() && !text.trim().is_empty() {
        keep(path, value, lead);
    }
    let Some(referral) = &mut lead.lead.referral else { return };
    let field = place(referral);
    let differs = field.as_ref().is_some_and(|first| *first != text);
    if field.as_ref().is_none_or(|first| first.trim().is_empty()) {
        *field = Some(text);
    }
    lead.lead.duplicate_key |= differs;
}

fn customer<'a>(path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| path.key.eq_ignore_ascii_case(name);
    if is("name") {
        self::value(|lead| &mut lead.company, path, value, lead);
    } else if is("address") {
        inside(path, value, lead, |path, value, lead| {
            if path.key.eq_ignore_ascii_case("country") {
                self::value(|lead| &mut lead.country, path, value, lead);
            } else {
                keep(path, value, lead);
            }
        });
    } else if is("team") {
        team(path, value, lead);
    } else {
        keep(path, value, lead);
    }
}

/// The customer's people: the first who can be reached is the contact, the others are kept.
fn team<'a>(path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let Some(found) = object::objects(value) else {
        keep(path, value, lead);
        return;
    };
    for (place, other) in found.others {
        keep(path.at(place), other, lead);
    }
    let people = found.objects;
    let can_be_reached = |(_, person): &(usize, &str)| {
        let last = |name: &str| object::known(person).filter(|(key, _)| key.eq_ignore_ascii_case(name)).last();
        let filled = |name| last(name).and_then(|(_, value)| json_text::scalar(value)).is_some_and(|text| !text.trim().is_empty());
        filled("email") || filled("phoneNumber")
    };
    let contact = people.iter().position(can_be_reached).unwrap_or(0);
    for (place, (_, person)) in people.into_iter().enumerate() {
        let path = path.at(place);
        if place != contact {
            keep(path, person, lead);
            continue;
        }
        for (key, value) in object::known(person) {
            match member_field(&key) {
                Some(place) => self::value(place, path.under(&key), value, lead),
                None => keep(path.under(&key), value, lead),
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

fn consent<'a>(path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| path.key.eq_ignore_ascii_case(name);
    if is("consentToContact") {
        // Said twice, no is no (readings Q32).
        if is_no(value) {
            lead.lead.duplicate_key |= lead.lead.consent_contact.is_some();
            lead.lead.consent_contact = None;
        }
        self::value(|lead| &mut lead.consent_contact, path, value, lead);
    } else if is("consentToToShareInfoWithOthers") || is("consentToShareInfoWithOthers") {
        // The doubled "To" is Microsoft's.
        self::value(|lead| &mut lead.consent_share, path, value, lead);
    } else {
        keep(path, value, lead);
    }
}

/// Whether a flag refuses.
fn is_no(value: &str) -> bool {
    let text = json_text::scalar(value).unwrap_or_default();
    ["false", "no", "n", "0"].iter().any(|no| text.trim().eq_ignore_ascii_case(no))
}

fn details<'a>(path: Path<'_, 'a>, value: &'a str, lead: &mut Filler<'a, '_>) {
    let is = |name: &str| path.key.eq_ignore_ascii_case(name);
    if is("notes") {
        self::value(|lead| &mut lead.notes, path, value, lead);
    } else if is("dealValue") {
        put(|referral| &mut referral.deal_value, path, value, lead);
    } else if is("currency") {
        put(|referral| &mut referral.deal_currency, path, value, lead);
    } else {
        keep(path, value, lead);
    }
}
