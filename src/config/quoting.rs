//! Which lines of a configuration file may be quoted in a problem, and how: never with a secret on them. Works on the bare text,
//! since it is needed most where the text is no TOML.

use super::{
    property::refused_properties,
    secret::{SECRET_WORDS, is_secret_name},
    written::is_reference,
};

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
pub(super) fn quotable(text: &str, line: usize, quoted: &str) -> Option<String> {
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
    // A URL that names a user, perhaps with a password.
    let user_in_url = line.split_once("://").filter(|(_, rest)| rest.contains('@')).map(|(before, _)| before.len());
    let secret = SECRET_WORDS.iter().filter_map(|word| end(word)).chain(key).chain(user_in_url).min();
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
            "[otlp]\nauthorization = Bearer hunter2\n",
            "otlp = { authorization = [\"hunter2\"] }\n",
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
