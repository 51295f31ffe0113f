//! Reference tables from outside: what `check` says of bad ones, what good ones do to a lead, and that every look-up finds what
//! reading the whole table from top to bottom would find. Single columns and rows are tried beside the code.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::Write as _, path::Path, process::Command, process::Stdio};

use hmac::{Hmac, KeyInit, Mac};
use leadstream::tables::{TableForm, Tables};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What a run of the binary printed, and its exit code.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn leadstream(folder: &Path, key: Option<&str>, arguments: &[&str], input: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.args(arguments).current_dir(folder).env_clear();
    if let Some(key) = key {
        command.env("LEADSTREAM__IDENTITY__KEY", key);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("an exit code"), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder with these tables.
fn folder(tables: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in tables {
        fs::write(folder.path().join(file), text).expect("written");
    }
    folder
}

const OFFERS: &str = "publisher_id,offer_id,offer_type,listing_option
adatum,crm,saas,list
adatum,crm-plus,app,list
Adatum,CRM,saas,list
adatum,\"open
";
const ACCOUNTS: &str = "{\"domain\":\"adatum.example\",\"owner\":\"kim.secret@adatum.example\"}
{\"domain\":\"co.uk\",\"owner\":\"kim.secret@adatum.example\"}
{\"domain\":\"kim.secret@adatum.example\"}
{\"owner\":\"kim.secret@adatum.example\"}
\"kim.secret@adatum.example\"
{\"domain\":\"ADATUM.example\"}
";
const SUPPRESSIONS: &str = "\u{feff}scope,key_hash,domain\r
person,jane.secret@adatum.example,\r
jane.secret@adatum.example\r
person,d41d8cd98f00b204e9800998ecf8427,\r
domain,,jane.secret@adatum.example\r
";

#[test]
fn check_tells_every_bad_row_of_every_table_with_line_and_reason_and_nothing_that_is_somebodys() {
    let folder = folder(&[("offers.csv", OFFERS), ("accounts.ndjson", ACCOUNTS), ("suppressions.csv", SUPPRESSIONS)]);
    let ran = leadstream(folder.path(), Some("k"), &["check", "--tables", "."], "");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let expected = "\
error: ./accounts.ndjson:2:1: the domain of this row is nobody's own: anybody can have a domain beneath it
  = write the domains beneath it that you mean

error: ./accounts.ndjson:3:1: the domain of this row is an address
  = write what stands after the @: adatum.example

error: ./accounts.ndjson:4:1: this row has no domain
  = fill the column, or take the row out

error: ./accounts.ndjson:5:27: this line is no JSON object
  = write one JSON object a line

error: ./accounts.ndjson:6:1: the domain of this row stands in the table already, on line 1
  = keep one of the two rows

error: ./offers.csv:3:1: offer_type of this row is unknown
  = one of virtual_machine, azure_application, container, iot_edge_module, managed_service, consulting_service, saas, microsoft_365, dynamics_365, power_platform

error: ./offers.csv:4:1: the offer of this row stands in the table already, on line 2
  = keep one of the two rows

error: ./offers.csv:5:1: this row has a quote that is never closed
  = close the quote, or double it where it is meant

error: ./suppressions.csv:2:1: key_hash of this row is an address, not a hash of one
  = write the person_key of an event, or the SHA-256 of the address: printf %s jane@adatum.example | sha256sum

error: ./suppressions.csv:3:1: this row has 1 field, the header has 3
  = quote fields that hold a comma; write a comma for each field that is empty

error: ./suppressions.csv:4:1: key_hash of this row is neither 32 nor 64 hex digits
  = write the person_key of an event, or the SHA-256 of the address: printf %s jane@adatum.example | sha256sum

error: ./suppressions.csv:5:1: the domain of this row is an address
  = write what stands after the @: adatum.example

12 errors, no warnings
";
    assert_eq!(ran.out, expected);

    let ran = leadstream(folder.path(), Some("k"), &["check", "--json", "--tables", "."], "");
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((ran.code, report["problems"].as_array().map(Vec::len)), (1, Some(12)));
    assert_eq!(
        report["problems"][8],
        json!({
            "severity": "error", "file": "./suppressions.csv", "line": 2, "column": 1, "code": "bad_key_hash",
            "message": "key_hash of this row is an address, not a hash of one",
            "hint": "write the person_key of an event, or the SHA-256 of the address: printf %s jane@adatum.example | sha256sum",
        })
    );
    assert!(!ran.out.contains("secret"), "{}", ran.out);

    let ran = leadstream(folder.path(), Some("k"), &["explain", "--tables", "."], "{}");
    assert_eq!((ran.code, ran.out.as_str()), (64, ""), "nothing is decided with such tables");
    assert!(ran.err.contains("suppressions.csv:5:1") && !ran.err.contains("secret"), "{}", ran.err);
}

#[test]
fn of_many_bad_rows_the_first_of_each_kind_are_told_and_the_others_counted() {
    let rows: String = (0..5000).fold(String::from("domain\n"), |text, row| text + if row == 4000 { "a,b\n" } else { "www.adatum.com\n" });
    let folder = folder(&[("accounts.csv", &rows)]);
    let ran = leadstream(folder.path(), Some("k"), &["check", "--tables", "."], "");
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1002 * 3 + 1));
    assert!(ran.out.contains("accounts.csv:1001:1: ") && !ran.out.contains("accounts.csv:1002:1: "), "{}", ran.out);
    assert!(ran.out.contains("accounts.csv:4002:1: this row has 2 fields"), "{}", ran.out);
    assert!(ran.out.contains("error: ./accounts.csv: and 3999 more of the kind bad_domain\n"), "{}", ran.out);
    let ran = leadstream(folder.path(), Some("k"), &["check", "--json", "--tables", "."], "");
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(1002));
    assert_eq!(report["problems"][1001]["code"], "more_problems");
}

fn lead(email: &str) -> String {
    json!({"leadSource": "SPZA-PLT|adatum.crmpro", "userDetails": {"firstName": "Jane", "lastName": "Doe", "email": email, "country": "US",
        "company": "Adatum", "phone": "14255550123"}, "description": "please call"})
    .to_string()
}

/// The one lead of `explain --json`.
fn explained(folder: &Path, key: Option<&str>, arguments: &[&str], email: &str) -> Value {
    let ran = leadstream(
        folder,
        key,
        &[&["explain", "--json", "--now", "2026-11-01T09:00:00Z", "--tables", "."], arguments].concat(),
        &lead(email),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut report: Value = serde_json::from_str(&ran.out).expect("JSON");
    report["leads"][0].take()
}

#[test]
fn the_row_of_the_account_and_of_the_offer_can_be_asked_for_in_a_rule() {
    let rules = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rules/default/ruleset.toml")).expect("text");
    let route = "
[[route]]
id = \"named\"
when = 'account.owner == \"kim\" && account.segment == \"enterprise\" && account.tier == \"gold\" && offer.line == \"crm\" && !has(account.name)'
destination = \"PUBLISHER_CRM\"
owner = \"kim\"
";
    let folder = folder(&[
        ("rules.toml", &(rules + route)),
        ("accounts.csv", "domain,owner,segment,tier\nadatum.co.uk,kim,enterprise,gold\nemea.adatum.co.uk,lee,enterprise,gold\n"),
        ("offers.ndjson", "{\"publisher_id\":\"adatum\",\"offer_id\":\"crm\",\"line\":\"crm\",\"offer_type\":\"saas\"}\n"),
    ]);
    let owner = |email: &str| {
        let lead = explained(folder.path(), None, &["--rules", "rules.toml"], email);
        assert_eq!(lead["listing"], "APP", "by the offer's type: {lead}");
        let tables: Vec<_> = lead["ruleset"]["tables"].as_object().expect("a map").keys().cloned().collect();
        assert_eq!(tables, ["accounts", "offers"]);
        let routes = lead["routes"].as_array().expect("routes").clone();
        routes.iter().find(|route| route["destination"] == "PUBLISHER_CRM").map(|route| route["route"].clone())
    };
    assert_eq!(owner("jane@mail.adatum.co.uk"), Some(json!("named")));
    assert_eq!(owner("jane@mail.emea.adatum.co.uk"), Some(json!("follow_up.APP_SOURCE.PUBLISHER_CRM")));
    assert_eq!(owner("jane@other.co.uk"), Some(json!("follow_up.APP_SOURCE.PUBLISHER_CRM")));
}

fn is_suppressed(lead: &Value, scope: &str) {
    assert_eq!(
        (&lead["verdict"], &lead["reasons"], &lead["suppressed_by"]),
        (&json!("UNQUALIFIED"), &json!(["suppressed"]), &json!(scope))
    );
    assert!(lead["flags"].as_array().is_some_and(|flags| flags.contains(&json!("redacted"))), "{lead}");
    assert_eq!(lead["routes"], json!([]), "{lead}");
    for personal in ["Jane", "Doe", "jane", "please call", "4255550123"] {
        assert!(!lead.to_string().contains(personal), "{personal} in {lead}");
    }
}

#[test]
fn who_is_suppressed_is_not_qualified_and_not_shown() {
    let jane = "Jane.Doe@mail.adatum.example";
    let hash = hex(&Sha256::digest("jane.doe@mail.adatum.example"));
    for (rows, scope) in [(format!("person,{hash},"), "person"), ("domain,,Adatum.example".to_owned(), "domain")] {
        let folder = folder(&[("suppressions.csv", &format!("scope,key_hash,domain\n{rows}\n"))]);
        is_suppressed(&explained(folder.path(), None, &[], jane), scope);
        is_suppressed(&explained(folder.path(), Some("secret"), &[], jane), scope);
        let other = explained(folder.path(), None, &[], "jane.roe@adatum.com");
        assert_eq!((&other["verdict"], &other["suppressed_by"]), (&json!("QUALIFIED"), &Value::Null), "{other}");
    }
}

#[test]
fn a_person_is_suppressed_by_the_key_that_events_have() {
    let jane = "jane.doe@adatum.example";
    let mut keyed = Hmac::<Sha256>::new_from_slice(b"secret").expect("any length");
    keyed.update(format!("email\x1f{jane}\x1f").as_bytes());
    let computed = hex(&keyed.finalize().into_bytes())[..32].to_owned();
    let nobody = folder(&[]);
    let published = explained(nobody.path(), Some("secret"), &[], jane)["person_key"].as_str().expect("a key").to_owned();
    assert_eq!(published, computed, "as docs/tables.md says");

    let folder = folder(&[("suppressions.csv", &format!("scope,key_hash\nperson,{published}\n"))]);
    is_suppressed(&explained(folder.path(), Some("secret"), &[], jane), "person");
    // The key is another one under another identity.key.
    assert_eq!(explained(folder.path(), Some("other"), &[], jane)["suppressed_by"], Value::Null);
}

/// What the command of docs/tables.md that begins so and pipes into `sha256sum` prints.
fn documented(beginning: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tables.md")).expect("text");
    let mut lines = page.lines().filter(|line| line.starts_with(beginning) && line.contains("| sha256sum"));
    let line = lines.next().unwrap_or_else(|| panic!("docs/tables.md has no {beginning}"));
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    assert!(output.status.success(), "{line}");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn the_commands_of_the_document_make_hashes_that_suppress() {
    let (address, person) = (documented("printf %s "), documented("printf 'email"));
    for (hash, length) in [(address, 64), (person, 32)] {
        assert_eq!(hash.len(), length, "{hash}");
        let folder = folder(&[("suppressions.csv", &format!("scope,key_hash\nperson,{hash}\n"))]);
        is_suppressed(&explained(folder.path(), None, &[], "jane.doe@adatum.example"), "person");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("memory");
        hex
    })
}

/// Rows as a table of either form, every value in quotes.
fn written(form: TableForm, columns: &[&str], rows: &[Vec<String>], end: &str) -> String {
    let mut text = String::new();
    match form {
        TableForm::Csv => {
            text += &(columns.join(",") + end);
            for row in rows {
                let fields: Vec<String> = row.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
                text += &(fields.join(",") + end);
            }
        }
        TableForm::Ndjson => {
            for row in rows {
                let object: BTreeMap<_, _> = columns.iter().zip(row).collect();
                text += &(serde_json::to_string(&object).expect("JSON") + end);
            }
        }
    }
    text
}

fn form() -> impl Strategy<Value = (TableForm, &'static str)> {
    (prop::sample::select(vec![TableForm::Csv, TableForm::Ndjson]), prop::sample::select(vec!["\n", "\r\n", "\n\n"]))
}

/// Labels, and the public suffix they stand before.
fn name(labels: std::ops::Range<usize>) -> impl Strategy<Value = (Vec<&'static str>, &'static str)> {
    let label = prop::sample::select(vec!["adatum", "mail", "a", "b"]);
    (vec(label, labels), prop::sample::select(vec!["com", "co.uk", "github.io", "example"]))
}

fn domain((labels, suffix): &(Vec<&str>, &str)) -> String {
    labels.iter().copied().chain([*suffix]).collect::<Vec<_>>().join(".")
}

fn lies_in(domain: &str, above: &str) -> bool {
    domain == above || domain.ends_with(&format!(".{above}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn an_account_is_the_one_that_reading_the_whole_table_finds(
        (form, end) in form(),
        rows in prop::collection::btree_map(name(1..4).prop_map(|name| domain(&name)), "[^\\s]?[ -~\\n\"',ä€]{0,12}[^\\s]?", 0..40),
        asked in vec(name(0..5), 1..40),
    ) {
        let mut tables = Tables::default();
        let cells: Vec<Vec<String>> = rows.iter().map(|(domain, name)| vec![domain.to_uppercase(), name.trim().to_owned()]).collect();
        let problems = tables.add("accounts", form, &written(form, &["domain", "Name"], &cells, end));
        prop_assert_eq!(problems, []);
        for asked in asked {
            let domain = domain(&asked);
            let owned = rows.iter().filter(|(row, _)| !asked.0.is_empty() && lies_in(&domain, row));
            let nearest = owned.max_by_key(|(row, _)| row.len());
            let found = tables.account(&domain);
            prop_assert_eq!(found.map(|account| account.domain()), nearest.map(|(row, _)| row.as_str()), "{}", domain);
            let name = nearest.map(|(_, name)| name.trim()).filter(|name| !name.is_empty());
            prop_assert_eq!(found.and_then(|account| account.name()), name);
        }
    }

    #[test]
    fn an_offer_is_the_one_that_reading_the_whole_table_finds(
        (form, end) in form(),
        rows in prop::collection::btree_map(("[pq]", "[ab-]{1,6}"), "[a-z]{0,3}", 0..40),
        asked in vec(("[pqr]", "[ab-]{0,9}"), 1..40),
    ) {
        let mut tables = Tables::default();
        let cells: Vec<Vec<String>> = rows.iter().map(|((publisher, id), line)| vec![line.clone(), id.clone(), publisher.clone()]).collect();
        let problems = tables.add("offers", form, &written(form, &["line", "offer_id", "publisher_id"], &cells, end));
        prop_assert_eq!(problems, []);
        for (publisher, id) in asked {
            let known = rows.iter().filter(|((of, known), _)| *of == publisher && id.starts_with(known.as_str()));
            let longest = known.max_by_key(|((_, known), _)| known.len());
            let found = tables.offer(&publisher, &id);
            prop_assert_eq!(found.map(|offer| offer.offer_id.as_str()), longest.map(|((_, known), _)| known.as_str()), "{} {}", publisher, id);
            let line = longest.map(|(_, line)| line.as_str()).filter(|line| !line.is_empty());
            prop_assert_eq!(found.and_then(|offer| offer.columns.get("line")).map(String::as_str), line);
        }
    }

    #[test]
    fn a_suppression_is_the_one_that_reading_the_whole_table_finds(
        (form, end) in form(),
        rows in vec((0..3_u8, "[ab]{1,2}", name(1..4)), 0..30),
        asked in vec(("[ab]{1,2}", name(1..4)), 1..30),
    ) {
        let address = |local: &str, name: &(Vec<&str>, &str)| format!("{local}@{}", domain(name));
        let key = |address: &str| hex(&Sha256::digest(format!("key of {address}")))[..32].to_owned();
        let cells: Vec<Vec<String>> = rows.iter().map(|(kind, local, name)| match kind {
            0 => vec!["person".into(), key(&address(local, name)), String::new()],
            1 => vec!["person".into(), hex(&Sha256::digest(address(local, name))), String::new()],
            _ => vec!["domain".into(), String::new(), domain(name)],
        }).collect();
        let mut tables = Tables::default();
        let problems = tables.add("suppressions", form, &written(form, &["scope", "key_hash", "domain"], &cells, end));
        prop_assert_eq!(problems, []);
        for (local, name) in asked {
            let (email, domain_asked) = (address(&local, &name), domain(&name));
            let by_person = rows.iter().any(|(kind, local, name)| *kind < 2 && address(local, name) == email);
            let by_domain = rows.iter().any(|(kind, _, name)| *kind == 2 && lies_in(&domain_asked, &domain(name)));
            let scope = if by_person { Some("person") } else { by_domain.then_some("domain") };
            prop_assert_eq!(tables.suppression(Some(&key(&email)), Some(&email), Some(&domain_asked)), scope, "{}", email);
        }
    }

    #[test]
    fn any_text_is_a_table_or_has_problems(name in prop::sample::select(leadstream::tables::NAMES.to_vec()), (form, _) in form(), text in "(domain|scope|offer_id|publisher_id|key_hash|[\\\\\",{}:\\[\\]\\n\\r a-c\u{0}ä]){0,60}") {
        let problems = Tables::default().add(name, form, &text);
        for problem in problems {
            prop_assert!(problem.quoted.is_none() && problem.hint.is_some() && problem.line <= text.lines().count().max(1));
        }
    }
}
