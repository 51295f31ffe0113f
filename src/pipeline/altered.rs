//! A lead as it would be read if its record, or a row of the tables, said something else: for `explain`, which proposes nothing that
//! it has not tried. Which changes are worth a try, it does not know.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    lead::{Facts, Flag, Identity, Origin, Timestamp, Vocabulary},
    tables::{Offer, TableForm, Tables},
};

use super::{Setting, normalize::again};

/// What a field of the record, or of a row, says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Nothing.
    Nothing,
    /// Yes or no; of a record such as `account`, that it is there.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// A number.
    Fraction(f64),
    /// A text, or a word of a list.
    Text(String),
    /// A time.
    Time(Timestamp),
}

/// One thing that is said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Alteration {
    /// The field as conditions write it; of what follows from another field, that one: `contact.country_raw`, not `contact.region`.
    pub field: String,
    /// What it says then.
    pub said: Said,
}

/// A row of `accounts` by its columns, or that there is none.
type Row = Option<BTreeMap<String, String>>;

/// Shows the lead with all of this otherwise, in this order. Nothing, where a record cannot say so.
pub fn altered<'a, R>(facts: &Facts<'a>, all: &[Alteration], setting: &Setting<'a>, show: impl FnOnce(&Facts<'_>) -> R) -> Option<R> {
    let mut own = Tables::default();
    let mut offer: Option<Offer> = None;
    let mut account: Option<Row> = None;
    let mut offer_is_changed = false;
    let mut facts = facts.clone();
    for Alteration { field, said } in all {
        if let Some(column) = field.strip_prefix("account") {
            let row = account.get_or_insert_with(|| row_of(&facts));
            set_account(row, column.strip_prefix('.'), said)?;
        } else if field == "offer" || field.starts_with("offer.") {
            if !offer_is_changed {
                offer = facts.offer.row.cloned();
                offer_is_changed = true;
            }
            set_offer(&mut offer, field.strip_prefix("offer."), said)?;
        } else {
            set(&mut facts, field, said, setting)?;
        }
    }
    if offer_is_changed {
        if let Some(row) = &mut offer {
            lead_to(row, &facts)?;
        }
        facts.offer.row = offer.as_ref();
    }
    if let Some(row) = account {
        let domain = facts.contact.email_domain.as_deref().map(str::to_owned);
        if let Some(mut row) = row {
            row.insert("domain".to_owned(), domain.clone()?);
            let text = serde_json::to_string(&row).ok()?;
            if own.add("accounts", TableForm::Ndjson, &text).iter().any(crate::problem::Problem::is_error) {
                return None;
            }
        }
        facts.account = domain.and_then(|domain| own.account(&domain));
    }
    Some(show(&facts))
}

fn row_of(facts: &Facts<'_>) -> Row {
    facts.account.map(|row| row.cells().map(|(column, text)| (column.to_owned(), text.to_owned())).collect())
}

fn set_account(row: &mut Row, column: Option<&str>, said: &Said) -> Option<()> {
    match (column, said) {
        (None, Said::Truth(true)) => _ = row.get_or_insert_default(),
        (None, Said::Nothing | Said::Truth(false)) => *row = None,
        (Some("domain"), _) => return None,
        (Some(column), Said::Text(text)) => _ = row.get_or_insert_default().insert(column.to_owned(), text.clone()),
        (Some(column), Said::Nothing) => _ = row.as_mut().and_then(|row| row.remove(column)),
        _ => return None,
    }
    Some(())
}

/// Makes the row one that a table would find for the lead's offer; a lead that names none has none.
fn lead_to(row: &mut Offer, facts: &Facts<'_>) -> Option<()> {
    let small = |id: &Option<Cow<'_, str>>| id.as_deref().map(str::to_lowercase);
    let (publisher, id) = (small(&facts.offer.publisher_id)?, small(&facts.offer.offer_id)?);
    for (written, named) in [(&mut row.publisher_id, &publisher), (&mut row.offer_id, &id)] {
        if written.is_empty() {
            written.clone_from(named);
        }
    }
    // The row of a lead's offer may be that of the beginning of its id.
    (row.publisher_id.to_lowercase() == publisher && id.starts_with(&row.offer_id.to_lowercase())).then_some(())
}

fn set_offer(row: &mut Option<Offer>, column: Option<&str>, said: &Said) -> Option<()> {
    let Some(column) = column else {
        match said {
            Said::Truth(true) => _ = row.get_or_insert_default(),
            Said::Nothing | Said::Truth(false) => *row = None,
            _ => return None,
        }
        return Some(());
    };
    let text = text(said).ok()?;
    let row = row.get_or_insert_default();
    match (column, text) {
        ("offer_type", text) => row.offer_type = word(text).ok()?,
        ("listing_option", text) => row.listing_option = word(text).ok()?,
        ("title", text) => row.title = text.map(str::to_owned),
        ("publisher_id", Some(text)) => text.clone_into(&mut row.publisher_id),
        ("offer_id", Some(text)) => text.clone_into(&mut row.offer_id),
        ("publisher_id" | "offer_id", None) => return None,
        (column, Some(text)) => _ = row.columns.insert(column.to_owned(), text.to_owned()),
        (column, None) => _ = row.columns.remove(column),
    }
    Some(())
}

/// What a field cannot say.
struct Unsayable;

/// The text that is said, or that none is.
fn text(said: &Said) -> Result<Option<&str>, Unsayable> {
    match said {
        Said::Text(text) => Ok(Some(text)),
        Said::Nothing => Ok(None),
        _ => Err(Unsayable),
    }
}

/// The word that is said, or that none is.
fn word<V: Vocabulary>(text: Option<&str>) -> Result<Option<V>, Unsayable> {
    text.map(|text| V::from_name(text).ok_or(Unsayable)).transpose()
}

fn set<'a>(facts: &mut Facts<'a>, field: &str, said: &Said, setting: &Setting<'a>) -> Option<()> {
    let (contact, flags) = (&mut facts.contact, &mut facts.flags);
    let owned = || text(said).ok().map(|text| text.map(|text| text.to_owned().into()));
    match (field, said) {
        ("event_time", Said::Time(time)) => facts.event_time = *time,
        ("received_at", Said::Time(time)) => facts.received_at = *time,
        ("is_test", Said::Truth(truth)) => facts.is_test = *truth,
        ("is_spam", Said::Truth(truth)) => facts.is_spam = *truth,
        ("needs_hydration", Said::Truth(truth)) => facts.needs_hydration = *truth,
        ("suppressed_by", Said::Nothing) => facts.suppressed_by = None,
        ("source.topic", Said::Text(text)) => facts.at.partition.topic = text.as_str().into(),
        ("source.partition", Said::Whole(number)) => facts.at.partition.number = i32::try_from(*number).ok().filter(|it| *it >= 0)?,
        ("source.offset", Said::Whole(number)) if *number >= 0 => facts.at.offset = *number,
        ("source.index", Said::Whole(number)) => facts.index = u32::try_from(*number).ok()?,
        ("source.format", Said::Text(text)) => facts.format = Vocabulary::from_name(text)?,
        // Leads of another origin are referrals, which say more than that.
        ("origin", Said::Text(text)) => facts.origin = Origin::from_name(text)?,
        ("consent.contact", Said::Text(text)) => facts.consent.contact = Vocabulary::from_name(text)?,
        ("consent.share", Said::Text(text)) => facts.consent.share = Vocabulary::from_name(text)?,
        ("consent.marketing", Said::Text(text)) => facts.consent.marketing = Vocabulary::from_name(text)?,
        ("flags", Said::Text(name)) => flags.remove(Flag::from_name(name)?),
        ("contact.email", _) => {
            again::email(contact, flags, owned()?);
            looked_up(facts, setting);
        }
        ("contact.phone_raw", _) => {
            again::phone(contact, flags, owned()?);
            looked_up(facts, setting);
        }
        ("contact.country_raw", _) => {
            again::country(contact, flags, owned()?);
            looked_up(facts, setting);
        }
        ("contact.title", _) => again::title(contact, owned()?),
        ("contact.first_name", _) => contact.first_name = owned()?,
        ("contact.last_name", _) => contact.last_name = owned()?,
        ("contact.company", _) => contact.company = owned()?,
        ("source_raw", _) => facts.source_raw = owned()?,
        ("action_raw", _) => facts.action_raw = owned()?,
        ("note", _) => facts.note = owned()?,
        ("offer_title", _) => facts.offer.offer_title = owned()?,
        ("offer_raw", _) => facts.offer.offer_raw = owned()?,
        ("publisher_id", _) => facts.offer.publisher_id = owned()?,
        ("offer_id", _) => facts.offer.offer_id = owned()?,
        _ if field.starts_with("referral.") => return set_referral(facts, field, said),
        _ => return set_entry(facts, field, text(said).ok()?),
    }
    Some(())
}

/// Of a lead that came as a referral: others have none.
fn set_referral(facts: &mut Facts<'_>, field: &str, said: &Said) -> Option<()> {
    let referral = facts.referral.as_mut()?;
    match (field, said) {
        ("referral.expires_at", Said::Time(time)) => referral.expires_at = Some(*time),
        ("referral.expires_at", Said::Nothing) => referral.expires_at = None,
        ("referral.deal_value", Said::Fraction(number)) => referral.deal_value = Some(*number),
        ("referral.deal_value", Said::Nothing) => referral.deal_value = None,
        _ => {
            let slot = match field {
                "referral.status" => &mut referral.status,
                "referral.substatus" => &mut referral.substatus,
                "referral.deal_currency" => &mut referral.deal_currency,
                _ => return None,
            };
            *slot = text(said).ok()?.map(|text| text.to_owned().into());
        }
    }
    Some(())
}

/// An entry of a map, as `attribution["utm_campaign"]`.
fn set_entry(facts: &mut Facts<'_>, field: &str, text: Option<&str>) -> Option<()> {
    let (map, key) = field.strip_suffix(']')?.split_once('[')?;
    let key: String = serde_json::from_str(key).ok()?;
    let map = match map {
        "attribution" => &mut facts.attribution,
        "extra" => &mut facts.extra,
        _ => return None,
    };
    map.retain(|(known, _)| **known != *key);
    if let Some(text) = text {
        let at = map.partition_point(|(known, _)| **known < *key);
        map.insert(at, (key.into(), text.to_owned().into()));
    }
    Some(())
}

/// What the tables have of the customer as he is now.
fn looked_up<'a>(facts: &mut Facts<'a>, setting: &Setting<'a>) {
    let contact = &facts.contact;
    facts.person_key = setting.person_key.of(contact);
    facts.account = contact.email_domain.as_deref().and_then(|domain| setting.tables.account(domain));
    let person = facts.person_key.as_ref().map(Identity::as_str);
    facts.suppressed_by = setting.tables.suppression(person, contact.email.as_deref(), contact.email_domain.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lead::{EmailKind, Region, Seniority},
        pipeline::{Limits, PersonKey},
        rules::sample,
    };

    fn changed<R>(changes: &[(&str, Said)], show: impl FnOnce(&Facts<'_>) -> R) -> Option<R> {
        let mut tables = Tables::default();
        assert_eq!(tables.add("accounts", TableForm::Csv, "domain,owner,tier\nadatum.example,kim,gold\n"), []);
        assert_eq!(tables.add("suppressions", TableForm::Csv, "scope,domain\ndomain,gone.example\n"), []);
        let (limits, person_key) = (Limits::default(), PersonKey::default());
        let all: Vec<_> = changes.iter().map(|(field, said)| Alteration { field: (*field).to_owned(), said: said.clone() }).collect();
        altered(&sample::facts(), &all, &Setting { tables: &tables, limits: &limits, person_key: &person_key }, show)
    }

    fn text(text: &str) -> Said {
        Said::Text(text.to_owned())
    }

    #[test]
    fn what_follows_from_a_field_follows() {
        let contact = |field, said: Said| {
            changed(&[(field, said)], |Facts { contact, .. }| {
                let domain = contact.email_domain.as_deref().map(str::to_owned);
                (contact.email.as_deref().map(str::to_owned), domain, contact.email_kind, contact.region, contact.seniority)
            })
            .expect("a change")
        };
        let (email, domain, kind, ..) = contact("contact.email", text("Kim@gmail.com"));
        assert_eq!((email.as_deref(), domain.as_deref(), kind), (Some("kim@gmail.com"), Some("gmail.com"), EmailKind::FreeMail));
        assert_eq!(contact("contact.country_raw", text("Germany")).3, Region::Emea);
        assert_eq!(contact("contact.title", text("CEO")).4, Seniority::CLevel);
        assert_eq!(contact("contact.title", Said::Nothing).4, Seniority::Unknown);
        let of_table = |mail: &str| {
            changed(&[("contact.email", text(mail))], |facts| {
                (facts.account.and_then(|row| row.owner()).map(str::to_owned), facts.suppressed_by)
            })
        };
        assert_eq!(of_table("a@adatum.example"), Some((Some("kim".to_owned()), None)));
        assert_eq!(of_table("a@gone.example"), Some((None, Some("domain"))));
    }

    #[test]
    fn a_row_keeps_what_is_not_changed() {
        let mail = ("contact.email", text("a@adatum.example"));
        let row = changed(&[mail.clone(), ("account.owner", text("ada"))], |facts| {
            let row = facts.account.expect("a row");
            (row.owner().map(str::to_owned), row.column("tier").map(str::to_owned))
        });
        assert_eq!(row, Some((Some("ada".to_owned()), Some("gold".to_owned()))));
        assert_eq!(changed(&[mail, ("account", Said::Nothing)], |facts| facts.account.is_none()), Some(true));
        // The row of the offer that a lead names: of one that names none there is none, nor is there one of another offer.
        let (publisher, offer) = (("publisher_id", text("Cedar")), ("offer_id", text("Planner-Preview")));
        let option = changed(&[publisher.clone(), offer.clone(), ("offer.listing_option", text("transact"))], |facts| {
            facts.offer.row.map(|row| (row.listing_option.is_some(), row.publisher_id.clone(), row.offer_id.clone()))
        });
        assert_eq!(option, Some(Some((true, "cedar".to_owned(), "planner-preview".to_owned()))));
        let of_row =
            |id: &str| changed(&[publisher.clone(), offer.clone(), ("offer.offer_id", text(id))], |facts| facts.offer.row.is_some());
        assert_eq!((of_row("planner"), of_row("plane")), (Some(true), None), "a row may stand for all that begin so");
        for named in [&[][..], std::slice::from_ref(&publisher), std::slice::from_ref(&offer)] {
            let row = [named, &[("offer", Said::Truth(true))]].concat();
            assert_eq!(changed(&row, |_| ()), None, "{named:?}");
        }
    }

    #[test]
    fn what_a_record_cannot_say_is_not_shown() {
        assert_eq!(changed(&[("referral.status", text("New"))], |_| ()), None, "it is no referral");
        assert_eq!(changed(&[("lead_id", text("x"))], |_| ()), None);
        assert_eq!(changed(&[("consent.contact", text("MAYBE"))], |_| ()), None);
        let entry = changed(&[("attribution[\"b\"]", text("x"))], |facts| facts.attribution.len());
        assert_eq!(entry, Some(1 + sample::facts().attribution.len()));
    }
}
