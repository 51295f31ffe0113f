//! What the documents say about this repository is so: the paths they name exist, and the Makefile tells its targets. What the
//! documents mean is for people to judge.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The folders a path in a document may start with; anything else in backticks is not taken for a path.
const FOLDERS: [&str; 8] = ["src/", "tests/", "docs/", "deploy/", "schemas/", "benches/", "fuzz/", ".ci/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [".", "docs", "docs/adr", "schemas"] {
        let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    found.sort();
    found
}

/// The paths that a document says are there, each relative to `folder` or to the repository.
fn named_paths(text: &str) -> Vec<&str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.contains("://") && !link.starts_with('#')).map(|link| link.split('#').next().unwrap_or(link));
    let code = text.split('`').skip(1).step_by(2);
    let code = code.filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains(['*', ' ', '<']));
    links.chain(code).collect()
}

#[test]
fn every_path_that_a_document_names_exists() {
    let documents = documents();
    assert!(documents.len() > 8, "{documents:?}");
    let mut missing = Vec::new();
    for document in &documents {
        let text = fs::read_to_string(document).expect("text");
        let beside = document.parent().expect("a folder");
        let exists = |path: &&str| beside.join(path).exists() || root().join(path).exists();
        let named = named_paths(&text);
        missing.extend(named.into_iter().filter(|path| !exists(path)).map(|path| format!("{}: {path}", document.display())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn paths_are_found_in_links_and_in_code() {
    let text = "[a](docs/x.md#y) [b](https://c) [d](#e) `src/f.rs` `cargo test` `src/*.rs` [g](../h)";
    assert_eq!(named_paths(text), ["docs/x.md", "../h", "src/f.rs"]);
}

/// The keys of sources that a text cites: `[SEED]`, `[GCL19, GCL20]`.
fn cited(text: &str) -> BTreeSet<&str> {
    let is_key = |key: &&str| key.len() > 2 && key.starts_with(char::is_uppercase) && key.chars().all(char::is_alphanumeric);
    let brackets = text.split('[').skip(1).filter_map(|rest| rest.split_once(']')).filter(|(_, after)| !after.starts_with('('));
    brackets.map(|(inside, _)| inside.split(", ")).filter(|keys| keys.clone().all(|key| is_key(&key))).flatten().collect()
}

#[test]
fn every_source_that_the_domain_page_cites_is_listed_and_every_listed_one_is_cited() {
    let page = fs::read_to_string(root().join("docs/domain.md")).expect("text");
    let (text, sources) = page.split_once("\n## Sources\n").expect("the sources");
    let rows = sources.lines().filter(|line| line.starts_with('|')).skip(2);
    let keys: BTreeSet<_> = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|keys| keys.trim().split(", ")).collect();
    assert!(keys.len() > 15, "{keys:?}");
    assert_eq!(cited(text), keys);
    assert_eq!(cited("a [SEED]: [GCL19, H20] [No one](x) [policy] [2]"), BTreeSet::from(["GCL19", "H20", "SEED"]));
}

#[test]
fn the_makefile_has_few_targets_and_tells_each() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("text");
    let is_target = |line: &&str| {
        let rule = line.split("##").next().unwrap_or(line);
        rule.starts_with(|c: char| c.is_ascii_lowercase()) && rule.contains(':') && !rule.contains('=')
    };
    let targets: Vec<_> = makefile.lines().filter(is_target).collect();
    assert!((6..=14).contains(&targets.len()), "{targets:#?}");
    let untold: Vec<_> = targets.iter().filter(|target| !target.contains(" ## ")).collect();
    assert!(untold.is_empty(), "{untold:#?}");
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).expect("a list");
    assert_eq!(phony.split(' ').count(), targets.len(), "a target is missing in .PHONY");
}

#[test]
fn the_papers_that_a_reader_looks_for_are_there() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "deny.toml"] {
        assert!(root().join(name).is_file(), "{name}");
    }
}
