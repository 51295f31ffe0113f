//! The page on levels (`docs/seniority.md`) says what the program does: its lists of words are those of the data file, and its
//! examples are decided so. With `LEADSTREAM_BLESS=1` the lists are written anew.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde_json::json;

use crate::core::decide;

const OPEN: &str = "<!-- words -->\n";
const CLOSE: &str = "<!-- /words -->";

const LANGUAGES: [(&str, &str); 15] = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("it", "Italian"),
    ("pl", "Polish"),
    ("nl", "Dutch"),
    ("sv", "Swedish"),
    ("da", "Danish"),
    ("nb", "Norwegian"),
    ("ru", "Russian"),
    ("ja", "Japanese"),
    ("zh", "Chinese"),
    ("ko", "Korean"),
];

const MEANINGS: [(&str, &str); 18] = [
    ("C_LEVEL", "`C_LEVEL`"),
    ("C_LEVEL first", "`C_LEVEL`, where a part of the title begins with it"),
    ("C_LEVEL alone", "`C_LEVEL`, where it is all of a part"),
    ("C_LEVEL lowered", "`C_LEVEL`, only after a word for one rung below (genitives)"),
    ("VP", "`VP`"),
    ("DIRECTOR", "`DIRECTOR`"),
    ("DIRECTOR alone", "`DIRECTOR`, where it is all of a part"),
    ("DIRECTOR lowered", "`DIRECTOR`, only after a word for one rung below"),
    ("MANAGER", "`MANAGER`"),
    ("MANAGER last", "`MANAGER`, where a part ends with it, or before `of`"),
    ("MANAGER lowered", "`MANAGER`, only after a word for one rung below"),
    ("STAFF", "`STAFF`, whatever else stands in the title"),
    ("BELOW", "One rung below the level that follows, or that stands right before"),
    ("AIDE", "One rung below the level that follows; without one, `STAFF` whatever else stands there"),
    ("NONE", "No level, though a word in it would be one"),
    ("OF", "What follows is another person's: a level right after it ends the part"),
    ("END", "What follows is where the person works"),
    ("AND", "What follows begins anew"),
];

fn page() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/seniority.md");
    let text = fs::read_to_string(&path).expect("the page");
    (path, text)
}

/// The lists of words, one table a meaning, one row a language.
fn lists() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pipeline/normalize/data/seniority.txt");
    let file = fs::read_to_string(file).expect("the words");
    let mut words: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for line in file.lines() {
        let [phrase, meaning, languages] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}: not three columns") };
        assert!(MEANINGS.iter().any(|(name, _)| *name == meaning), "{line}: no such meaning");
        for language in languages.split(' ') {
            assert!(LANGUAGES.iter().any(|(code, _)| *code == language), "{line}: no such language");
            let shown = phrase.strip_prefix('-').map_or_else(|| phrase.to_owned(), |end| format!("…{end}"));
            words.entry((meaning, language)).or_default().push(shown);
        }
    }
    let mut text = String::new();
    for (meaning, told) in MEANINGS {
        write!(text, "\n### {told}\n\n| language | words |\n|---|---|\n").expect("a String");
        for (code, language) in LANGUAGES {
            if let Some(words) = words.get(&(meaning, code)) {
                writeln!(text, "| {language} | {} |", words.join(", ")).expect("a String");
            }
        }
    }
    text + "\n"
}

#[test]
fn the_page_has_the_words_of_the_file() {
    let (path, text) = page();
    let (before, rest) = text.split_once(OPEN).expect("where the lists begin");
    let (shown, after) = rest.split_once(CLOSE).expect("where the lists end");
    let lists = lists();
    if std::env::var_os("LEADSTREAM_BLESS").is_some() {
        fs::write(&path, format!("{before}{OPEN}{lists}{CLOSE}{after}")).expect("written");
    } else {
        assert!(shown == lists, "docs/seniority.md is not what seniority.txt says: LEADSTREAM_BLESS=1 writes it anew");
    }
}

#[test]
fn the_examples_of_the_page_are_decided_so() {
    let (_, text) = page();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let examples: Vec<_> = rows.filter_map(|(title, rest)| Some((title, rest.split_once(" |")?.0))).collect();
    let levels = ["C_LEVEL", "VP", "DIRECTOR", "MANAGER", "STAFF"];
    let examples: Vec<_> = examples.into_iter().filter(|(_, level)| levels.contains(level)).collect();
    assert!(examples.len() > 30, "{examples:?}");
    for (title, level) in examples {
        let lead = json!({"userDetails": {"email": "a@adatum.example", "title": title}, "leadSource": "SPZA-PLT|adatum.app"});
        let (outputs, _) = decide(lead.to_string().as_bytes());
        assert_eq!(outputs[0].json()["contact"]["seniority"], level, "{title}");
    }
}
