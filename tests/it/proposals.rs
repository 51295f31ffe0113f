//! What `explain` says would qualify a lead, put into the record and decided again: random rulesets, random leads. Four rulesets by
//! default; `LEADSTREAM_RULESETS=200` is the long form.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};

use crate::mutate::Dice;

const RULESETS: u64 = 4;
const SEED: u64 = 11;

/// What gates refuse, and what score rules ask for.
const CONDITIONS: [&str; 37] = [
    "!(contact.country in [\"US\", \"CA\"])",
    "contact.country == \"FR\" || contact.country == \"DE\"",
    "contact.region != \"AMER\"",
    "contact.email_kind == \"FREE_MAIL\"",
    "contact.email_kind != \"BUSINESS\" && contact.email_kind != \"TENANT\"",
    "!contact.email_domain.endsWith(\".example\")",
    "contact.email_domain in [\"adatum.example\", \"gmail.com\"]",
    "action != \"INSTALL\"",
    "action == \"CONTACT_ME\"",
    "stage in [\"INITIAL_INTEREST\", \"INFORMATIONAL\"]",
    "stage == \"ACTIVE\"",
    "storefront == \"UNKNOWN\"",
    "storefront == \"AZURE_MARKETPLACE\" && action == \"CREATE\"",
    "campaign == \"NURTURE\"",
    "channel != \"WEB\"",
    "confidence != \"HIGH\"",
    "\"unknown_action\" in flags",
    "\"country_unknown\" in flags || \"email_invalid\" in flags",
    "!has(contact.company)",
    "contact.company.lowerAscii().contains(\"adatum\")",
    "!contact.company.startsWith(\"A\") || !contact.company.endsWith(\"GmbH\")",
    "size(contact.company) < 12",
    "contact.company.matches(\"(?i)^(adatum|cedar) \")",
    "contact.seniority in [\"STAFF\", \"UNKNOWN\"]",
    "contact.seniority == \"C_LEVEL\"",
    "!has(note)",
    "size(note) > 10 && has(contact.title)",
    "!has(contact.phone_e164) && contact.region == \"EMEA\"",
    "contact.phone_e164.startsWith(\"+49\")",
    "has(contact.first_name) ? contact.first_name == \"Jane\" : contact.last_name == \"Doe\"",
    "!has(contact.last_name) && !has(contact.first_name)",
    "!(contact.title == \"CEO\" || note.contains(\"seats\"))",
    "offer.listing_option != \"transact\"",
    "offer.listing_option in [\"list\", \"contact_me\"]",
    "offer.offer_type == \"saas\" || offer.offer_type == \"consulting_service\"",
    "has(offer)",
    "!(offer.title.contains(\"Planner\"))",
];

/// The table of offers, as it is before something is proposed.
const OFFERS: [(&str, &str); 2] = [("cedar.planner", "saas"), ("acme.vm", "virtual_machine")];

fn ruleset(dice: &mut Dice) -> String {
    let mut parts = vec!["[ruleset]\nname = \"random\"\nversion = \"1\"\nextends = \"default\"".to_owned()];
    parts.push(format!("[score]\nthreshold = {}", [-10, 0, 20, 45, 70][dice.below(5)]));
    for at in 0..dice.below(4) {
        parts.push(format!("[[gate]]\nid = \"g{at}\"\nreason = \"r{at}\"\nwhen = '''{}'''", dice.of_all(&CONDITIONS)));
    }
    for at in 0..dice.below(6) {
        let points = [15, 30, -25, 5][dice.below(4)];
        let (part, when) = (dice.of_all(&["fit", "intent"]), dice.of_all(&CONDITIONS));
        parts.push(format!("[[score.rule]]\nid = \"s{at}\"\npart = \"{part}\"\npoints = {points}\nwhen = '''{when}'''"));
    }
    parts.join("\n")
}

fn lead(dice: &mut Dice) -> Value {
    let mut some = |all: &[&str]| if dice.one_in(4) { Value::Null } else { json!(dice.of_all(all)) };
    json!({
        "userDetails": {
            "firstName": some(&["Jane", "Ada"]), "lastName": some(&["Doe", "Brandt"]),
            "email": some(&["jane@gmail.com", "ada@adatum.example", "x@mailinator.com", "none", "kim@cedar.onmicrosoft.com"]),
            "phone": some(&["+49 30 901820", "+1 425 555 0100", "12"]), "country": some(&["US", "DE", "France", "Japan", "Atlantis"]),
            "company": some(&["Adatum", "Cedar Labs GmbH", "Northwind"]), "title": some(&["CTO", "IT Director", "Engineer"]),
        },
        "leadSource": some(&["SPZA-PLT|cedar.planner", "AzurePortal-Create|acme.vm", "SPZA-Frob", "Elsewhere-INS|acme.crm", "SPZA-DNC", "x y"]),
        "actionCode": some(&["INS", "PLT"]),
        "description": some(&["200 seats", "Please call me back soon", "hi"]),
    })
}

/// A lead, and what of its offer's row is otherwise.
#[derive(Clone, Debug)]
struct Proposed {
    lead: Value,
    row: Map<String, Value>,
    /// That there is none.
    no_row: bool,
}

impl Proposed {
    /// Puts what is proposed where the record or the table has it; whether none of it is hidden, as values are of a lead that is
    /// redacted.
    fn put(&mut self, such_as: &Value) -> bool {
        let mut whole = true;
        for change in such_as.as_array().expect("a list") {
            let (field, is) = (change["field"].as_str().expect("a field"), change["is"].as_str().expect("a value"));
            let place = match field {
                _ if is == "[redacted]" || is == "\"[redacted]\"" => {
                    whole = false;
                    continue;
                }
                "source_raw" => "/leadSource",
                "action_raw" => "/actionCode",
                "contact.email" => "/userDetails/email",
                "contact.phone_raw" => "/userDetails/phone",
                "contact.country_raw" => "/userDetails/country",
                "contact.company" => "/userDetails/company",
                "contact.title" => "/userDetails/title",
                "contact.first_name" => "/userDetails/firstName",
                "contact.last_name" => "/userDetails/lastName",
                "note" => "/description",
                "offer" => {
                    self.no_row = is == "null" || is == "false";
                    continue;
                }
                other => {
                    let column = other.strip_prefix("offer.").unwrap_or_else(|| panic!("{other} is not in these records"));
                    self.row.insert(column.to_owned(), serde_json::from_str(is).expect("as JSON"));
                    continue;
                }
            };
            *self.lead.pointer_mut(place).expect(place) = serde_json::from_str(is).expect("as JSON");
        }
        whole
    }

    /// The table of offers with the row of the lead's offer.
    fn offers(&self) -> String {
        let mut rows: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        let of_row = |(name, of): (&'static str, &str)| (name, Map::from_iter([("offer_type".to_owned(), json!(of))]));
        rows.extend(OFFERS.into_iter().map(of_row));
        let named = self.lead["leadSource"].as_str().and_then(|source| source.split_once('|')).map(|(_, offer)| offer);
        if self.no_row {
            rows.retain(|name, _| Some(*name) != named);
        } else if !self.row.is_empty() {
            let named = named.unwrap_or_else(|| panic!("{self:?}: a row for a lead that names no offer"));
            rows.entry(named).or_default().extend(self.row.clone());
        }
        let line = |(name, mut row): (&str, Map<String, Value>)| {
            let (publisher, id) = name.split_once('.').expect("both");
            row.retain(|_, value| !value.is_null());
            row.extend([("publisher_id".to_owned(), json!(publisher)), ("offer_id".to_owned(), json!(id))]);
            format!("{}\n", Value::Object(row))
        };
        rows.into_iter().map(line).collect()
    }
}

fn explained(rules: &Path, proposed: &Proposed) -> Value {
    let tables = rules.with_extension("tables");
    fs::create_dir_all(&tables).expect("a folder");
    fs::write(tables.join("offers.ndjson"), proposed.offers()).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(["explain", "--json", "--now", "2026-11-01T09:00:00Z", "--rules"]).arg(rules).arg("--tables").arg(tables);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program");
    child.stdin.take().expect("a pipe").write_all(proposed.lead.to_string().as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn what_is_said_to_qualify_a_lead_does() {
    let count = std::env::var("LEADSTREAM_RULESETS").ok().and_then(|count| count.parse().ok()).unwrap_or(RULESETS);
    let folder = tempfile::tempdir().expect("a folder");
    let (mut tried, mut refused, mut unfound) = (0, 0, 0);
    for number in 0..count {
        let mut dice = Dice::of(SEED, number);
        let (text, path) = (ruleset(&mut dice), folder.path().join(format!("{number}.toml")));
        fs::write(&path, &text).expect("written");
        for _ in 0..3 {
            let lead = Proposed { lead: lead(&mut dice), row: Map::new(), no_row: false };
            let explained_once = explained(&path, &lead);
            if explained_once["verdict"] != "UNQUALIFIED" {
                continue;
            }
            refused += 1;
            let nearest = &explained_once["trace"]["leads"][0]["would_qualify"];
            if nearest["qualifies"] != true {
                unfound += 1;
                continue;
            }
            let (mut opened, mut whole) = (lead.clone(), true);
            for gate in nearest["gates"].as_array().expect("gates") {
                assert!(gate["would_need"].is_array(), "{gate}");
                whole &= opened.put(&gate["such_as"]);
            }
            let rules = nearest["score"]["rules"].as_array().cloned().unwrap_or_default();
            let mut all = Vec::new();
            if rules.first().is_some_and(|rule| rule["enough"] == true) {
                for rule in &rules {
                    let mut one = opened.clone();
                    let whole = one.put(&rule["such_as"]) && whole;
                    all.extend(whole.then_some(one));
                }
            } else {
                for rule in &rules {
                    whole &= opened.put(&rule["such_as"]);
                }
                all.extend(whole.then_some(opened));
            }
            for proposed in all {
                tried += 1;
                let then = explained(&path, &proposed);
                assert_eq!(then["verdict"], "QUALIFIED", "{text}\n{lead:?}\n{nearest:#}\n{proposed:?}\n{}", then["reasons"]);
            }
        }
    }
    // Most of them can be qualified by what can be changed here.
    assert!(tried > count && unfound * 2 < refused, "{tried} tried, {unfound} of {refused} not found");
}
