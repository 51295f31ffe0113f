//! Where values come from: the file's text and folder, and the environment. Turns a fault into a problem that names the file,
//! line and column, the variable or the flag, and never quotes a line with a secret on it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    property::refused_properties,
    written::{Fault, Origin, is_reference},
};
use crate::problem::Problem;

/// The file and the environment as they were at the start.
#[derive(Default)]
pub(super) struct Sources {
    /// The configuration file as it was named.
    pub(super) file: Option<PathBuf>,
    /// Its text without a byte-order mark; empty if there is none, or if it cannot be read.
    pub(super) text: String,
    pub(super) environment: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the file; one that cannot be read is a problem, and then as good as empty.
    pub(super) fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut text = String::new();
        if let Some(path) = file {
            let name = path.display().to_string();
            match std::fs::read(path).map(String::from_utf8) {
                Ok(Ok(content)) => text = content.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(content),
                Ok(Err(error)) => {
                    let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                    let problem = Problem::error("not_utf8", "the file is not UTF-8").hint("save it as UTF-8").in_file(name);
                    problems.push(Problem { quoted: None, ..problem.at(&valid, valid.len()) });
                }
                Err(error) => problems.push(
                    Problem::error("unreadable_file", format!("cannot read the configuration file: {error}"))
                        .hint("check the path given to --config")
                        .in_file(name),
                ),
            }
        }
        (Self { file: file.map(Path::to_owned), text, environment: environment.collect() }, problems)
    }

    /// The folder that paths in the file are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// The fault, told at its place.
    pub(super) fn problem(&self, fault: Fault, origin: &Origin) -> Problem {
        let problem = Problem { hint: fault.hint, ..Problem::error(fault.code, fault.message) };
        match origin {
            Origin::File(start) => self.in_file(problem, fault.offset.unwrap_or(*start)),
            Origin::Environment(name) => problem.in_file(name.clone()),
            Origin::Set(key) => problem.in_file(format!("--set {key}")),
        }
    }

    /// Points at byte `offset` of the configuration file.
    pub(super) fn in_file(&self, problem: Problem, offset: usize) -> Problem {
        let name = self.file.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let mut problem = problem.in_file(name).at(&self.text, offset);
        if let Some(quoted) = &problem.quoted {
            problem.quoted = quotable(&self.text, problem.line, quoted);
        }
        problem
    }
}

/// Words in a key's name that say its value must not be shown.
const SECRET_WORDS: [&str; 7] = ["password", "secret", "passphrase", "pem", "token", "sasl.oauthbearer.config", "kinit"];

/// Whether a property of this name holds a secret, whatever it is set to.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Beginnings of client properties whose values are nobody's secret. A misspelt secret begins like none of them.
const HARMLESS: [&str; 18] = [
    "security.protocol",
    "sasl.mechanism",
    "debug",
    "fetch.",
    "queued.",
    "queue.",
    "linger.",
    "partitioner",
    "batch.",
    "compression.",
    "session.",
    "heartbeat.",
    "max.poll.",
    "client.",
    "statistics.",
    "reconnect.",
    "topic.",
    "ssl.endpoint.",
];

/// Whether the value of a client property of this name may be shown.
fn is_harmless(name: &str) -> bool {
    let known = || HARMLESS.iter().any(|start| name.starts_with(start)) || refused_properties().any(|refused| refused == name);
    !is_secret_name(name) && known()
}

/// The line as it may be shown: what stands after the `=` of a secret is hidden, and so is every line inside one. Works on
/// the bare text, since it is needed most where the text is no TOML.
fn quotable(text: &str, line: usize, quoted: &str) -> Option<String> {
    let mut section = "";
    let mut inside: Option<&str> = None;
    for (index, content) in text.lines().enumerate() {
        let is_asked = index + 1 == line;
        if let Some(quotes) = inside {
            if is_asked {
                return None;
            }
            inside = inside.filter(|_| !content.contains(quotes));
            continue;
        }
        if content.trim_start().starts_with('[') {
            section = content;
        }
        let secret = secret_word(section, content);
        if is_asked {
            return Some(secret.map_or_else(|| quoted.to_owned(), |word_end| hide(content, word_end)));
        }
        if secret.is_some() {
            inside = ["\"\"\"", "'''"].into_iter().find(|quotes| content.matches(quotes).count() == 1);
        }
    }
    Some(quoted.to_owned())
}

/// Where the first word ends that makes the line a secret's.
fn secret_word(section: &str, line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let end = |word: &str| lower.find(word).map(|start| start + word.len());
    let of_identity = section.contains("identity") || lower.contains("identity");
    let key = if of_identity { end("key") } else { None };
    let secret = SECRET_WORDS.iter().filter_map(|word| end(word)).chain(key).min();
    secret.or_else(|| property_name(&section.to_ascii_lowercase(), &lower).filter(|(name, _)| !is_harmless(name)).map(|(_, end)| end))
}

/// Name of the client property that a line sets, and where it ends: what such a property holds is known for few of them.
fn property_name<'l>(section: &str, line: &'l str) -> Option<(&'l str, usize)> {
    let (key, value) = line.split_once('=')?;
    let of_client = |text: &str| ["client", "consumer", "producer"].iter().any(|clients| text.contains(clients));
    let in_section = section.contains("kafka") && of_client(section);
    let inline = of_client(key) && (section.contains("kafka") || key.contains("kafka")) || key.trim() == "kafka" && value.contains('{');
    (in_section || inline).then_some(())?;
    // The last part of a dotted key, which has dots itself and so stands in quotes.
    let name = key.trim().trim_matches(['"', '\'']).rsplit(['"', '\'']).next().unwrap_or_default();
    Some((name, key.len()))
}

/// The line up to its first `=`, unless what follows only says where the secret is.
fn hide(line: &str, word_end: usize) -> String {
    match line.split_once('=') {
        Some((_, value)) if is_reference(value) => line.to_owned(),
        Some((name, _)) => format!("{name}= [redacted]"),
        None => format!("{} [redacted]", &line[..word_end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_secret_is_never_quoted() {
        let text = "[kafka.client]\n\"sasl.password\" = hunter2\n\"ssl.key.pem\" = \"\"\"abc\nhunter2 = 3\n\"\"\"\n[identity]\nkey = hunter2\nother = 1\n";
        for line in 1..=text.lines().count() {
            let quoted = text.lines().nth(line - 1).expect("a line");
            let shown = quotable(text, line, quoted).unwrap_or_default();
            assert!(!shown.contains("hunter2"), "line {line}: {shown}");
        }
        for text in [
            "[kafka.client]\n\"sasl.jaas.config\" = \"hunter2\"\n",
            "[kafka.producer]\n'sasl.passwort' = 'hunter2'\n",
            "[kafka]\nclient.\"ssl.keystore.pasword\" = \"hunter2\"\n",
            "[kafka]\nclient = { \"sasl.x\" = \"hunter2\" }\n",
            "kafka.consumer.\"oauth\" = \"hunter2\"\n",
            "kafka = { client = { x = \"hunter2\" } }\n",
            "[kafka . client]\nx = \"\"\"\nhunter2 = 1\n\"\"\"\n",
        ] {
            for (index, quoted) in text.lines().enumerate() {
                let shown = quotable(text, index + 1, quoted).unwrap_or_default();
                assert!(!shown.contains("hunter2"), "{text}: {shown}");
            }
        }
        let harmless = "[kafka.consumer]\n\"fetch.wait.max.ms\" = \"soon\"\n\"acks\" = 1\n";
        assert_eq!(quotable(harmless, 2, "\"fetch.wait.max.ms\" = \"soon\"").as_deref(), Some("\"fetch.wait.max.ms\" = \"soon\""));
        assert_eq!(quotable(harmless, 3, "\"acks\" = 1").as_deref(), Some("\"acks\" = 1"));
        assert_eq!(quotable(text, 8, "other = 1").as_deref(), Some("other = 1"));
        assert_eq!(quotable(text, 2, "").as_deref(), Some("\"sasl.password\" = [redacted]"));
    }
}
