//! A schema somebody else wrote raw leads with, made ready for reading: checked against `RawLead` by Avro's rules of resolution
//! once, then a flat list of nodes that a datum is read along. Reads no datum.

use std::collections::{BTreeMap, HashMap};

use apache_avro::{
    Schema,
    error::CompatibilityError,
    schema::{InnerDecimalSchema, Name, Namespace, RecordSchema, UuidSchema},
    schema_compatibility::SchemaCompatibility,
};

use super::RecordKind;

/// A schema's nodes; more are nobody's lead.
const MOST_NODES: usize = 20_000;

/// Place of a node in its schema.
pub type NodeId = usize;

/// What stands at one place of a datum.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// No bytes.
    Null,
    /// One byte.
    Boolean,
    /// A zigzag varint, whatever its logical type but a time stamp.
    Integer,
    /// A zigzag varint: so many of these units since the epoch make a microsecond's fraction or multiple.
    Timestamp(Unit),
    /// Four bytes.
    Float,
    /// Eight bytes.
    Double,
    /// A length and bytes that are no text.
    Bytes,
    /// A length and UTF-8.
    String,
    /// So many bytes.
    Fixed(usize),
    /// The place of a symbol.
    Enum(Vec<String>),
    /// Blocks of items.
    Array(NodeId),
    /// Blocks of keys with values.
    Map(NodeId),
    /// The place of a branch, then the branch.
    Union(Vec<NodeId>),
    /// Fields in order.
    Record(Vec<(String, NodeId)>),
}

/// The unit of a time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A thousandth of a second.
    Millisecond,
    /// A millionth.
    Microsecond,
    /// A billionth.
    Nanosecond,
}

/// A writer's schema that raw leads can be read by.
#[derive(Clone, Debug, PartialEq)]
pub struct WriterSchema {
    nodes: Vec<Node>,
    root: NodeId,
}

impl WriterSchema {
    /// Reads a schema, the last of the texts, that may build on those before it: a record that resolves against `RawLead`, an
    /// array of such, or a union with one.
    ///
    /// # Errors
    /// Why raw leads cannot be read by it, for a person; at most a few hundred characters.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, String> {
        let no_schema = |error: apache_avro::Error| format!("it is no Avro schema: {}", short(&error.to_string()));
        match texts {
            [] => Err("it is empty".to_owned()),
            [text] => Self::new(&Schema::parse_str(text.as_ref()).map_err(no_schema)?),
            [before @ .., text] => {
                let (schema, before) = Schema::parse_str_with_list(text.as_ref(), before.iter().map(AsRef::as_ref)).map_err(no_schema)?;
                Self::with(&schema, &before)
            }
        }
    }

    /// The same of a schema that is parsed already.
    ///
    /// # Errors
    /// As [`WriterSchema::parse`].
    pub fn new(schema: &Schema) -> Result<Self, String> {
        Self::with(schema, &[])
    }

    /// Reads the schema of a container file, whose record goes by any name: the tools that write such files make one up.
    ///
    /// # Errors
    /// As [`WriterSchema::parse`].
    pub(super) fn of_file(schema: &Schema) -> Result<Self, String> {
        let mut schema = schema.clone();
        if let (Schema::Record(record), Schema::Record(lead)) = (&mut schema, &RecordKind::RawLead.latest().schema) {
            record.name = lead.name.clone();
        }
        Self::new(&schema)
    }

    /// Reads a schema of anything: where a value ends can be told by it, and nothing about leads.
    ///
    /// # Errors
    /// It names a type that it does not define, or has too many of them.
    pub(super) fn of_anything(schema: &Schema) -> Result<Self, String> {
        let mut builder = Builder::default();
        let root = builder.node(schema, &None)?;
        Ok(Self { nodes: builder.nodes, root })
    }

    fn with(schema: &Schema, before: &[Schema]) -> Result<Self, String> {
        let lead = RecordKind::RawLead.latest();
        readable(schema, before, &lead.schema).map_err(|why| format!("it does not resolve against RawLead {}: {why}", lead.version))?;
        let mut builder = Builder::default();
        for schema in before {
            builder.node(schema, &None)?;
        }
        let root = builder.node(schema, &None)?;
        let Schema::Record(RecordSchema { lookup, .. }) = &lead.schema else { return Err("RawLead is no record".to_owned()) };
        if !builder.has_a_field_of(root, lookup) {
            return Err("it has none of the fields of RawLead".to_owned());
        }
        Ok(Self { nodes: builder.nodes, root })
    }

    /// The node a datum begins with: a record, or an array of records.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node; every id in a schema has one.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::Null)
    }
}

/// That leads stand in values of this schema: a record that resolves, an array of such, or a union with one.
fn readable(schema: &Schema, before: &[Schema], lead: &Schema) -> Result<(), String> {
    match schema {
        Schema::Array(array) => readable(&array.items, before, lead),
        Schema::Union(union) => {
            let branches = union.variants().iter().filter(|branch| **branch != Schema::Null);
            branches.map(|branch| readable(branch, before, lead)).reduce(Result::or).unwrap_or_else(|| Err("it is null".to_owned()))
        }
        Schema::Ref { name } => match before.iter().find(|known| known.name() == Some(name)) {
            Some(known) => readable(known, before, lead),
            None => Err(format!("it names the type {}, which it does not define", short(name.as_ref()))),
        },
        record => SchemaCompatibility::can_read(record, lead).map(drop).map_err(|error| words(&error)),
    }
}

/// Why one schema cannot read another, without the library's listing of both.
pub(super) fn words(error: &CompatibilityError) -> String {
    let kind = |listing: &str| short(listing.split(['(', ' ', '{']).next().unwrap_or_default());
    match error {
        CompatibilityError::FieldTypeMismatch(field, inner) => format!("field {}: {}", short(field), words(inner)),
        CompatibilityError::WrongType { writer_schema_type, reader_schema_type } => {
            format!("what is written is {}, what is read {}", kind(writer_schema_type), kind(reader_schema_type))
        }
        CompatibilityError::NameMismatch { writer_name, reader_name } => {
            format!("the name written is {}, the name read {}", short(writer_name), short(reader_name))
        }
        other => {
            let text = other.to_string();
            let text = text.trim_start_matches("Incompatible schemata! ").trim_start_matches("Incompatible schema types! ");
            short(text)
        }
    }
}

/// What a person needs of a library's words.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    named: HashMap<String, NodeId, std::hash::BuildHasherDefault<rustc_hash::FxHasher>>,
}

impl Builder {
    fn add(&mut self, node: Node) -> Result<NodeId, String> {
        if self.nodes.len() >= MOST_NODES {
            return Err(format!("it has more than {MOST_NODES} types"));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn name(&mut self, name: &Name, namespace: &Namespace, id: NodeId) {
        self.named.insert(full(name, namespace), id);
    }

    /// Whether leads at a node have a field of these.
    fn has_a_field_of(&self, node: NodeId, fields: &BTreeMap<String, usize>) -> bool {
        match self.nodes.get(node) {
            Some(Node::Record(own)) => own.iter().any(|(name, _)| fields.contains_key(name)),
            Some(Node::Array(items)) => self.has_a_field_of(*items, fields),
            Some(Node::Union(branches)) => branches.iter().any(|branch| self.has_a_field_of(*branch, fields)),
            _ => false,
        }
    }

    fn node(&mut self, schema: &Schema, namespace: &Namespace) -> Result<NodeId, String> {
        match schema {
            Schema::Null => self.add(Node::Null),
            Schema::Boolean => self.add(Node::Boolean),
            Schema::Int | Schema::Long | Schema::Date | Schema::TimeMillis | Schema::TimeMicros => self.add(Node::Integer),
            Schema::TimestampMillis | Schema::LocalTimestampMillis => self.add(Node::Timestamp(Unit::Millisecond)),
            Schema::TimestampMicros | Schema::LocalTimestampMicros => self.add(Node::Timestamp(Unit::Microsecond)),
            Schema::TimestampNanos | Schema::LocalTimestampNanos => self.add(Node::Timestamp(Unit::Nanosecond)),
            Schema::Float => self.add(Node::Float),
            Schema::Double => self.add(Node::Double),
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => self.add(Node::Bytes),
            Schema::String | Schema::Uuid(UuidSchema::String) => self.add(Node::String),
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => self.add(Node::Bytes),
                InnerDecimalSchema::Fixed(fixed) => self.fixed(&fixed.name, fixed.size, namespace),
            },
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                self.fixed(&fixed.name, fixed.size, namespace)
            }
            Schema::Enum(symbols) => {
                let id = self.add(Node::Enum(symbols.symbols.clone()))?;
                self.name(&symbols.name, namespace, id);
                Ok(id)
            }
            Schema::Array(array) => {
                let items = self.node(&array.items, namespace)?;
                self.add(Node::Array(items))
            }
            Schema::Map(map) => {
                let values = self.node(&map.types, namespace)?;
                self.add(Node::Map(values))
            }
            Schema::Union(union) => {
                let branches: Result<_, _> = union.variants().iter().map(|branch| self.node(branch, namespace)).collect();
                self.add(Node::Union(branches?))
            }
            Schema::Record(record) => {
                // Named before its fields are read: they may lead back to it.
                let id = self.add(Node::Null)?;
                self.name(&record.name, namespace, id);
                let inner = record.name.namespace().map(str::to_owned).or_else(|| namespace.clone());
                let fields: Result<_, String> =
                    record.fields.iter().map(|field| Ok((field.name.clone(), self.node(&field.schema, &inner)?))).collect();
                if let Some(place) = self.nodes.get_mut(id) {
                    *place = Node::Record(fields?);
                }
                Ok(id)
            }
            Schema::Ref { name } => {
                let found = self.named.get(&full(name, namespace)).copied();
                found.ok_or_else(|| format!("it names the type {}, which it does not define", short(name.as_ref())))
            }
        }
    }

    fn fixed(&mut self, name: &Name, size: usize, namespace: &Namespace) -> Result<NodeId, String> {
        let id = self.add(Node::Fixed(size))?;
        self.name(name, namespace, id);
        Ok(id)
    }
}

fn full(name: &Name, namespace: &Namespace) -> String {
    match name.namespace().or(namespace.as_deref()) {
        Some(namespace) if !namespace.is_empty() => format!("{namespace}.{}", name.name()),
        _ => name.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_released_raw_lead_can_be_read() {
        for schema in crate::schemas::released().iter().filter(|schema| schema.kind == RecordKind::RawLead) {
            assert!(WriterSchema::new(&schema.schema).is_ok());
        }
    }

    #[test]
    fn a_schema_that_does_not_resolve_says_why() {
        for (text, why) in [
            ("", "no Avro schema"),
            ("<html>", "no Avro schema"),
            (r#""string""#, "does not resolve"),
            (r#"{"type":"record","name":"RawLead","fields":[{"name":"email","type":"int"}]}"#, "does not resolve"),
            (r#"{"type":"record","name":"Order","fields":[{"name":"email","type":"string"}]}"#, "does not resolve"),
            (r#"{"type":"record","name":"RawLead","fields":[{"name":"amount","type":"int"}]}"#, "none of the fields"),
            (r#"{"type":"array","items":"string"}"#, "does not resolve"),
        ] {
            let refused = WriterSchema::parse(&[text]).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_schema_may_lead_back_to_itself() {
        let text = r#"{"type":"record","name":"RawLead","namespace":"a.b","fields":[{"name":"email","type":"string"},
            {"name":"before","type":["null","RawLead"]},
            {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}},{"name":"other","type":"a.b.Kind"}]}"#;
        let schema = WriterSchema::parse(&[text]).expect("a schema");
        let Node::Record(fields) = schema.node(schema.root()) else { panic!("a record") };
        let Node::Union(branches) = schema.node(fields[1].1) else { panic!("a union") };
        assert_eq!(branches[1], schema.root());
        assert_eq!(fields[2].1, fields[3].1);
    }
}
