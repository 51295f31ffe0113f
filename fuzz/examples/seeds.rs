//! Writes the corpus that each target starts from, made of the fixtures of the tests: golden inputs, cases, planted people.
//! Takes the folder to write to.

#[path = "../../tests/it/planted.rs"]
#[allow(dead_code)] // the tests judge, this only writes
mod planted;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Larger ones slow the fuzzer down and tell it nothing new.
const LONGEST: usize = 16 * 1024;

fn main() -> io::Result<()> {
    let corpus = PathBuf::from(env::args_os().nth(1).expect("the folder of the corpus"));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let mut seeds = Vec::new();
    for folder in fs::read_dir(tests.join("golden"))? {
        for file in fs::read_dir(folder?.path())? {
            let path = file?.path();
            if path.file_stem().is_some_and(|stem| stem == "input") {
                seeds.push(fs::read(path)?);
            }
        }
    }
    for line in fs::read_to_string(tests.join("fixtures/cases.jsonl"))?.lines() {
        let case: Value = serde_json::from_str(line)?;
        seeds.extend(case["raw"].as_str().map(|raw| raw.as_bytes().to_vec()));
    }
    seeds.extend(planted::all().into_iter().map(|planted| planted.value));
    seeds.retain(|seed| seed.len() <= LONGEST);
    seeds.sort();
    seeds.dedup();
    let mut written = 0;
    for (number, seed) in seeds.iter().enumerate() {
        for target in targets(seed) {
            let folder = corpus.join(target);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("seed-{number:03}")), seed)?;
            written += 1;
        }
        let sources = serde_json::from_slice::<Value>(seed).ok().into_iter().flat_map(|lead| lead_sources(&lead));
        for (place, source) in sources.enumerate() {
            let folder = corpus.join("lead_source");
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("seed-{number:03}-{place}")), source)?;
            written += 1;
        }
    }
    // A raw lead in Avro without its frame, and the schema it was written by with it.
    let avro = fs::read(tests.join("golden/raw-lead-avro/input.avro"))?;
    let (_, datum) = avro.split_at(10);
    let schema = leadstream::schemas::RecordKind::RawLead.latest().text;
    for (target, seed) in [("raw_lead", datum.to_vec()), ("writer_schema", [schema.as_bytes(), &[0], datum].concat())] {
        fs::create_dir_all(corpus.join(target))?;
        fs::write(corpus.join(target).join("seed"), seed)?;
        written += 1;
    }
    // What the page of the language shows.
    let page = fs::read_to_string(tests.join("../docs/conditions.md"))?;
    let in_tables = page.split('`').skip(1).step_by(2);
    let folder = corpus.join("condition");
    fs::create_dir_all(&folder)?;
    for (number, example) in page.lines().chain(in_tables).filter(|text| text.len() > 8 && text.len() < 200).enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), example)?;
        written += 1;
    }
    println!("{written} seeds of {} fixtures in {}", seeds.len(), corpus.display());
    Ok(())
}

/// The targets that a fixture is for: the containers, and those whose keys stand in it.
fn targets(seed: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(seed).to_lowercase();
    let marks = [
        ("https_json", "userdetails"),
        ("azure_table", "customerinfo"),
        ("salesforce_form", "oid="),
        ("salesforce_form", "last_name = "),
        ("partner_center_referral", "customerprofile"),
        ("partner_center_webhook", "eventname"),
        ("crm_row", "emailaddress1"),
        ("crm_row", "\"firstname\""),
    ];
    let named = marks.into_iter().filter(|(_, mark)| text.contains(mark)).map(|(target, _)| target);
    let mut targets: Vec<_> = named.chain(["containers"]).collect();
    targets.dedup();
    targets
}

/// Every `LeadSource` in a lead, wherever it stands.
fn lead_sources(lead: &Value) -> Vec<String> {
    match lead {
        Value::Array(items) => items.iter().flat_map(lead_sources).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if ["leadsource", "subject", "lead_source"].contains(&name.to_lowercase().as_str()) => {
                    vec![text.clone()]
                }
                _ => lead_sources(value),
            })
            .collect(),
        _ => Vec::new(),
    }
}
