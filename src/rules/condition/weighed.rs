//! A condition weighed against a lead, part by part: what it asks, what the lead has, whether it holds, and what would have to be
//! otherwise. For explanations and coverage: the hot path asks `evaluate` alone, which also answers every part here.

use serde::Serialize;

use super::{
    assumed::{Assumed, Equality},
    evaluate::{self, Scope},
    fields::{Field, Type, Value},
    tree::{Elements, Node},
    written,
};
use crate::{
    lead::{Flag, Vocabulary as _},
    rules::Subject,
};

/// A condition, or a part of one, beside what the lead has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weighed {
    /// The part, as conditions are written.
    pub when: String,
    /// Whether it holds for the lead.
    pub held: bool,
    /// The fields it compares, with what the lead has there; only where there are no smaller parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Compared>,
    /// How the parts make the whole.
    #[serde(skip)]
    pub of: Of,
    /// The parts, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Weighed>,
    /// What holds exactly where this does not.
    #[serde(skip)]
    pub negated: String,
    #[serde(skip)]
    pub(super) equality: Option<Equality>,
}

/// A field and what the lead has there, both as conditions write them; what is missing is `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The field.
    pub field: String,
    /// What it is; a long text is cut.
    pub is: String,
    /// Whether it can be any text, so that somebody's name may stand in it.
    #[serde(skip)]
    pub is_free: bool,
}

impl Compared {
    fn redact(&mut self) {
        if self.is_free && self.is != NULL {
            "\"[redacted]\"".clone_into(&mut self.is);
        }
    }
}

/// How parts make a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// There are none: fields are compared.
    Fields,
    /// There are none: it is asked by no condition but by a key, such as a date.
    Said,
    /// Nothing is compared: it is always so.
    Nothing,
    /// `&&`
    All,
    /// `||`
    Any,
    /// `!`
    Not,
    /// `?:`: what is asked, then, else.
    Choice,
}

/// Texts that are no words of a list, but nobody's own either.
const CLOSED: [&str; 3] = ["contact.country", "marketing_campaign", "source.topic"];
const NULL: &str = "null";
/// Letters of a value that are shown.
const LONGEST_SHOWN: usize = 80;

impl Weighed {
    /// Something that no condition says, such as that a rule is in force.
    pub(in crate::rules) fn said(when: impl Into<String>, held: bool, values: Vec<Compared>) -> Self {
        let when = when.into();
        let negated = format!("!({when})");
        Self { when, held, values, of: Of::Said, parts: Vec::new(), negated, equality: None }
    }

    /// What holds where all of these do.
    pub(in crate::rules) fn all(parts: Vec<Self>) -> Self {
        let own = |part: Self| if part.of == Of::All { part.parts } else { vec![part] };
        let mut parts: Vec<Self> = parts.into_iter().flat_map(own).collect();
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let always = parts.is_empty();
        let when = if always { "true".to_owned() } else { parts.iter().map(Self::as_side).collect::<Vec<_>>().join(" && ") };
        let negated = if always { "false".to_owned() } else { format!("!({when})") };
        Self {
            held: parts.iter().all(|part| part.held),
            values: Vec::new(),
            of: if always { Of::Nothing } else { Of::All },
            parts,
            when,
            negated,
            equality: None,
        }
    }

    fn as_side(&self) -> String {
        if matches!(self.of, Of::Any | Of::Choice) { format!("({})", self.when) } else { self.when.clone() }
    }

    /// Leaves no text that is not out of a fixed list.
    pub fn redact(&mut self) {
        self.values.iter_mut().for_each(Compared::redact);
        self.parts.iter_mut().for_each(Self::redact);
    }

    /// The fewest conditions that would have to hold, so that this one holds no more, or holds: each with what the lead has now.
    /// Nothing where no lead could change it.
    #[must_use]
    pub fn turned(&self) -> Option<Vec<Turned>> {
        let fewest = |parts: &mut dyn Iterator<Item = &Self>| parts.filter_map(Self::turned).min_by_key(Vec::len);
        let every = |parts: &mut dyn Iterator<Item = &Self>| {
            let turned: Option<Vec<_>> = parts.map(Self::turned).collect();
            turned.map(|turned| turned.into_iter().flatten().collect())
        };
        match (self.of, self.held) {
            (Of::Nothing, _) => None,
            (Of::Fields | Of::Said, held) => {
                let want = if held { &self.negated } else { &self.when };
                Some(vec![Turned { want: want.clone(), values: self.values.clone(), assumed: Assumed::of(self, !held) }])
            }
            (Of::Not, _) => self.parts.first()?.turned(),
            (Of::All, true) | (Of::Any, false) => fewest(&mut self.parts.iter()),
            (Of::All, false) => every(&mut self.parts.iter().filter(|part| !part.held)),
            (Of::Any, true) => every(&mut self.parts.iter().filter(|part| part.held)),
            (Of::Choice, _) => {
                let [asked, yes, no] = self.parts.as_slice() else { return None };
                if asked.held { yes } else { no }.turned()
            }
        }
    }
}

/// A condition that would have to hold, and what the lead has where it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turned {
    /// As conditions are written.
    pub want: String,
    /// What the lead has.
    pub values: Vec<Compared>,
    #[serde(skip)]
    pub(super) assumed: Assumed,
}

/// Weighs a compiled condition.
pub(super) fn weigh(node: &Node, subject: &Subject<'_>) -> Weighed {
    let scope = Scope::outermost(subject);
    let held = evaluate::truth(node, &scope);
    let (of, parts): (Of, &[Node]) = match node {
        Node::All(sides) => (Of::All, sides),
        Node::Any(sides) => (Of::Any, sides),
        Node::Not(inner) => (Of::Not, std::slice::from_ref(&**inner)),
        Node::Choose(parts) => (Of::Choice, &parts[..]),
        _ => (Of::Fields, &[]),
    };
    let mut values = Vec::new();
    if parts.is_empty() {
        compared(node, &scope, &mut values);
    }
    Weighed {
        when: node.to_string(),
        held,
        of: if parts.is_empty() && values.is_empty() { Of::Nothing } else { of },
        values,
        parts: parts.iter().map(|part| weigh(part, subject)).collect(),
        negated: written::negated(node),
        equality: Equality::of(node),
    }
}

/// Every field that is looked at, each once.
fn compared(node: &Node, scope: &Scope<'_, '_>, values: &mut Vec<Compared>) {
    let mut of_field = |field: &'static Field| {
        let is_free = matches!(field.of, Type::Text | Type::Map) && !CLOSED.contains(&field.path);
        push(values, field.path.to_owned(), (field.read)(scope.subject), is_free);
    };
    match node {
        Node::Field(field) => of_field(field),
        Node::HasFlag(_) => push(values, "flags".to_owned(), Value::Flags(scope.subject.flags()), false),
        Node::Column(..) => push(values, node.to_string(), evaluate::value(node, scope), true),
        Node::Entry(_, key) if matches!(**key, Node::Literal(_)) => push(values, node.to_string(), evaluate::value(node, scope), true),
        Node::Literal(_) | Node::Element(_) => {}
        Node::Not(inner)
        | Node::Negate(inner)
        | Node::Matches(inner, _)
        | Node::Lower(inner)
        | Node::Size(inner)
        | Node::Has(inner)
        | Node::Part(_, inner, _)
        | Node::LoweredTest(_, inner, _) => compared(inner, scope, values),
        Node::Entry(left, right) | Node::Compare(_, left, right) | Node::Calculate(_, left, right) | Node::Test(_, left, right) => {
            compared(left, scope, values);
            compared(right, scope, values);
        }
        Node::All(sides) | Node::Any(sides) | Node::Join(sides) => sides.iter().for_each(|node| compared(node, scope, values)),
        Node::Choose(parts) => parts.iter().for_each(|node| compared(node, scope, values)),
        Node::InList(item, list) => std::iter::once(&**item).chain(list).for_each(|node| compared(node, scope, values)),
        Node::InField(item, field) => {
            of_field(field);
            compared(item, scope, values);
        }
        Node::Loop { over, body, .. } => {
            match over {
                Elements::Field(field) => of_field(field),
                Elements::Written(list) => list.iter().for_each(|node| compared(node, scope, values)),
            }
            compared(body, scope, values);
        }
    }
}

fn push(values: &mut Vec<Compared>, field: String, is: Value<'_>, is_free: bool) {
    if !values.iter().any(|known| known.field == field) {
        values.push(Compared { field, is: shown(is), is_free });
    }
}

fn shown(value: Value<'_>) -> String {
    let quoted = |text: &str| {
        let mut written = String::new();
        // Writing to a text cannot fail.
        let _ = written::quoted(&cut(text), &mut written);
        written
    };
    let list = |texts: &mut dyn Iterator<Item = &str>| format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "));
    match value {
        Value::Error | Value::Null => NULL.to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::Text(text) => quoted(text),
        Value::Time(time) => time.to_string(),
        Value::Duration(micros) => written::duration(micros),
        Value::Row => "there".to_owned(),
        Value::Map(map) => list(&mut map.iter().map(|(key, _)| &**key)),
        Value::Flags(flags) => list(&mut flags.iter().map(Flag::name)),
        Value::Reasons(reasons) => list(&mut reasons.iter().copied()),
    }
}

fn cut(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}
