//! `process` over files of any dress, from bytes to bytes: packed, by pattern, on any number of threads, stopped and gone on with.
//! Avro container files: `at_rest_avro`.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::backtest::leads;

pub(crate) const NOW: &str = "2026-11-01T09:00:00Z";

/// `leadstream process ARGUMENTS --now NOW` in `folder`.
pub(crate) fn process(folder: &Path, arguments: &[&str]) -> Output {
    let all = [&["process", "--now", NOW, "--quiet"], arguments].concat();
    Command::new(env!("CARGO_BIN_EXE_leadstream")).args(all).current_dir(folder).stdin(Stdio::null()).output().expect("it runs")
}

/// The same, which has to go well.
pub(crate) fn processed(folder: &Path, arguments: &[&str]) -> Output {
    let output = process(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Exit code and words of a run.
fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Names and bytes of all files in a folder.
pub(crate) fn files(folder: PathBuf) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file"))).collect()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

#[test]
fn any_number_of_threads_writes_the_same_bytes_in_the_order_of_the_inputs() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = leads(4_000);
    let (first, rest) = text.split_at(text.char_indices().filter(|(_, c)| *c == '\n').nth(2_500).expect("lines").0 + 1);
    put(folder, "in/b.ndjson", first);
    put(folder, "in/a.ndjson", [rest, &"x".repeat(1_200_000), "\n", "{}"].concat());
    put(folder, "in/empty.ndjson", "");
    let inputs = ["in/b.ndjson", "in/[ae]*.ndjson"];
    for form in [&[][..], &["--output-format", "avro"]] {
        let one = [&inputs[..], &["--output", "one", "--summary", "one.json", "--threads", "1"], form].concat();
        processed(folder, &one);
        for threads in ["2", "7"] {
            let other = [&inputs[..], &["--output", "other", "--summary", "other.json", "--threads", threads], form].concat();
            processed(folder, &other);
            assert!(files(folder.join("one")) == files(folder.join("other")), "{threads} threads");
            assert_eq!(fs::read(folder.join("one.json")).expect("counts"), fs::read(folder.join("other.json")).expect("counts"));
        }
    }
    // In the order of the inputs, and of their records; an oversize record stands in its place.
    let letters = fs::read_to_string(folder.join("one/dead-letter.ndjson")).expect("written");
    let places: Vec<_> = letters
        .lines()
        .map(|line| {
            let letter: Value = serde_json::from_str(line).expect("JSON");
            let header = |name: &str| letter["headers"][name].as_str().expect("a header").to_owned();
            (header("dlq-topic"), header("dlq-offset").parse::<u64>().expect("a number"), header("dlq-code"))
        })
        .collect();
    let mut sorted = places.clone();
    sorted.sort_by_key(|(name, offset, _)| (name == "a.ndjson", *offset));
    assert_eq!(places, sorted);
    assert_eq!(places.last(), Some(&("a.ndjson".to_owned(), 1_499, "too_large".to_owned())));
    let summary: Value = serde_json::from_slice(&fs::read(folder.join("one.json")).expect("counts")).expect("JSON");
    assert_eq!((&summary["records"], &summary["dead_letters"]["too_large"]), (&4_002.into(), &1.into()));
    let stream = |threads| processed(folder, &[&inputs[..], &["--output", "-", "--threads", threads]].concat()).stdout;
    assert!(stream("1") == stream("3"));
}

#[test]
fn a_packed_file_is_read_as_what_is_in_it_from_a_file_and_a_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = leads(400);
    let half = text.match_indices('\n').nth(100).expect("lines").0 - 10;
    let members = |pack: fn(&[u8]) -> Vec<u8>| [pack(&text.as_bytes()[..half]), pack(&text.as_bytes()[half..])].concat();
    put(folder, "plain/leads", &text);
    processed(folder, &["plain/leads", "--output", "of-plain"]);
    let dresses = [gzip(text.as_bytes()), members(gzip), zstd(text.as_bytes()), members(zstd), gzip(&zstd(text.as_bytes()))];
    for (number, packed) in dresses.iter().enumerate() {
        put(folder, "packed/leads", packed);
        processed(folder, &["packed/leads", "--output", "of-packed"]);
        assert!(files(folder.join("of-plain")) == files(folder.join("of-packed")), "dress {number}");
    }
    let framed: Vec<u8> =
        text.lines().flat_map(|line| [&u32::try_from(line.len()).expect("short").to_be_bytes(), line.as_bytes()].concat()).collect();
    put(folder, "framed/leads", gzip(&framed));
    processed(folder, &["framed/leads", "--framing", "length", "--output", "of-framed"]);
    assert!(files(folder.join("of-plain")) == files(folder.join("of-framed")));
    let from_stream = |bytes: &[u8]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_leadstream"))
            .args(["process", "-", "--output", "-", "--now", NOW])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(bytes).expect("it reads"));
            child.wait_with_output().expect("it ends").stdout
        })
    };
    assert!(from_stream(text.as_bytes()) == from_stream(&dresses[1]));
    // A backtest reads the same.
    let backtest = |input: &str| {
        let arguments = ["backtest", "--candidate", "candidate.toml", "--now", NOW, "--json", input];
        let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    put(folder, "candidate.toml", "[ruleset]\nname = \"c\"\nversion = \"2\"\nextends = \"default\"\n[score]\nthreshold = 15\n");
    assert!(backtest("plain/leads") == backtest("p[a]cked/*"));
}

#[test]
fn what_cannot_be_read_whole_is_told_with_its_place_and_all_before_it_is_decided() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let text = leads(3_000);
    put(folder, "whole.ndjson", &text);
    for (pack, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstd, "zstd")] {
        let packed: Vec<u8> = text.as_bytes().chunks(20_000).flat_map(pack).collect();
        put(folder, "cut.ndjson", &packed[..packed.len() / 2]);
        let (exit, words) = told(&process(folder, &["cut.ndjson", "--output", "cut"]));
        let place = words.strip_prefix("error: reading cut.ndjson at record ").and_then(|rest| rest.split_once(": "));
        let (record, why) = place.unwrap_or_else(|| panic!("{words}"));
        assert_eq!((exit, why), (Some(64), &*format!("its {name} stream is cut off: copy or write it again\n")));
        let record: usize = record.parse().expect("a number");
        let lines: String = text.split_inclusive('\n').take(record).collect();
        put(folder, "before/cut.ndjson", lines);
        processed(folder, &["before/cut.ndjson", "--output", "before-cut"]);
        let mut decided = files(folder.join("cut"));
        decided.remove("progress.json");
        assert!(record > 300 && decided == files(folder.join("before-cut")), "{record}");
    }
    for ending in ["gz", "zst", "avro"] {
        put(folder, &format!("none.{ending}"), "");
        let (exit, words) = told(&process(folder, &[&format!("none.{ending}"), "--output", "-"]));
        assert!(exit == Some(64) && words.contains("it is empty"), "{words}");
    }
}

#[test]
fn inputs_that_cannot_be_meant_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for file in ["a/part.ndjson", "b/part.ndjson", "out/qualified.ndjson"] {
        put(folder, file, "{}\n");
    }
    let wrong: [(&[&str], &str); 12] = [
        (&["a", "--output", "new"], "reading a: it is a folder; name the files in it, or give a pattern such as 'a/**/*.ndjson'"),
        (&["*/part.ndjson", "--output", "new"], "--name-from FOLDER"),
        (&["a/part.ndjson", "a/*", "--output", "new"], "the input a/part.ndjson is given twice"),
        (&["c/*", "--output", "new"], "looking for c/*: "),
        (&["a/*.avro", "--output", "new"], "looking for a/*.avro: no file matches"),
        (&["a/part.ndjson", "c.ndjson", "--output", "new"], "reading c.ndjson: No such file"),
        (&["a/part.ndjson", "--output", "new", "--name-from", "b"], "the file is not below that folder"),
        (&["out/*", "--output", "out"], "out/qualified.ndjson is an input, and would be written over"),
        (&["a/part.ndjson", "--output", "-", "--output-format", "avro"], "--output DIR"),
        (&["a/part.ndjson", "--output", "-", "--resume"], "--resume needs --output DIR"),
        (&["-", "--output", "new", "--resume"], "standard input cannot be read again"),
        (&["a/part.ndjson", "--output", "new", "--threads", "0"], "--threads"),
    ];
    for (arguments, words) in wrong {
        let (exit, found) = told(&process(folder, arguments));
        assert!(exit == Some(64) && found.contains(words), "{arguments:?}: {found}");
        assert!(!folder.join("new").exists(), "{arguments:?}");
    }
    assert_eq!(fs::read(folder.join("out/qualified.ndjson")).expect("untouched"), b"{}\n");
}

#[test]
fn an_input_that_changes_while_it_is_read_is_never_taken_for_whole() {
    use std::io::Read as _;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    // Far more than is held at a time, so that a run whose output nobody takes stands still within it.
    let line = ["x".repeat(99_999), "\n".to_owned()].concat();
    let whole = line.repeat(150);
    let changes: [fn(&fs::File) -> std::io::Result<()>; 2] = [|file| file.set_len(5_000_000), |mut file| file.write_all(b"{}\n")];
    for change in changes {
        put(folder, "in.ndjson", &whole);
        put(folder, "next.ndjson", "{}\n");
        let mut child = Command::new(env!("CARGO_BIN_EXE_leadstream"))
            .args(["process", "in.ndjson", "next.ndjson", "--output", "-", "--threads", "1", "--quiet"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut stdout = child.stdout.take().expect("piped");
        stdout.read_exact(&mut [0]).expect("it decides");
        change(&fs::OpenOptions::new().append(true).open(folder.join("in.ndjson")).expect("a file")).expect("changed");
        let mut decided = String::new();
        stdout.read_to_string(&mut decided).expect("readable");
        let (exit, found) = told(&child.wait_with_output().expect("it ends"));
        assert!(exit == Some(64) && found.starts_with("error: reading in.ndjson at record "), "{found}");
        assert!(found.ends_with(": it has changed while it was read: start over once nobody writes it\n"), "{found}");
        assert!(decided.lines().count() > 2 && decided.ends_with('\n') && !decided.contains("next.ndjson"));
    }
}

#[cfg(unix)]
#[test]
fn no_file_is_read_or_written_under_two_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    put(folder, "in.ndjson", "{}\n");
    put(folder, "rules.toml", "[ruleset]\nname = \"c\"\nversion = \"2\"\nextends = \"default\"\n");
    put(folder, "out/kept", "");
    for linked in ["out/routing.ndjson", "hard", "sure/progress.json"] {
        fs::create_dir_all(folder.join(linked).parent().expect("a folder")).expect("made");
        fs::hard_link(folder.join("in.ndjson"), folder.join(linked)).expect("linked");
    }
    std::os::unix::fs::symlink("in.ndjson", folder.join("soft")).expect("linked");
    let words = "which is read or written as well: name another file";
    let wrong: [(&[&str], &str); 10] = [
        (&["process", "in.ndjson", "--output", "out"], "in.ndjson is an input, and would be written over as an output"),
        (&["process", "in.ndjson", "--output", "sure"], "in.ndjson is an input, and would be written over as an output"),
        (&["process", "in.ndjson", "--output", "-", "--summary", "./in.ndjson"], words),
        (&["process", "in.ndjson", "--output", "new", "--summary", "hard"], words),
        (&["process", "in.ndjson", "--output", "new", "--summary", "new/routing.ndjson"], words),
        (&["process", "in.ndjson", "--output", "new", "--summary", "new/../new/progress.json"], words),
        (&["process", "in.ndjson", "--output", "new", "--summary", "no/counts.json"], "creating no/counts.json (--summary): No such file"),
        (&["backtest", "in.ndjson", "--candidate", "rules.toml", "--report", "soft"], words),
        (&["backtest", "in.ndjson", "--candidate", "rules.toml", "--report", "rules.toml"], words),
        (&["backtest", "in.ndjson", "--candidate", "rules.toml", "--report", "out"], "creating out (--report): Is a directory"),
    ];
    for (arguments, words) in wrong {
        let (exit, found) =
            told(&Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).output().expect("it runs"));
        assert!(exit == Some(64) && found.contains(words), "{arguments:?}: {found}");
        assert_eq!(fs::read(folder.join("in.ndjson")).expect("untouched"), b"{}\n", "{arguments:?}");
        assert!(!folder.join("new").exists() || files(folder.join("new")).is_empty(), "{arguments:?}");
    }
    // A file in the folder of the outputs that is none of them, and one that is there already.
    for _ in 0..2 {
        processed(folder, &["in.ndjson", "--output", "fresh", "--summary", "fresh/counts.json"]);
        assert!(fs::read(folder.join("fresh/counts.json")).expect("counts").starts_with(b"{\"records\":1"));
    }
}

#[test]
fn a_name_from_a_folder_keeps_event_ids_apart_and_the_same_wherever_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for day in ["day=01", "day=02"] {
        put(folder, &format!("here/{day}/part-0.ndjson"), leads(20));
        put(folder, &format!("else/where/{day}/part-0.ndjson"), leads(20));
    }
    processed(folder, &["here/*/part-0.ndjson", "--name-from", "here", "--output", "one"]);
    processed(&folder.join("else/where"), &["./day=0?/*", "--name-from", ".", "--output", "../../other"]);
    assert!(files(folder.join("one")) == files(folder.join("other")));
    let events = String::from_utf8(files(folder.join("one"))["routing.ndjson"].clone()).expect("UTF-8");
    let mut ids: Vec<_> = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["event_id"].to_string()).collect();
    assert!(ids[0].starts_with("\"day=01/part-0.ndjson/0/0/0/routed/"), "{}", ids[0]);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_to_try_again_and_a_reader_that_goes_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    put(folder, "in.ndjson", leads(2_000));
    fs::create_dir(folder.join("full")).expect("made");
    std::os::unix::fs::symlink("/dev/full", folder.join("full/routing.ndjson")).expect("linked");
    let (exit, words) = told(&process(folder, &["in.ndjson", "--output", "full"]));
    assert_eq!((exit, words.as_str()), (Some(75), "error: writing full/routing.ndjson: No space left on device (os error 28)\n"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadstream"))
        .args(["process", "in.ndjson", "--output", "-", "--summary", "counts.json"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    assert_eq!(told(&child.wait_with_output().expect("it ends")), (Some(0), String::new()));
}

/// Starts a run that is to be killed once it has come further than `than`; the place it was seen at, or `None` where it ended first.
fn kill_beyond(folder: &Path, arguments: &[&str], than: (u64, u64)) -> Option<(u64, u64)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(arguments).current_dir(folder).spawn().expect("it runs");
    loop {
        let at = fs::read(folder.join("stopped/progress.json")).ok().map(|text| {
            let progress: Value = serde_json::from_slice(&text).expect("whole at any time");
            (progress["place"]["input"].as_u64().expect("a number"), progress["place"]["record"].as_u64().expect("a number"))
        });
        if let Some(ended) = child.try_wait().expect("it is ours") {
            assert_eq!(ended.code(), Some(0));
            return None;
        }
        if let Some(at) = at.filter(|at| *at > than) {
            child.kill().expect("it is ours");
            child.wait().expect("it ends");
            return Some(at);
        }
        std::thread::yield_now();
    }
}

#[test]
fn on_a_terminal_it_closes_with_what_was_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    put(folder, "in.ndjson", format!("{}{{\"status\":1}}\n", leads(20)));
    let typed = |more: &str| {
        let command = format!("{} process in.ndjson --output out --now {NOW}{more}", env!("CARGO_BIN_EXE_leadstream"));
        let output = Command::new("script").args(["-qec", &command, "/dev/null"]).current_dir(folder).stdin(Stdio::null()).output();
        let output = output.expect("a terminal to type on");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).replace('\r', "\n")
    };
    let shown = typed("");
    assert_eq!(shown.lines().rfind(|line| !line.trim().is_empty()), Some("21 records, 20 leads, 2 dead letters"), "{shown}");
    assert!(shown.contains("(100 %)"), "{shown}");
    assert_eq!(typed(" --quiet").trim(), "");
}

#[test]
fn a_run_that_is_killed_again_and_again_leaves_the_bytes_of_one_that_was_not() {
    for form in ["ndjson", "avro"] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        put(folder, "in/a.ndjson", leads(2_000));
        put(folder, "in/b.ndjson.gz", gzip(leads(8_000).as_bytes()));
        put(folder, "in/c.ndjson", leads(2_000));
        let common = ["process", "in/*", "--quiet", "--output-format", form];
        let whole = [&common[..], &["--output", "whole", "--summary", "whole.json", "--now", NOW]].concat();
        assert!(Command::new(env!("CARGO_BIN_EXE_leadstream")).args(&whole).current_dir(folder).status().expect("it runs").success());
        let stopped = [&common[..], &["--output", "stopped", "--summary", "stopped.json", "--resume"]].concat();
        // The time is the first run's: whoever starts it again need not know it.
        let first = [&stopped[..], &["--now", NOW]].concat();
        let mut kills = 0;
        let mut at = kill_beyond(folder, &first, (0, 0));
        while let Some(place) = at {
            kills += 1;
            at = kill_beyond(folder, &stopped, place);
        }
        assert!(kills > 1, "it ended before it could be killed");
        let mut left = files(folder.join("stopped"));
        assert!(left.remove("progress.json").is_some(), "a run to be gone on with is remembered");
        assert!(left == files(folder.join("whole")), "{form}: other bytes after {kills} kills");
        assert_eq!(fs::read(folder.join("stopped.json")).expect("counts"), fs::read(folder.join("whole.json")).expect("counts"));
        // Once more: there is nothing left to do, and nothing is done.
        assert_eq!(kill_beyond(folder, &stopped, (u64::MAX, 0)), None);
        left = files(folder.join("stopped"));
        left.remove("progress.json");
        assert!(left == files(folder.join("whole")));
    }
}

#[test]
fn what_is_no_lines_is_refused_before_a_line_of_it_is_a_dead_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let utf16: Vec<u8> = format!("\u{feff}{}", leads(3)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let tar = [&[b'a'; 257][..], b"ustar\x0000", &[0; 249]].concat();
    for (name, bytes, todo) in [("utf16", utf16, "iconv"), ("zip", b"PK\x03\x04\x14\0\0\0".to_vec(), "unzip -p"), ("tar", tar, "tar -x")] {
        fs::write(folder.join(name), &bytes).expect("written");
        let refused = ["process", name, "--output", "out", "--quiet"];
        let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(refused).current_dir(folder).output().expect("it runs");
        let (exit, found) = told(&output);
        assert!(exit == Some(64) && found.starts_with(&format!("error: reading {name}: it is ")) && found.contains(todo), "{found}");
        // After their length they are any bytes.
        let framed = [&u32::try_from(bytes.len()).expect("few").to_be_bytes()[..], &bytes].concat();
        fs::write(folder.join("framed"), framed).expect("written");
        processed(folder, &["framed", "--framing", "length", "--output", "out"]);
    }
}

#[test]
fn a_run_is_not_gone_on_with_as_another_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    put(folder, "in.ndjson", leads(100));
    put(folder, "other.ndjson", leads(100));
    put(folder, "rules.toml", "[ruleset]\nname = \"other\"\nversion = \"2\"\nextends = \"default\"\n");
    processed(folder, &["in.ndjson", "--output", "out", "--resume"]);
    let before = files(folder.join("out"));
    put(folder, "tables/accounts.csv", "domain,name\nadatum.example,Adatum\n");
    let wrong: [(&[&str], &str); 8] = [
        (&["in.ndjson", "--tables", "tables"], "the tables had another value"),
        (&["in.ndjson", "--rules", "rules.toml"], "the ruleset had another value"),
        (&["in.ndjson", "--set", "identity.key=secret"], "identity.key had another value"),
        (&["in.ndjson", "--set", "limits.depth=10"], "limits had another value"),
        (&["in.ndjson", "--format", "https_json"], "--format had another value"),
        (&["in.ndjson", "other.ndjson"], "it had 1 inputs, and now there are 2"),
        (&["other.ndjson"], "in place of other.ndjson it read in.ndjson"),
        (&["in.ndjson", "--now", "2026-11-01T09:00:01Z"], "its --now was 2026-11-01T09:00:00.000000Z"),
    ];
    let again = |arguments: &[&str]| {
        let mut all = [&["process", "--output", "out", "--resume"], arguments].concat();
        all.push("--quiet");
        told(&Command::new(env!("CARGO_BIN_EXE_leadstream")).args(all).current_dir(folder).output().expect("it runs"))
    };
    for (arguments, words) in wrong {
        let (exit, found) = again(arguments);
        let start = "error: going on with the run in out (--resume): it was another run: ";
        assert!(exit == Some(64) && found.starts_with(start) && found.contains(words), "{arguments:?}: {found}");
    }
    // It was finished, and who asks for it once more hears that.
    let once_more = ["process", "in.ndjson", "--output", "out", "--resume"];
    let (exit, found) =
        told(&Command::new(env!("CARGO_BIN_EXE_leadstream")).args(once_more).current_dir(folder).output().expect("it runs"));
    assert!(exit == Some(0) && found.contains("the run before was finished: 100 records, "), "{found}");
    put(folder, "in.ndjson", leads(101));
    assert!(again(&["in.ndjson"]).1.contains("the input in.ndjson has been written since"));
    assert!(files(folder.join("out")) == before);
    // Without --resume it starts over, and leaves nothing but outputs.
    processed(folder, &["in.ndjson", "--output", "out"]);
    assert!(!folder.join("out/progress.json").exists() && files(folder.join("out"))["routing.ndjson"] != before["routing.ndjson"]);
    processed(folder, &["in.ndjson", "--output", "out", "--resume"]);
    fs::write(folder.join("out/routing.ndjson"), "").expect("written");
    let (exit, found) = again(&["in.ndjson"]);
    assert!(exit == Some(64) && found.contains("routing.ndjson: it is shorter than the run before had left it"), "{found}");
    fs::remove_file(folder.join("out/routing.ndjson")).expect("removed");
    let (exit, found) =
        told(&Command::new(env!("CARGO_BIN_EXE_leadstream")).args(once_more).current_dir(folder).output().expect("it runs"));
    assert!(exit == Some(64) && !found.contains("finished") && found.contains("without --resume all of it is decided anew"), "{found}");
}
