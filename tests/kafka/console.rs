//! The console in a real browser beside a real run: what it shows equals what `/metrics` says, a pasted lead shows its verdict, and
//! the page is fit for keyboard, screen reader, phone and desk. Pictures are kept in `target/tmp/console`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::{
    broker,
    clients::Raw,
    service::{SOON, Scene},
    waiting::wait_until,
};

#[path = "../foreign/node.rs"]
mod node;

fn raw(partition: i32, value: &str) -> Raw {
    Raw { partition, value: Some(value.as_bytes().to_vec()), ..Raw::default() }
}

/// Leads of both storefronts, a test lead, one without contact, one to be left alone, and two records that are none.
fn records() -> Vec<Raw> {
    let mut records = Vec::new();
    for number in 0..1_200 {
        let source = ["SPZA-PLT|bakery.app", "AzureMarketplace-INS|mill.vm", "SPZA-INS|bakery.app", "Nowhere-XYZ|a.b"][number % 4];
        let lead = format!(r#"{{"userDetails": {{"email": "zq{number}@adatum.example", "country": "US"}}, "leadSource": "{source}"}}"#);
        records.push(raw(i32::try_from(number % 3).expect("small"), &lead));
    }
    records.push(raw(0, r#"{"userDetails": {"lastName": "MSFT_TEST", "email": "a@b.example"}, "leadSource": "SPZA-PLT|b.a"}"#));
    records.push(raw(1, r#"{"leadSource": "SPZA-PLT|b.a"}"#));
    records.push(raw(2, r#"{"userDetails": {"email": "a@c.example"}, "leadSource": "AzureMarketplace-DNC|b.a"}"#));
    records.push(raw(0, "{"));
    records.push(raw(1, "[]"));
    records
}

/// Sum over the series of a metric whose labels hold all of these.
fn metric(text: &str, name: &str, labels: &[&str]) -> u64 {
    let of = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label)))
    };
    text.lines().filter(of).map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()).expect("a whole number")).sum()
}

/// A number as a page in English writes it, up to the first word behind it.
fn read(text: &str) -> u64 {
    text.split(' ').next().unwrap_or_default().replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn rows(shown: &Value, what: &str) -> Vec<Vec<String>> {
    let row = |row: &Value| row.as_array().expect("cells").iter().map(|cell| cell.as_str().expect("text").to_owned()).collect();
    shown[what].as_array().expect("rows").iter().map(row).collect()
}

fn pairs(shown: &Value, what: &str) -> BTreeMap<String, u64> {
    rows(shown, what).iter().map(|row| (row[0].clone(), read(&row[1]))).collect()
}

#[test]
fn a_browser_shows_what_the_metrics_say() {
    let scene = Scene::with_topics("console", broker::shared(), 3);
    let shadow = "[ruleset]\nname = \"shade\"\nversion = \"2\"\nextends = \"default\"\n[score]\nthreshold = 90\n";
    fs::write(scene.path("shadow.toml"), shadow).expect("written");
    let settings = fs::read_to_string(scene.config_file()).expect("settings");
    fs::write(scene.config_file(), settings + "[rules]\nshadow = [\"shadow.toml\"]\nshadow_share = 0.9\n").expect("written");
    let records = records();
    scene.write(&records);
    let mut service = scene.run(&[]);
    scene.wait_done(records.len(), &service);
    wait_until("each partition's lag is told as none", SOON, || {
        let status = service.status();
        let lanes = status["lanes"].as_array().into_iter().flatten();
        let partitions: Vec<_> = lanes.flat_map(|lane| lane["partitions"].as_array().into_iter().flatten()).collect();
        partitions.len() == 3 && partitions.iter().all(|partition| partition["lag_records"] == 0)
    });
    let metrics = service.page("/metrics");

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    fs::create_dir_all(&folder).expect("a folder");
    let url = format!("http://{}/", service.address());
    let (good, told) = node::run("console.mjs", &[Path::new(&url), &folder]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert!(good, "{:#}", told["wrong"]);
    let shown = &told["shown"];

    let count = |name: &str, labels: &[&str]| metric(&metrics, name, labels);
    let funnel = pairs(shown, "funnel");
    let leads = count("leadstream_leads_total", &[]);
    assert_eq!((records.len() as u64, leads), (1_205, 1_203));
    for (name, expected) in [
        ("records read", count("leadstream_records_consumed_total", &[])),
        ("leads decided", leads),
        ("qualified", count("leadstream_leads_total", &["verdict=\"QUALIFIED\""])),
        ("unqualified", count("leadstream_leads_total", &["verdict=\"UNQUALIFIED\""])),
        ("routing events", count("leadstream_routes_total", &[])),
        ("dead letters", count("leadstream_dead_letters_total", &[])),
    ] {
        assert_eq!(funnel[name], expected, "{name}");
    }
    for (reason, shown) in pairs(shown, "reasons") {
        assert_eq!(shown, count("leadstream_unqualified_total", &[&format!("reason=\"{reason}\"")]), "{reason}");
    }
    assert!(pairs(shown, "reasons").len() >= 3);
    let storefronts = rows(shown, "storefronts");
    assert_eq!(storefronts.len(), 3, "{storefronts:?}");
    for row in &storefronts {
        let labels = [format!("storefront=\"{}\"", row[0]), format!("campaign=\"{}\"", row[1])];
        let labels: Vec<_> = labels.iter().map(String::as_str).collect();
        assert_eq!(read(&row[2]), count("leadstream_leads_total", &labels), "{row:?}");
        let qualified = [labels[0], labels[1], "verdict=\"QUALIFIED\""];
        assert_eq!(read(&row[3]), count("leadstream_leads_total", &qualified), "{row:?}");
    }
    for row in rows(shown, "routes") {
        let labels = [format!("destination=\"{}\"", row[0]), format!("storefront=\"{}\"", row[1])];
        assert_eq!(read(&row[2]), count("leadstream_routes_total", &[&labels[0], &labels[1]]), "{row:?}");
    }
    for row in rows(shown, "codes") {
        assert_eq!(read(&row[2]), count("leadstream_dead_letters_total", &[&format!("code=\"{}\"", row[0])]), "{row:?}");
    }
    let qualifiable = count("leadstream_qualifiable_leads_total", &[]);
    assert_eq!(qualifiable, leads - 2);
    #[allow(clippy::cast_precision_loss)] // a thousand leads
    let rate = 100.0 * funnel["qualified"] as f64 / qualifiable as f64;
    assert_eq!(shown["tiles"]["Qualification rate"], format!("{rate:.1}%"));
    assert_eq!((&shown["tiles"]["Records behind"], &shown["tiles"]["Unaccounted"]), (&"0".into(), &"0".into()));
    assert_eq!(rows(shown, "last").len(), 2);
    assert!(rows(shown, "last").iter().all(|row| row[0].starts_with(&scene.raw)), "{:?}", rows(shown, "last"));
    let partitions = rows(shown, "partitions");
    assert_eq!(partitions.len(), 3);
    assert!(partitions.iter().all(|row| row[2] == row[3] && row[4] == "0"), "{partitions:?}");
    assert_eq!(rows(shown, "lanes").len(), 2);
    let rules = shown["rules"].as_str().expect("text");
    assert!(rules.contains("default/1") && rules.contains("shade/2") && rules.contains("QUALIFIED → UNQUALIFIED"), "{rules}");
    let explanation = shown["explanation"].as_str().expect("text");
    for part in ["QUALIFIED", "SPZA", "APP_SOURCE", "NURTURE", "PUBLISHER_CRM", "zoe@bakery.example", "<img src=x", "C_LEVEL"] {
        assert!(explanation.contains(part), "{part}: {explanation}");
    }
    // What was pasted left no trace but on the page.
    let status = service.status().to_string();
    assert!(!status.contains("zoe@") && !status.contains("adatum"), "{status}");
    assert_eq!(metric(&service.page("/metrics"), "leadstream_leads_total", &[]), leads, "explaining decides no lead of a topic");
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0);
}
