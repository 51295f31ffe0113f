//! A row as a CRM exports it: Dynamics 365's `lead` table (facts.md §1.4), a Salesforce `Lead` (§1.3), a report or sheet with
//! those columns as people write them (`First Name`, `Email Address`). Names compare without case, blanks, `_`, `-`, `.` and `/`.

use std::borrow::Cow;

use super::{
    json_text,
    object::Member,
    raw_lead::{Filler, Place, Text},
};

/// Fills a lead from the members of a row.
pub(super) fn fill<'a>(members: &mut Vec<Member<'a>>, lead: &mut Filler<'a, '_>) {
    let mut sources = Vec::new();
    for (key, value) in members.drain(..) {
        let plain = Plain::of(&key);
        if plain.is_among(&["leadsource", "leadsourcecode", LABEL, "subject"]) {
            sources.push((key, value));
        } else if plain.is_among(&["createdon", "createddate", "createdtime", "createdat"]) {
            lead.time("created", Cow::Borrowed(value));
        } else if plain.is_among(&["eventtime"]) {
            lead.time("event_time", Cow::Borrowed(value));
        } else if let Some(place) = field(&plain) {
            lead.value(place, key, Cow::Borrowed(value));
        } else {
            lead.keep_filled(key, Cow::Borrowed(value));
        }
    }
    source(sources, lead);
}

/// The label of Dynamics' option set, beside its number.
const LABEL: &str = "leadsourcecode@odatacommunitydisplayv1formattedvalue";

/// Which column has Microsoft's `LeadSource` the connector does not document (facts.md §1.4): the value most like its grammar
/// is taken, the others are kept.
fn source<'a>(columns: Vec<Member<'a>>, lead: &mut Filler<'a, '_>) {
    let likeness = |(key, value): &Member<'a>| {
        let text = json_text::scalar(value).unwrap_or_default();
        let text = text.trim();
        if text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit()) {
            return 0; // Blank, or the number of an option.
        }
        let (piped, one_word) = (text.contains('|'), !text.contains(char::is_whitespace));
        if is_among(key, &["subject"]) && !piped && !one_word {
            return 0; // What people write as a subject, names too, is no source.
        }
        let points = [(true, 1), (one_word, 2), (one_word && text.contains('-'), 1), (piped, 4), (is_among(key, &["leadsource"]), 8)];
        points.into_iter().filter(|(holds, _)| *holds).map(|(_, points)| points).sum()
    };
    // Of equals the first.
    let likenesses = columns.iter().map(likeness).enumerate().filter(|(_, likeness): &(usize, i32)| *likeness > 0);
    let best = likenesses.rev().max_by_key(|(_, likeness)| *likeness);
    for (place, (key, value)) in columns.into_iter().enumerate() {
        if best.is_some_and(|(best, _)| best == place) {
            lead.value(|lead| &mut lead.lead_source, key, Cow::Borrowed(value));
        } else {
            lead.keep_filled(key, Cow::Borrowed(value));
        }
    }
}

/// Fills a lead from the fields of a form, whose names are Salesforce's (facts.md §1.3).
pub(super) fn fill_from_form<'a>(fields: Vec<(Text<'a>, Text<'a>)>, lead: &mut Filler<'a, '_>) {
    for (name, text) in fields {
        let plain = Plain::of(&name);
        if plain.is_among(&["leadsource"]) {
            lead.text(|lead| &mut lead.lead_source, text);
        } else if let Some(place) = field(&plain) {
            lead.text(place, text);
        } else if !plain.is_among(&["encoding"]) {
            lead.keep_text(name, &text);
        }
    }
}

/// Whether a name tells that the object is such a row: a column of the customer's, or one that only a CRM has.
pub(super) fn is_mark(key: &str) -> bool {
    const MARKS: &[&str] = &[
        "firstname",
        "lastname",
        "email",
        "emailaddress",
        "emailaddress1",
        "phone",
        "telephone1",
        "mobilephone",
        "company",
        "companyname",
        "jobtitle",
        "address1country",
        "leadsourcecode",
    ];
    is_among(key, MARKS)
}

/// Whether a name is one of such a row's at all.
pub(super) fn is_known(key: &str) -> bool {
    let plain = Plain::of(key);
    plain.is_among(&["leadsource", "subject", "leadsourcecode", "createdon", "createddate", "oid"]) || field(&plain).is_some()
}

fn field<'a>(key: &Plain) -> Option<Place<'a>> {
    let is = |names: &[&str]| key.is_among(names);
    let place: Place<'a> = match () {
        () if is(&["firstname"]) => |lead| &mut lead.first_name,
        () if is(&["lastname"]) => |lead| &mut lead.last_name,
        () if is(&["email", "emailaddress", "emailaddress1"]) => |lead| &mut lead.email,
        () if is(&["phone", "telephone1", "phonenumber", "businessphone"]) => |lead| &mut lead.phone,
        () if is(&["mobile", "mobilephone"]) => |lead| &mut lead.mobile,
        () if is(&["country", "address1country", "countryregion"]) => |lead| &mut lead.country,
        () if is(&["company", "companyname", "companyaccount"]) => |lead| &mut lead.company,
        () if is(&["title", "jobtitle"]) => |lead| &mut lead.title,
        () if is(&["description"]) => |lead| &mut lead.description,
        () if is(&["actioncode"]) => |lead| &mut lead.action_code,
        () if is(&["offertitle", "offerdisplayname"]) => |lead| &mut lead.offer_title,
        () if is(&["productid", "offerid"]) => |lead| &mut lead.product_id,
        () if is(&["donotbulkemail", "hasoptedoutofemail", "marketingoptout"]) => |lead| &mut lead.opted_out,
        () if is(&["isspam"]) => |lead| &mut lead.is_spam,
        () => return None,
    };
    Some(place)
}

/// Whether the name is one of `names`, which are lower-case and have no separators.
fn is_among(key: &str, names: &[&str]) -> bool {
    Plain::of(key).is_among(names)
}

/// No name that is asked for is longer.
const LONGEST: usize = 64;

/// A name in the form in which names are compared: small letters, without separators.
struct Plain {
    bytes: [u8; LONGEST],
    /// None: too long to be one of those that are asked for.
    length: Option<usize>,
}

impl Plain {
    fn of(key: &str) -> Self {
        let mut plain = Self { bytes: [0; LONGEST], length: Some(0) };
        for byte in key.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-' | b'.' | b'/')) {
            plain.length = plain.length.and_then(|length| {
                *plain.bytes.get_mut(length)? = byte.to_ascii_lowercase();
                Some(length + 1)
            });
        }
        plain
    }

    fn is_among(&self, names: &[&str]) -> bool {
        let plain = self.length.and_then(|length| self.bytes.get(..length));
        plain.is_some_and(|plain| names.iter().any(|name| name.as_bytes() == plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_people_write_them() {
        for key in ["First Name", "first_name", "FirstName", "firstname", "FIRST-NAME"] {
            assert!(is_among(key, &["firstname"]) && is_mark(key), "{key}");
        }
        assert!(is_among("Company / Account", &["companyaccount"]));
        assert!(is_among("leadsourcecode@OData.Community.Display.V1.FormattedValue", &[LABEL]));
        assert!(!is_mark("title") && is_known("Title") && !is_known("owner"));
    }
}
