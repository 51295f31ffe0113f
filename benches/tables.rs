//! What a table of a million accounts costs: to load, to look into, and in memory (the figures of `docs/tables.md`). Run it
//! with `cargo bench --no-default-features --bench tables`. Tests nothing.
// Measuring is not deciding: what goes wrong here may end here, and what was measured is printed.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::{fmt::Write, fs, hint::black_box, time::Duration};

use criterion::{BenchmarkGroup, Criterion, SamplingMode, measurement::WallTime};
use leadstream::tables::{TableForm, Tables};

const ROWS: usize = 1_000_000;

/// The mail domain of a made-up company: all differ, most are registered under `.com`.
fn domain(number: usize) -> String {
    const SYLLABLES: [&str; 16] = ["al", "ba", "con", "da", "el", "fa", "gra", "hex", "in", "ju", "kor", "lum", "mo", "nor", "or", "pri"];
    const TOPS: [&str; 8] = ["com", "com", "com", "co.uk", "de", "com.br", "example", "io"];
    let mut name: String = (0..5).map(|place| SYLLABLES[(number >> (4 * place)) & 15]).collect();
    let top = TOPS[(number / 7) % TOPS.len()];
    write!(name, "{}.{top}", number % 97).expect("memory");
    name
}

/// The number of a row, at random and yet the same each time: neighbours in the order of questions lie far apart in the table.
fn shuffled(number: usize) -> usize {
    number.wrapping_mul(7_368_787) % ROWS
}

fn csv() -> String {
    let mut text = String::from("domain,name,owner,segment,region,tier\n");
    for number in 0..ROWS {
        let segment = ["enterprise", "mid-market", "smb", "public"][number % 4];
        let region = ["AMER", "EMEA", "APAC"][number % 3];
        writeln!(text, "{},\"Company {number}, Ltd\",owner-{},{segment},{region},{}", domain(number), number % 500, number % 10)
            .expect("memory");
    }
    text
}

fn ndjson() -> String {
    let mut text = String::new();
    for number in 0..ROWS {
        writeln!(
            text,
            "{{\"domain\":\"{}\",\"name\":\"Company {number}, Ltd\",\"owner\":\"owner-{}\",\"segment\":\"smb\",\"region\":\"EMEA\",\"tier\":{}}}",
            domain(number),
            number % 500,
            number % 10
        )
        .expect("memory");
    }
    text
}

fn load(form: TableForm, text: &str) -> Tables {
    let mut tables = Tables::default();
    assert_eq!(tables.add("accounts", form, text), []);
    tables
}

/// Bytes of memory that the process has (Linux; 0 elsewhere).
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<usize>().ok()).unwrap_or_default() * 1024
}

/// A million questions, none like the one before.
fn ask(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, tables: &Tables, question: impl Fn(usize) -> String) {
    let asked: Vec<String> = (0..ROWS).map(question).collect();
    let mut asked = asked.iter().cycle();
    group.bench_function(name, |bencher| bencher.iter(|| tables.account(asked.next().expect("endless")).is_some()));
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let text = csv();
    let before = resident();
    let tables = load(TableForm::Csv, &text);
    println!("{ROWS} accounts: {} bytes of text a row, {} bytes of memory a row", text.len() / ROWS, (resident() - before) / ROWS);

    let mut group = criterion.benchmark_group("accounts/load a million");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(15));
    group.bench_function("csv", |bencher| bencher.iter(|| load(TableForm::Csv, black_box(&text))));
    let lines = ndjson();
    group.bench_function("ndjson", |bencher| bencher.iter(|| load(TableForm::Ndjson, black_box(&lines))));
    group.finish();

    let mut finer = Tables::default();
    assert_eq!(finer.add("accounts", TableForm::Csv, &format!("{text}a.b.example,x,y,z,w,v\n")), []);
    let mut group = criterion.benchmark_group("accounts/look up in a million");
    let beneath = |number| format!("mail.emea.{}", domain(shuffled(number)));
    ask(&mut group, "hit", &tables, |number| domain(shuffled(number)));
    ask(&mut group, "hit beneath a domain", &tables, beneath);
    ask(&mut group, "hit beneath a domain, where a row lies beneath one too", &finer, beneath);
    ask(&mut group, "miss", &tables, |number| format!("x{}", domain(shuffled(number))));
    let asked: Vec<String> = (0..ROWS).map(|number| domain(shuffled(number))).collect();
    let mut asked = asked.iter().cycle();
    let owner = |domain| tables.account(domain).and_then(|account| account.owner()).map(str::len);
    group.bench_function("hit, and its owner", |bencher| bencher.iter(|| owner(asked.next().expect("endless"))));
    group.finish();

    let mut group = criterion.benchmark_group("suppressions/look up");
    let email = "jane.doe@adatum.example";
    let key = "00112233445566778899aabbccddeeff";
    for (name, count, digits) in [("no table", 0, 0), ("a million person keys", ROWS, 32), ("a million hashed addresses", ROWS, 64)] {
        let rows: Vec<String> =
            (0..count).map(|number| format!("person,{:01$x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15), digits)).collect();
        let mut tables = Tables::default();
        assert_eq!(tables.add("suppressions", TableForm::Csv, &format!("scope,key_hash\n{}", rows.join("\n"))), []);
        group
            .bench_function(name, |bencher| bencher.iter(|| tables.suppression(Some(key), black_box(Some(email)), Some("adatum.example"))));
    }
    group.finish();
    criterion.final_summary();
}
