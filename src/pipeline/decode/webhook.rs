//! Partner Center's webhook events (facts.md §1.9): thin, without lead data. Whoever hydrates the lead needs the resource's
//! address, so all of it is kept.

use std::borrow::Cow;

use crate::lead::{DeadLetterCode, Rejection};

use super::{
    json_text,
    object::{self, Member},
    raw_lead::Filler,
};

/// Fills a lead from the members of an event.
///
/// # Errors
/// `not_a_lead`: an event about something that is neither a referral nor a test.
pub(super) fn fill<'a>(members: &mut Vec<Member<'a>>, lead: &mut Filler<'a, '_>) -> Result<(), Rejection> {
    let text = |name| object::find(members, name).and_then(json_text::scalar).unwrap_or_default().to_ascii_lowercase();
    let about = [text("EventName"), text("ResourceName")];
    // `referral-created`, `related-referral-updated`, `test-created`; one that is blank tells nothing against it.
    let is_lead = about.iter().any(|about| ["referral", "lead", "test"].iter().any(|word| about.split('-').any(|part| part == *word)));
    if !is_lead && about.iter().any(|about| !about.trim().is_empty()) {
        let detail = "a webhook event about something that is neither a referral nor a test is no lead";
        return Err(Rejection::decode(DeadLetterCode::NotALead, detail));
    }
    for (key, value) in members.drain(..) {
        if key.eq_ignore_ascii_case("ResourceChangeUtcDate") {
            lead.time("ResourceChangeUtcDate", Cow::Borrowed(value));
            continue;
        }
        if key.eq_ignore_ascii_case("EventName") {
            lead.value(|lead| &mut lead.event_name, key.clone(), Cow::Borrowed(value));
        }
        if value != "null" {
            lead.keep(key, Cow::Borrowed(value));
        }
    }
    Ok(())
}
