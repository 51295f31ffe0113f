//! The evolution gate: what is wrong with a set of released schema files, told as one list. Pure: it is handed texts and the
//! lines of the lock; a test hands it the folder `schemas/`, and copies in which something was broken.

use std::{collections::BTreeMap, fmt::Write as _};

use apache_avro::{
    Schema,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};
use sha2::{Digest, Sha256};

/// One schema file, as released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaFile<'t> {
    /// The record's name, that of the folder.
    pub record: &'t str,
    /// The number in the file's name.
    pub version: u32,
    /// The file's text.
    pub text: &'t str,
}

impl SchemaFile<'_> {
    /// Where the file lies below `schemas/`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/v{}.avsc", self.record, self.version)
    }

    /// The file's line in the lock, as `sha256sum` writes it.
    #[must_use]
    pub fn lock_line(&self) -> String {
        let mut line = String::with_capacity(96);
        for byte in Sha256::digest(self.text.as_bytes()) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{byte:02x}");
        }
        let _ = write!(line, "  {}", self.path());
        line
    }
}

/// Everything that is wrong with these files under this lock; nothing, when subscribers of any version can go on reading.
#[must_use]
pub fn problems(files: &[SchemaFile<'_>], lock: &str) -> Vec<String> {
    let mut found = locked(files, lock);
    let mut records: BTreeMap<&str, Vec<SchemaFile<'_>>> = BTreeMap::new();
    for file in files {
        records.entry(file.record).or_default().push(*file);
    }
    let mut latest = Vec::new();
    for (record, mut versions) in records {
        versions.sort_by_key(|file| file.version);
        for (file, expected) in versions.iter().zip(1..) {
            if file.version != expected {
                found.push(format!("{}: version {expected} of {record} is missing; versions count from 1 without gaps", file.path()));
                break;
            }
        }
        let mut before: Vec<(SchemaFile<'_>, Schema)> = Vec::new();
        for file in versions {
            let path = file.path();
            let schema = match Schema::parse_str(file.text) {
                Ok(schema) => schema,
                Err(error) => {
                    found.push(format!("{path}: is no Avro schema: {error}"));
                    continue;
                }
            };
            found.extend(shape(&schema, record, before.is_empty()).into_iter().map(|problem| format!("{path}: {problem}")));
            for (earlier, older) in &before {
                let problems = changes(older, &schema).into_iter().chain(unreadable(older, &schema));
                found.extend(problems.map(|problem| format!("{path} after {}: {problem}", earlier.path())));
            }
            before.push((file, schema));
        }
        latest.extend(before.pop());
    }
    found.extend(differing(&latest));
    found
}

/// Named types that two records tell differently: code that is generated from both would have the name twice.
fn differing(latest: &[(SchemaFile<'_>, Schema)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut known: BTreeMap<String, (String, String)> = BTreeMap::new();
    for (file, schema) in latest {
        for (name, definition) in Parts::of(schema).definitions() {
            let (first, told) = known.entry(name.clone()).or_insert_with(|| (file.path(), definition.clone()));
            if *told != definition {
                found.push(format!("{}: {name} is not the same as in {first}; what records share changes in all of them", file.path()));
            }
        }
    }
    found
}

/// What does not agree with the lock.
fn locked(files: &[SchemaFile<'_>], lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines: Vec<(&str, &str)> = lock.lines().filter_map(|line| line.split_once("  ")).collect();
    if let Some(line) = lock.lines().find(|line| line.split_once("  ").is_none()) {
        found.push(format!("LOCK: {line:?} is not a line as sha256sum writes it"));
    }
    for file in files {
        let path = file.path();
        let line = file.lock_line();
        let mut known = lines.iter().filter(|(_, locked)| *locked == path);
        match (known.next(), known.next()) {
            (None, _) => found.push(format!("{path}: is not in LOCK; a new version is released with the line {line:?}")),
            (Some(_), Some(_)) => found.push(format!("LOCK: has {path} twice")),
            (Some((digest, _)), None) if !line.starts_with(digest) || digest.len() != 64 => {
                found.push(format!("{path}: is released and was changed; put it back as it was, and make the change in a new version"));
            }
            _ => {}
        }
    }
    for (_, path) in lines {
        if !files.iter().any(|file| file.path() == path) {
            found.push(format!("{path}: stands in LOCK, so it is released, and is missing"));
        }
    }
    found
}

/// A schema taken apart: every field and every enum by a name that later versions share.
#[derive(Default)]
struct Parts {
    /// `Record.field`.
    fields: BTreeMap<String, FieldPart>,
    /// The enum's full name.
    enums: BTreeMap<String, EnumPart>,
    /// Whatever has no documentation.
    untold: Vec<String>,
}

struct FieldPart {
    /// The type, spelled out; a named type is its name.
    of: String,
    default: Option<serde_json::Value>,
}

struct EnumPart {
    symbols: Vec<String>,
    default: Option<String>,
}

impl Parts {
    fn of(schema: &Schema) -> Self {
        let mut parts = Self::default();
        parts.add(schema);
        parts
    }

    /// Each named type with its fields or symbols, as one text.
    fn definitions(&self) -> BTreeMap<String, String> {
        let mut definitions: BTreeMap<String, String> = BTreeMap::new();
        for (path, part) in &self.fields {
            let (of, name) = path.rsplit_once('.').unwrap_or_default();
            let _ = write!(definitions.entry(of.to_owned()).or_default(), "{name}: {} = {:?}; ", part.of, part.default);
        }
        definitions.extend(self.enums.iter().map(|(name, part)| (name.clone(), format!("{:?} = {:?}", part.symbols, part.default))));
        definitions
    }

    fn add(&mut self, schema: &Schema) {
        let untold = |doc: &Option<String>| doc.as_deref().is_none_or(|doc| doc.trim().is_empty());
        match schema {
            Schema::Record(record) => {
                let name = record.name.to_string();
                if untold(&record.doc) {
                    self.untold.push(format!("record {name}"));
                }
                for field in &record.fields {
                    let path = format!("{name}.{}", field.name);
                    if untold(&field.doc) {
                        self.untold.push(format!("field {path}"));
                    }
                    self.fields.insert(path, FieldPart { of: spelled(&field.schema), default: field.default.clone() });
                    self.add(&field.schema);
                }
            }
            Schema::Enum(of) => {
                let name = of.name.to_string();
                if untold(&of.doc) {
                    self.untold.push(format!("enum {name}"));
                }
                self.enums.insert(name, EnumPart { symbols: of.symbols.clone(), default: of.default.clone() });
            }
            Schema::Union(union) => union.variants().iter().for_each(|variant| self.add(variant)),
            Schema::Array(array) => self.add(&array.items),
            Schema::Map(map) => self.add(&map.types),
            _ => {}
        }
    }
}

/// A type in words: `null or timestamp-micros`, `array of leadstream.ScorePart`.
fn spelled(schema: &Schema) -> String {
    match schema {
        Schema::Record(record) => record.name.to_string(),
        Schema::Enum(of) => of.name.to_string(),
        Schema::Ref { name } => name.to_string(),
        Schema::Union(union) => union.variants().iter().map(spelled).collect::<Vec<_>>().join(" or "),
        Schema::Array(array) => format!("array of {}", spelled(&array.items)),
        Schema::Map(map) => format!("map of {}", spelled(&map.types)),
        Schema::TimestampMicros => "timestamp-micros".to_owned(),
        // A primitive's canonical form is its name in quotes; of a logical type the debug form tells which.
        other => match other.canonical_form().trim_matches('"') {
            plain if format!("{other:?}").eq_ignore_ascii_case(plain) => plain.to_owned(),
            plain => format!("{plain} as {other:?}"),
        },
    }
}

/// What each schema must have by itself.
fn shape(schema: &Schema, record: &str, is_first: bool) -> Vec<String> {
    let mut found = Vec::new();
    match schema {
        Schema::Record(top) if top.name.name() == record => {}
        other => found.push(format!("is not the record {record} but {}", spelled(other))),
    }
    let parts = Parts::of(schema);
    found.extend(parts.untold.iter().map(|what| format!("{what} has no doc; say what it means to a reader")));
    for (name, part) in &parts.enums {
        if part.default.is_none() {
            found.push(format!("enum {name} has no default; a reader of this version would fail on any symbol that comes later"));
        }
    }
    for (path, part) in parts.fields.iter().filter(|(_, part)| part.default.is_none()) {
        let wanted = ["null or ", "array of ", "map of "].iter().any(|kind| part.of.starts_with(kind));
        if wanted && is_first {
            found.push(format!("field {path} may be null or empty and has no default"));
        }
    }
    found
}

/// What a later version does to an earlier one, beyond what a reader's schema alone can tell: resolution lets symbols with a
/// default go and logical types change.
fn changes(older: &Schema, newer: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    let (old, new) = (Parts::of(older), Parts::of(newer));
    for (path, was) in &old.fields {
        match new.fields.get(path) {
            None => found.push(format!("field {path} is gone; readers of the earlier version rely on it")),
            Some(is) if is.of != was.of => found.push(format!("field {path} was {} and is {}; a type never changes", was.of, is.of)),
            Some(is) if is.default != was.default => found.push(format!("field {path} has another default")),
            Some(_) => {}
        }
    }
    for (path, is) in &new.fields {
        // The fields of a record type that is new come with it.
        let of_known_type = path.rsplit_once('.').is_some_and(|(of, _)| old.fields.keys().any(|field| within(field, of)));
        if of_known_type && !old.fields.contains_key(path) && is.default.is_none() {
            found.push(format!("field {path} is new and has no default; it could not read what the earlier version wrote"));
        }
    }
    for (name, was) in &old.enums {
        match new.enums.get(name) {
            None => found.push(format!("enum {name} is gone")),
            Some(is) => {
                for symbol in was.symbols.iter().filter(|symbol| !is.symbols.contains(symbol)) {
                    found.push(format!("symbol {symbol} of enum {name} is gone; what was written with it would read as the default"));
                }
                if is.default != was.default {
                    found.push(format!("enum {name} has another default"));
                }
            }
        }
    }
    found
}

/// Whether a field's path is `of` and one name.
fn within(field: &str, of: &str) -> bool {
    field.strip_prefix(of).and_then(|rest| rest.strip_prefix('.')).is_some_and(|name| !name.contains('.'))
}

/// Avro's own word on both directions.
fn unreadable(older: &Schema, newer: &Schema) -> Vec<String> {
    let directions = [
        ("BACKWARD: a reader of the new version cannot read what the earlier one wrote", older, newer),
        ("FORWARD: a reader of the earlier version cannot read what the new one writes", newer, older),
    ];
    let mut found = Vec::new();
    for (what, writer, reader) in directions {
        match SchemaCompatibility::can_read(writer, reader) {
            Ok(Compatibility::Full) => {}
            Ok(Compatibility::Partial) => found.push(format!("not {what}: not every value")),
            // Only the first line: what follows is both schemas, at length.
            Err(error) => found.push(format!("not {what}: {}", error.to_string().lines().next().unwrap_or_default())),
        }
    }
    found
}
