//! What may stand where a ruleset's files should be, and what `leadstream check` says of it: never a panic, never a wait.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

/// The problems of `--rules PATH` in that folder but for the warning of the missing key: `file:line:column message`; and whether
/// there is a ruleset.
fn check(folder: &Path, path: &str) -> (Vec<String>, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_leadstream"))
        .args(["check", "--json", "--rules", path])
        .current_dir(folder)
        .env_clear()
        .env("LEADSTREAM__IDENTITY__KEY", "k")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems: Vec<String> = report["problems"].as_array().expect("a list").iter().map(told).collect();
    assert_eq!(output.status.code(), Some(i32::from(!problems.is_empty())));
    (problems, report["ruleset"].is_object())
}

fn told(problem: &Value) -> String {
    assert!(problem["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    format!(
        "{}:{}:{} {}",
        problem["file"].as_str().unwrap_or_default(),
        problem["line"],
        problem["column"],
        problem["message"].as_str().expect("a text")
    )
}

/// What is wrong with the ruleset.
fn refused(folder: &Path, path: &str) -> Vec<String> {
    let (problems, loaded) = check(folder, path);
    assert!(!problems.is_empty() && !loaded, "{path} loads");
    problems
}

fn loads(folder: &Path, path: &str) {
    assert_eq!(check(folder, path), (Vec::new(), true), "{path}");
}

fn ruleset(extends: &str, body: &str) -> String {
    let extends = if extends.is_empty() { String::new() } else { format!("extends = {extends:?}\n") };
    format!("[ruleset]\nname = \"a\"\nversion = \"1\"\n{extends}{body}")
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    fs::create_dir_all(folder.join("rules/emea")).expect("a folder");
    fs::write(folder.join("rules/emea/ruleset.toml"), ruleset("../common.toml", "")).expect("written");
    fs::write(folder.join("rules/common.toml"), ruleset("default", "[[route]]\nid = 'x'\ndestination = 'X'\nclock = 'defualt'\n"))
        .expect("written");
    // Of a ruleset with errors its tests are not told of.
    let tests = folder.join("rules/emea/some.test.toml");
    fs::write(&tests, "[[test").expect("written");
    for path in ["rules/emea", "rules/emea/ruleset.toml", "./rules/../rules/emea/"] {
        let problems = refused(folder, path);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("common.toml:8:9 there is no [clock.defualt]"), "{problems:?}");
    }
    fs::write(&tests, "").expect("written");
    fs::write(folder.join("rules/common.toml"), ruleset("default", "")).expect("written");
    loads(folder, "rules/emea");
    // As a platform mounts files: by links.
    symlink("emea", folder.join("rules/..data")).expect("a link");
    loads(folder, "rules/..data");
}

#[test]
fn circles_are_refused_with_the_way_they_go() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    fs::write(folder.join("self.toml"), ruleset("self.toml", "")).expect("written");
    assert_eq!(refused(folder, "self.toml"), ["self.toml:4:11 rulesets extend one another in a circle: self.toml -> self.toml"]);
    fs::write(folder.join("out.toml"), ruleset("a.toml", "")).expect("written");
    fs::write(folder.join("a.toml"), ruleset("./b.toml", "")).expect("written");
    fs::write(folder.join("b.toml"), ruleset("link/../a.toml", "")).expect("written");
    fs::create_dir(folder.join("link")).expect("a folder");
    assert_eq!(
        refused(folder, "out.toml"),
        ["./b.toml:4:11 rulesets extend one another in a circle: a.toml -> ./b.toml -> ./link/../a.toml"]
    );
    // A name of its own at every step, and the same file.
    symlink(".", folder.join("again")).expect("a link");
    fs::write(folder.join("ruleset.toml"), ruleset("again", "")).expect("written");
    assert_eq!(
        refused(folder, "."),
        ["./ruleset.toml:4:11 rulesets extend one another in a circle: ./ruleset.toml -> ./again/ruleset.toml"]
    );
}

#[test]
fn a_chain_is_as_long_as_a_hundred_files() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    for number in 0..100 {
        let gate = format!("[[gate]]\nid = \"g{number}\"\nwhen = 'is_test'\nreason = \"r{number}\"\n");
        let extends = if number == 99 { String::new() } else { format!("{}.toml", number + 1) };
        fs::write(folder.join(format!("{number}.toml")), ruleset(&extends, &gate)).expect("written");
    }
    loads(folder, "0.toml");
    fs::write(folder.join("first.toml"), ruleset("0.toml", "")).expect("written");
    assert_eq!(refused(folder, "first.toml"), ["98.toml:4:11 a ruleset is built upon at most 99 others"]);
}

#[test]
fn what_is_not_there_or_no_file_is_told_where_it_is_named() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    fs::create_dir(folder.join("empty")).expect("a folder");
    symlink("round", folder.join("round")).expect("a link");
    let pipe = Command::new("mkfifo").arg(folder.join("pipe")).status().expect("mkfifo");
    assert!(pipe.success());
    for (path, wanted) in [
        ("gone.toml", "cannot read the ruleset: No such file or directory (os error 2)"),
        ("empty", "cannot read the ruleset: No such file or directory (os error 2)"),
        ("round", "cannot read the ruleset: Too many levels of symbolic links (os error 40)"),
        ("pipe", "cannot read the ruleset: it is no regular file"),
        ("/dev/zero", "cannot read the ruleset: it is no regular file"),
        ("pipe/x", "cannot read the ruleset: Not a directory (os error 20)"),
    ] {
        let file = if path == "empty" { "empty/ruleset.toml" } else { path };
        assert_eq!(refused(folder, path), [format!("{file}:0:0 {wanted}")]);
        fs::write(folder.join("outer.toml"), ruleset(path, "")).expect("written");
        assert_eq!(refused(folder, "outer.toml"), [format!("outer.toml:4:11 {file}: {wanted}")]);
    }
    fs::write(folder.join("outer.toml"), ruleset("", "").replace("version", "extends = \"\"\nversion")).expect("written");
    assert_eq!(refused(folder, "outer.toml").len(), 1, "an empty path is the folder, and there is no ruleset in it");
}

#[test]
fn bytes_that_are_no_text_and_marks_before_it() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    fs::write(folder.join("latin.toml"), b"[ruleset]\nname = \"caf\xe9\"\n").expect("written");
    assert_eq!(refused(folder, "latin.toml"), ["latin.toml:2:12 the ruleset is not UTF-8"]);
    let wide: Vec<u8> = "\u{feff}[ruleset]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("wide.toml"), wide).expect("written");
    assert_eq!(refused(folder, "wide.toml"), ["wide.toml:1:1 the ruleset is not UTF-8"]);
    fs::write(folder.join("outer.toml"), ruleset("latin.toml", "")).expect("written");
    assert_eq!(refused(folder, "outer.toml"), ["latin.toml:2:12 the ruleset is not UTF-8"]);
    fs::write(folder.join("marked.toml"), format!("\u{feff}{}", ruleset("default", ""))).expect("written");
    loads(folder, "marked.toml");
    fs::write(folder.join("outer.toml"), format!("\u{feff}{}", ruleset("marked.toml", ""))).expect("written");
    loads(folder, "outer.toml");
    fs::write(folder.join("nul.toml"), ruleset("", "").replace("\"a\"", "\"a\0\"")).expect("written");
    assert!(refused(folder, "nul.toml")[0].contains("not valid TOML"));
}

#[test]
fn a_file_of_ten_megabytes_and_one_of_a_hundred_thousand_rules_are_refused_by_their_size() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    fs::write(folder.join("large.toml"), ruleset("", &"# a comment\n".repeat(900_000))).expect("written");
    let too_large = "the files of a ruleset have at most 4 MiB together";
    assert_eq!(refused(folder, "large.toml"), [format!("large.toml:0:0 {too_large}")]);
    fs::write(folder.join("half.toml"), ruleset("other.toml", &"# a comment\n".repeat(200_000))).expect("written");
    fs::write(folder.join("other.toml"), ruleset("", &"# a comment\n".repeat(200_000))).expect("written");
    assert_eq!(refused(folder, "half.toml"), [format!("half.toml:4:11 other.toml: {too_large}")]);

    let many: Vec<String> = (0..90_000).map(|number| format!("[[gate]]\nid='{number}'\nwhen='true'\nreason='r'\n")).collect();
    fs::write(folder.join("many.toml"), ruleset("", &many.concat())).expect("written");
    assert_eq!(refused(folder, "many.toml"), ["many.toml:40004:1 a ruleset has at most 10000 rules; here are 90000"]);
    fs::write(folder.join("broken.toml"), ruleset("", &"[[gate]]\n".repeat(5_000))).expect("written");
    let problems = refused(folder, "broken.toml");
    assert_eq!((problems.len(), problems[1000].as_str()), (1001, ":0:0 and 14000 more of the kind missing_key"));
}

#[test]
fn rules_show_prints_a_ruleset_or_why_there_is_none() {
    let show = |path: &str| {
        let arguments = ["rules", "show", "--rules", path];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets");
        Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).env_clear().output().expect("the binary runs")
    };
    let shown = show("acme");
    assert_eq!(shown.status.code(), Some(0));
    let text = String::from_utf8(shown.stdout).expect("UTF-8");
    assert!(
        text.starts_with("# The ruleset as it is used, merged of: acme/ruleset.toml, acme/../base/ruleset.toml, built-in ruleset.\n"),
        "{text}"
    );
    let none = show("acme/none");
    assert_eq!((none.status.code(), none.stdout.len()), (Some(64), 0));
    assert!(String::from_utf8_lossy(&none.stderr).contains("acme/none: cannot read the ruleset"));
}

#[test]
fn explain_tells_whom_an_owner_stands_for() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("lead.json"),
        r#"{"userDetails": {"email": "a@b-company.example", "country": "FR"}, "leadSource": "SPZA-PLT"}"#,
    )
    .expect("written");
    let acme = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rulesets/acme");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    let explained = command.args(["explain", "lead.json", "--rules", acme]).current_dir(folder.path()).output().expect("the binary runs");
    let tree = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(tree.contains("by emea team-emea\n") && tree.contains("owner            Team EMEA, emea@acme.example\n"), "{tree}");
}

/// Whatever of a file has been written so far: it is a ruleset or it is refused.
#[test]
fn a_file_that_is_half_written_is_no_panic() {
    let whole = include_str!("../fixtures/rulesets/acme/ruleset.toml");
    for end in (0..whole.len()).step_by(7).filter(|end| whole.is_char_boundary(*end)) {
        let text = whole[..end].replace("extends = \"../base\"", "extends = \"default\"");
        for problem in leadstream::rules::Ruleset::parse(&text).err().unwrap_or_default() {
            assert!(problem.line > 0 && problem.column > 0, "{problem}");
        }
    }
}
