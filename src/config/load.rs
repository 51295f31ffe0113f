//! The three layers (file, environment, `--set`) laid over the defaults, and what only the whole can tell. Every problem of
//! every layer is found in one go; a value that is wrong leaves the one below it in place, so that the rest can be judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
};

use toml::de::{DeTable, DeValue};

use super::{
    Config, Delivery, RunConfig, encoding, memory, otlp,
    property::{self, PropertyCheck},
    rules, schema,
    sources::Sources,
    syntax::{self, SyntaxError},
    written::{Fault, Faults, Form, Origin, Written, reference, show_bytes},
};
use crate::problem::{Problem, Severity};

/// Environment variables of leadstream start with this; `__` stands between the parts of a key.
const PREFIX: &str = "LEADSTREAM__";

/// The configuration, and its warnings beside it.
///
/// # Errors
/// Every problem, warnings too, if one of them is an error.
pub fn load(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let (config, problems) = inspect(file, env, sets, &|_, _| Ok(()));
    if problems.iter().any(Problem::is_error) { Err(problems) } else { Ok((config, problems)) }
}

/// The configuration as far as it can be read, with everything that is wrong in it: for those who want the problems of rules
/// and tables too before they give up. `check` is asked about each property of the Kafka client.
pub fn inspect(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    sets: &[String],
    check: &PropertyCheck<'_>,
) -> (Config, Vec<Problem>) {
    let (sources, unreadable) = Sources::read(file, env);
    let mut loader = Loader {
        config: Config::default(),
        sources: &sources,
        check,
        origins: BTreeMap::new(),
        failed: BTreeSet::new(),
        found: unreadable.into_iter().map(|problem| (0, problem)).collect(),
    };
    loader.file();
    loader.environment();
    loader.sets(sets);
    loader.whole();
    let Loader { config, mut found, .. } = loader;
    // Each layer in its own order: the file from top to bottom, variables by name, flags as given.
    found.sort_by_key(|(rank, problem)| (*rank, problem.line, problem.column));
    (config, found.into_iter().map(|(_, problem)| problem).collect())
}

struct Loader<'a> {
    config: Config,
    sources: &'a Sources,
    check: &'a PropertyCheck<'a>,
    /// Where each key that is set was last set.
    origins: BTreeMap<&'static str, Origin>,
    /// Keys that could not be read: nothing more is said about them.
    failed: BTreeSet<&'static str>,
    /// Problems with the rank of their layer.
    found: Vec<(usize, Problem)>,
}

impl Loader<'_> {
    fn tell(&mut self, fault: Fault, origin: &Origin) {
        self.found.push((rank(origin), self.sources.problem(fault, origin)));
    }

    /// The file's layer. What stands on a piece that is no TOML is not judged twice.
    fn file(&mut self) {
        let sources = self.sources;
        let (text, errors) = syntax::recover(&sources.text);
        let mut broken = Vec::new();
        for SyntaxError { offset, message } in errors {
            let problem = Problem::error("toml_syntax", format!("not valid TOML: {message}")).hint(syntax::hint(&message));
            self.found.push((0, sources.in_file(problem, offset)));
            broken.push(offset);
        }
        let (table, _) = DeTable::parse_recoverable(&text);
        self.table(table.get_ref(), "", &broken);
    }

    fn table(&mut self, table: &DeTable<'_>, prefix: &str, broken: &[usize]) {
        for (name, value) in table {
            let Range { start, end } = name.span();
            let origin = Origin::File(value.span().start);
            let path = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
            let is_broken = broken.iter().any(|offset| (start..=value.span().end.max(end)).contains(offset));
            if is_broken && !schema::is_section(&path) {
                continue;
            }
            let written = Written { key: &path, form: Form::Toml(value), origin: &origin, sources: self.sources };
            if schema::PROPERTY_SECTIONS.contains(&prefix) {
                self.property(prefix, name.get_ref(), written);
            } else if name.get_ref().contains('.') {
                let fault = Fault::new("unknown_key", format!("unknown key {:?}", name.get_ref())).hint("write the key without quotes");
                self.tell(fault, &Origin::File(start));
            } else if let Some(key) = schema::find(&path).filter(|_| !(schema::is_section(&path) && value.get_ref().is_table())) {
                self.key(key, written);
            } else if schema::is_section(&path) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(inner, &path, broken),
                    _ => self.tell(written.wrong(&format!("a section: [{path}]")), &origin),
                }
            } else {
                self.unknown(&path, &Origin::File(start));
            }
        }
    }

    fn environment(&mut self) {
        let sources = self.sources;
        for (name, text) in &sources.environment {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let mut path = rest.to_lowercase().replace("__", ".");
            for section in schema::PROPERTY_SECTIONS {
                if let Some(property) = path.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) {
                    path = format!("{section}.{}", property.replace('_', "."));
                    break;
                }
            }
            self.given(&path, text, &Origin::Environment(name.clone()));
        }
    }

    fn sets(&mut self, sets: &[String]) {
        for set in sets {
            if let Some((key, text)) = set.split_once('=') {
                self.given(key.trim(), text, &Origin::Set(key.trim().to_owned()));
            } else {
                let fault = Fault::new("set_without_value", "there is no \"=\"").hint("write --set KEY=VALUE");
                // What follows may be anything, a secret too: only what can be a key is shown.
                let key: String = set.chars().take_while(|c| c.is_ascii_lowercase() || matches!(c, '.' | '_')).collect();
                self.tell(fault, &Origin::Set(key));
            }
        }
    }

    /// A value that was written as text.
    fn given(&mut self, path: &str, text: &str, origin: &Origin) {
        let written = Written { key: path, form: Form::Text(text), origin, sources: self.sources };
        let property = schema::PROPERTY_SECTIONS.iter().find_map(|section| {
            let name = path.strip_prefix(section)?.strip_prefix('.')?;
            (!name.is_empty()).then_some((*section, name))
        });
        if let Some((section, name)) = property {
            self.property(section, name, written);
        } else if let Some(key) = schema::find(path) {
            self.key(key, written);
        } else if schema::is_section(path) {
            let fault = Fault::new("unknown_key", format!("{path:?} is a section, not a key")).hint("name a key in it");
            self.tell(fault, origin);
        } else {
            self.unknown(path, origin);
        }
    }

    fn key(&mut self, key: &schema::Key, written: Written<'_>) {
        self.origins.insert(key.path, written.origin.clone());
        match (key.read)(&mut self.config, written) {
            Ok(()) => {
                self.failed.remove(key.path);
            }
            Err(Faults(faults)) => {
                self.failed.insert(key.path);
                for fault in faults {
                    self.tell(fault, written.origin);
                }
            }
        }
    }

    fn property(&mut self, section: &str, name: &str, written: Written<'_>) {
        let is_unquoted = matches!(written.form, Form::Toml(value) if value.get_ref().is_table() && reference(value.get_ref()).is_none());
        if is_unquoted {
            let fault = Fault::new("wrong_type", format!("{section}.{name} is a table; a property is a text, a number, true or false"))
                .hint("put the property's whole name in quotes, since it has dots: \"security.protocol\" = \"SASL_SSL\"");
            return self.tell(fault, written.origin);
        }
        match property::read(name, written, self.check) {
            Ok(value) => {
                let properties = match section {
                    "kafka.consumer" => &mut self.config.kafka.consumer,
                    "kafka.producer" => &mut self.config.kafka.producer,
                    _ => &mut self.config.kafka.client,
                };
                properties.insert(name.to_owned(), value);
            }
            Err(fault) => self.tell(fault, written.origin),
        }
    }

    fn unknown(&mut self, path: &str, origin: &Origin) {
        let fault = Fault::new("unknown_key", format!("unknown key {path:?}"));
        let fault = match (schema::nearest(path), origin) {
            (Some(near), Origin::Environment(_)) => fault.hint(format!("did you mean {PREFIX}{}?", near.to_uppercase().replace('.', "__"))),
            (Some(near), _) => fault.hint(format!("did you mean {near:?}?")),
            (None, _) => fault.hint("deploy/config/reference.toml shows every key"),
        };
        self.tell(fault, origin);
    }

    /// What only the whole can tell.
    fn whole(&mut self) {
        let topics = self.config.topics.clone();
        let outputs = [
            ("topics.qualified", &topics.qualified),
            ("topics.unqualified", &topics.unqualified),
            ("topics.routing", &topics.routing),
            ("topics.dead_letter", &topics.dead_letter),
            ("topics.ledger", &topics.ledger),
        ];
        for (index, (key, name)) in outputs.iter().enumerate() {
            if topics.raw.contains(name) {
                let fault = Fault::new("duplicate_topic", format!("{name:?} is both read (topics.raw) and written ({key})"))
                    .hint("decisions must go to another topic than the raw leads, or they would be read again");
                self.tell_of_both(fault, key, "topics.raw");
            }
            if let Some((other, _)) = outputs[..index].iter().find(|(_, known)| known == name) {
                let fault = Fault::new("duplicate_topic", format!("{key} and {other} are both {name:?}"))
                    .hint("give each output a topic of its own: their records differ in kind");
                self.tell_of_both(fault, key, other);
            }
        }
        if self.config.run.delivery == Delivery::AtLeastOnce {
            // What a ledger says once, such a run may do twice.
            self.config.topics.ledger.clear();
        }
        let RunConfig { lanes, memory, .. } = self.config.run;
        if memory / lanes.max(1) < memory::LEAST {
            let least = show_bytes(lanes * memory::LEAST);
            let fault = Fault::new("out_of_range", format!("run.memory is {}, too little for {lanes} lanes", show_bytes(memory)))
                .hint(format!("set run.memory to {least} or more, or fewer run.lanes: each lane needs {}", show_bytes(memory::LEAST)));
            self.tell_of_both(fault, "run.memory", "run.lanes");
        }
        let is_set = |key: &str| self.origins.contains_key(key);
        let rules = rules::together(&self.config.rules, is_set);
        for (key, is_error, fault) in
            encoding::together(&self.config.encoding).into_iter().chain(rules).chain(otlp::together(&self.config.otlp))
        {
            let Some(origin) = self.origins.get(key).filter(|_| !self.failed.contains(key)).cloned() else { continue };
            let severity = if is_error { Severity::Error } else { Severity::Warning };
            let problem = Problem { severity, ..self.sources.problem(fault, &origin) };
            self.found.push((rank(&origin), problem));
        }
        if self.config.identity_key.is_none() && !self.failed.contains("identity.key") {
            let warning = Problem::warning(
                "identity_key_unset",
                "identity.key is not set: person_key is an unkeyed hash, and who knows an e-mail address can recompute it",
            )
            .hint(
                "set identity.key = { env = \"LEADSTREAM_KEY\" } to a long random text, and keep it: another key gives other person keys",
            );
            self.found.push((3, warning));
        }
    }

    /// A fault between two keys, told where either was set, rather at the first; not if either is wrong already.
    fn tell_of_both(&mut self, fault: Fault, key: &str, other: &str) {
        // Of a bad list of topics the good ones are known.
        let is_unknown = |key: &str| key != "topics.raw" && self.failed.contains(key);
        if is_unknown(key) || is_unknown(other) {
            return;
        }
        if let Some(origin) = self.origins.get(key).or_else(|| self.origins.get(other)).cloned() {
            self.tell(fault, &origin);
        }
    }
}

/// The layers in order.
fn rank(origin: &Origin) -> usize {
    match origin {
        Origin::File(_) => 0,
        Origin::Environment(_) => 1,
        Origin::Set(_) => 2,
    }
}
