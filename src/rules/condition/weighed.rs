//! A condition weighed against a lead, part by part: what it asks, what the lead has, whether it holds, and what would have to be
//! otherwise. For explanations and coverage: the hot path asks `evaluate` alone, which also answers every part here.

use serde::Serialize;

use super::{
    equality::Equality,
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
    /// Leaves no text that is not out of a fixed list.
    pub fn redact(&mut self) {
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
/// Ways to turn a condition that are looked at.
const MOST_WAYS: usize = 12;
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
        self.ways().into_iter().next()
    }

    /// The ways in which this one would hold no more, or hold, those with the fewest conditions first; not all of them, where there
    /// are many.
    #[must_use]
    pub fn ways(&self) -> Vec<Vec<Turned>> {
        let mut ways = match (self.of, self.held) {
            (Of::Nothing, _) => Vec::new(),
            (Of::Fields | Of::Said, held) => {
                let want = if held { &self.negated } else { &self.when };
                let left_behind = self.equality.as_ref().and_then(|equality| equality.left_behind(!held));
                vec![vec![Turned { want: want.clone(), values: self.values.clone(), left_behind }]]
            }
            (Of::Not, _) => self.parts.first().map(Self::ways).unwrap_or_default(),
            (Of::All, true) | (Of::Any, false) => self.parts.iter().flat_map(Self::ways).collect(),
            (Of::All, false) => each_of(self.parts.iter().filter(|part| !part.held)),
            (Of::Any, true) => {
                let mut ways = each_of(self.parts.iter().filter(|part| part.held));
                for turned in &mut ways {
                    // A text for which another side would hold is no way out.
                    let others = self.parts.iter().filter(|part| !part.held && part.names_one_of(turned));
                    let others: Vec<Turned> = others.map(Self::kept_out).collect();
                    turned.extend(others);
                }
                ways
            }
            (Of::Choice, _) => {
                let [asked, yes, no] = self.parts.as_slice() else { return Vec::new() };
                let (taken, other) = if asked.held { (yes, no) } else { (no, yes) };
                let mut ways = taken.ways();
                if other.held != self.held {
                    ways.extend(asked.ways());
                }
                ways
            }
        };
        ways.sort_by_key(Vec::len);
        ways.truncate(MOST_WAYS);
        ways
    }

    /// That it goes on not to hold.
    fn kept_out(&self) -> Turned {
        Turned { want: self.negated.clone(), values: self.values.clone(), left_behind: None }
    }
}

/// The ways in which all of these would come out otherwise.
fn each_of<'w>(parts: impl Iterator<Item = &'w Weighed>) -> Vec<Vec<Turned>> {
    let mut ways: Vec<Vec<Turned>> = vec![Vec::new()];
    for part in parts {
        let more = part.ways();
        ways = ways.iter().flat_map(|way| more.iter().map(|more| [&way[..], more].concat())).collect();
        ways.sort_by_key(Vec::len);
        ways.truncate(MOST_WAYS);
    }
    ways
}

/// A condition that would have to hold, and what the lead has where it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turned {
    /// As conditions are written.
    pub want: String,
    /// What the lead has.
    pub values: Vec<Compared>,
    /// The field, where it is to be another text than it is.
    #[serde(skip)]
    pub(super) left_behind: Option<&'static str>,
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

#[cfg(test)]
mod tests {
    use crate::{
        pipeline::{NoTrace, decide},
        rules::{Ruleset, condition::Condition, sample},
    };

    #[test]
    fn a_way_out_is_no_other_way_in() {
        let rules = Ruleset::built_in().expect("the built-in ruleset");
        let mut facts = sample::facts();
        facts.contact.country = Some("FR");
        let decision = decide(&facts, &rules, &mut NoTrace);
        let wanted = |when: &str| -> Vec<String> {
            let weighed = Condition::of_route(when).expect("a condition").weigh_for(&decision);
            weighed.turned().unwrap_or_default().into_iter().map(|turned| turned.want).collect()
        };
        let both = ["contact.country != \"FR\"", "contact.country != \"DE\""];
        assert_eq!(wanted("contact.country == \"FR\" || contact.country == \"DE\""), both);
        assert_eq!(wanted("contact.country == \"FR\" || is_spam"), both[..1]);
        assert_eq!(wanted("contact.country == \"FR\" || contact.country != \"FR\" && is_spam"), both[..1]);
    }
}
