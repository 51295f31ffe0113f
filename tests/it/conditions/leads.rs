//! Leads at random, each as leadstream decided it and as the interpreter of CEL sees it: made of the published block, so that
//! what a condition reads is held against what subscribers read. Judges nothing.

use std::{collections::HashMap, sync::Arc};

use cel::{Context, Env, Value as Cel};
use leadstream::{
    io::Batch,
    lead::{Decision, Facts, Partition, Position, Timestamp},
    pipeline::{self, Memory, NoTrace, Pipeline},
    rules::{DEFAULT, Ruleset},
    tables::TableForm,
};
use serde_json::{Map, Value, json};

use super::page::{self, Kind};
use crate::{core, mutate::Dice};

/// So many leads.
const LEADS: usize = 60;

const ACCOUNTS: &str = "domain,name,owner,segment,region,tier\n\
    adatum.example,Adatum,kim,enterprise,EMEA,gold\n\
    cedar-labs.example,\"Cedar Labs, Ltd\",,smb,AMER,\n";
const OFFERS: &str = "publisher_id,offer_id,offer_type,title,listing_option,line\n\
    cedar,planner,saas,Planner,free_trial,crm\n\
    acme,crm,consulting_service,,contact_me,\n";

/// A lead, decided.
pub(super) struct Lead<'a> {
    pub(super) decision: Decision<'a>,
    /// All fields of the page, those that are missing as null.
    pub(super) block: Value,
}

/// Nothing is redacted, so that all that is decided on is published; and there are rows to match.
pub(crate) fn pipeline() -> Pipeline {
    let rules = DEFAULT
        .replace("own_domains = []", "own_domains = [\"acme.example\"]")
        .replace("redact = [\"do_not_contact\", \"consent_denied\", \"suppressed\"]", "redact = []")
        + "\n[[campaign]]\nid = \"spring\"\nwhen = 'attribution[\"utm_campaign\"] == \"Spring\" || contact.country == \"DE\"'\n";
    let mut pipeline = core::pipeline();
    pipeline.rules = Ruleset::parse(&rules).expect("the built-in ruleset, changed");
    for (table, text) in [("accounts", ACCOUNTS), ("offers", OFFERS), ("suppressions", "scope,domain\ndomain,gone.example\n")] {
        assert_eq!(pipeline.tables.add(table, TableForm::Csv, text), []);
    }
    pipeline
}

/// Raw leads, each as likely to lack something as to have it.
pub(crate) fn batch(seed: u64) -> Batch {
    let mut batch = Batch::default();
    for number in 0..LEADS {
        let mut dice = Dice::of(!seed, number as u64);
        let raw = if dice.one_in(4) { referral(&mut dice) } else { storefront_lead(&mut dice) };
        let at = Position { partition: Partition { topic: "leads.raw".into(), number: 3 }, offset: i64::try_from(number).expect("small") };
        // From 2020 to 2031, to the microsecond.
        let millis = 1_577_836_800_000 + i64::try_from(dice.below(3_600 * 24 * 365 * 11)).expect("small") * 1_000 + 123;
        batch.push(at, Timestamp::from_millis(millis), None, Some(raw.to_string().as_bytes()), std::iter::empty());
    }
    batch
}

fn some(dice: &mut Dice, all: &[&str]) -> Value {
    if dice.one_in(4) { Value::Null } else { json!(dice.of_all(all)) }
}

fn customer(dice: &mut Dice) -> Value {
    json!({
        "firstName": some(dice, &["Ada", "Øyvind", "李"]),
        "lastName": some(dice, &["Brandt", "O'Neil", "Doe"]),
        "email": some(dice, &["ada@adatum.example", "o@cedar-labs.example", "x@acme.example", "y@gone.example", "a@gmail.com", "none"]),
        "phone": some(dice, &["14255550123", "+49 30 901820", "12"]),
        "country": some(dice, &["US", "DE", "France", "Japan", "Atlantis"]),
        "company": some(dice, &["Adatum Industries", "cedar labs", "ÄÖÜ GmbH", "\u{1F600}"]),
        "title": some(dice, &["CTO", "VP Sales", "Director of IT", "Engineer", "\u{212A}elvin"]),
    })
}

fn storefront_lead(dice: &mut Dice) -> Value {
    let source =
        dice.of_all(&["SPZA-PLT|cedar.planner", "SPZA-INS|acme.crm", "AzurePortal-Create|cedar.planner", "SPZA-DNC", "x y", "SPZA"]);
    let description = dice.of_all(&[
        "Please call",
        "",
        "?utm_campaign=Spring&utm_source=web",
        "{\"mktcmpid\":\"1234\",\"utm_campaign\":\"fall\"}",
        "About 200 seats, before MARCH",
    ]);
    let mut lead = json!({"userDetails": customer(dice), "leadSource": source, "description": description});
    let lead_fields = lead.as_object_mut().expect("an object");
    if dice.one_in(3) {
        lead_fields.insert("favourite".into(), json!("blue"));
        lead_fields.insert("Seats".into(), json!(200));
    }
    if dice.one_in(3) {
        lead_fields.insert("offerTitle".into(), json!("Planner"));
        lead_fields.insert("actionCode".into(), json!("PLT"));
    }
    lead
}

fn referral(dice: &mut Dice) -> Value {
    let customer = customer(dice);
    json!({
        "id": format!("61c65491-2f2c-461a-84b4-3654499bc1{:02}", dice.below(90)),
        "createdDateTime": "2026-10-30T10:00:00.4579542Z",
        "expirationDateTime": some(dice, &["2026-11-13T00:00:00Z", "2025-11-13T00:00:00Z"]),
        "status": dice.of_all(&["New", "Active", "Closed"]),
        "substatus": some(dice, &["Received", "Accepted"]),
        "qualification": "Direct",
        "type": dice.of_all(&["Independent", "Shared"]),
        "direction": "Incoming",
        "campaignId": some(dice, &["fair-26"]),
        "customerProfile": {
            "name": customer["company"],
            "address": {"country": customer["country"]},
            "team": [{
                "firstName": customer["firstName"],
                "lastName": customer["lastName"],
                "phoneNumber": customer["phone"],
                "email": customer["email"],
            }],
        },
        "consent": {"consentToToShareInfoWithOthers": dice.one_in(2), "consentToContact": dice.one_in(2)},
        "details": {"notes": some(dice, &["Please call"]), "dealValue": if dice.one_in(3) { Value::Null } else { json!(50_000.5) }, "currency": "USD"},
    })
}

pub(crate) fn facts<'a>(pipeline: &'a Pipeline, batch: &'a Batch) -> Vec<Facts<'a>> {
    let mut memory = Memory::default();
    let records = (0..LEADS).map(|number| batch.get(number).expect("pushed"));
    records.flat_map(|record| pipeline::read(&record, pipeline, &mut memory).expect("a lead")).collect()
}

pub(super) fn decided<'a>(pipeline: &'a Pipeline, facts: &'a [Facts<'a>]) -> Vec<Lead<'a>> {
    let decisions = facts.iter().map(|facts| pipeline::decide(facts, &pipeline.rules, &mut NoTrace));
    decisions.map(|decision| Lead { block: block(&decision), decision }).collect()
}

/// What was published, and what conditions see beside it: worked out anew, from what was published.
fn block(decision: &Decision<'_>) -> Value {
    let mut text = Vec::new();
    pipeline::explained(decision, &mut text);
    let mut block: Value = serde_json::from_slice(&text).expect("JSON");
    let domain = block["contact"]["email_domain"].as_str().unwrap_or_default().to_owned();
    let digits = block["contact"]["phone_raw"].as_str().map_or(0, |phone| phone.chars().filter(char::is_ascii_digit).count());
    block["own_domain"] = json!(domain == "acme.example");
    block["reachable"] = json!(!domain.is_empty() || digits >= 5);
    block["needs_hydration"] = json!(false);
    block["account"] = row(ACCOUNTS, |row| row["domain"] == json!(domain));
    let (publisher, offer) = (block["publisher_id"].clone(), block["offer_id"].clone());
    block["offer"] = row(OFFERS, |row| row["publisher_id"] == publisher && row["offer_id"] == offer);
    for (path, kind) in page::fields() {
        let (record, field) = path.rsplit_once('.').map_or((None, path.as_str()), |(record, field)| (Some(record), field));
        let record = match record {
            Some(record) => block.get_mut(record),
            None => Some(&mut block),
        };
        // A record that is missing is null, and has no fields.
        let Some(within) = record.and_then(Value::as_object_mut) else { continue };
        if !within.contains_key(field) {
            let missing = match kind {
                Kind::List => json!([]),
                Kind::Map => json!({}),
                _ => Value::Null,
            };
            within.insert(field.to_owned(), missing);
        }
    }
    block
}

/// The row of a table that fits, its blank columns as null.
fn row(table: &str, fits: impl Fn(&Map<String, Value>) -> bool) -> Value {
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let rows = lines.map(|line| {
        let line = line.trim().replace(", ", "\u{0}");
        let cells = line.split(',').map(|cell| cell.trim_matches('"').replace('\u{0}', ", "));
        let cells = cells.map(|cell| if cell.is_empty() { Value::Null } else { json!(cell) });
        columns.iter().map(|column| (*column).to_owned()).zip(cells).collect::<Map<_, _>>()
    });
    rows.into_iter().find(fits).map_or(Value::Null, Value::Object)
}

impl Lead<'_> {
    /// The block as variables of the interpreter.
    pub(super) fn context(&self, environment: &Arc<Env>) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(environment));
        let kinds: HashMap<String, Kind> = page::fields().into_iter().collect();
        for (name, value) in self.block.as_object().expect("an object") {
            context.add_variable_from_value(name.as_str(), seen(name, value, &kinds, environment));
        }
        context
    }
}

fn seen(path: &str, value: &Value, kinds: &HashMap<String, Kind>, environment: &Arc<Env>) -> Cel {
    match (value, kinds.get(path)) {
        (Value::Null, _) => Cel::Null,
        (Value::Bool(value), _) => Cel::Bool(*value),
        (Value::Number(number), Some(Kind::Number)) => Cel::Float(number.as_f64().expect("a number")),
        (Value::Number(number), _) => Cel::Int(number.as_i64().expect("a whole number")),
        (Value::String(text), Some(Kind::Time)) => {
            let literal = environment.compile(&format!("timestamp('{text}')")).expect("a time");
            literal.execute(&Context::with_env(Arc::clone(environment))).expect("a time")
        }
        (Value::String(text), _) => text.as_str().into(),
        (Value::Array(list), _) => list.iter().map(|value| seen("", value, kinds, environment)).collect::<Vec<_>>().into(),
        (Value::Object(object), _) => {
            let entries = object.iter().map(|(key, value)| (key.clone(), seen(&format!("{path}.{key}"), value, kinds, environment)));
            entries.collect::<HashMap<String, Cel>>().into()
        }
    }
}
