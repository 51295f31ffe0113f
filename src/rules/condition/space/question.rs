//! What a condition asks, taken apart: a term (a field, or what is made of fields) and a test with written values. Says what a test
//! makes of a value as `evaluate` does; knows no variable.

use std::{borrow::Cow, sync::LazyLock};

use super::super::{
    evaluate::{lowered_test, test},
    fields::{self, FIELDS, Field, Table, Type, Value},
    order::compare,
    tree::{Arithmetic, Comparison, Elements, Literal, LoweredTest, Node, TextTest},
};
use super::formula::Formula;
use crate::lead::Vocabulary;

/// What is asked of a term.
#[derive(Clone, Debug)]
pub(super) enum Test<'n> {
    Compare(Comparison, Cow<'n, Literal>),
    Text(TextTest, &'n str),
    Lowered(LoweredTest, &'n [Box<str>]),
    Matches(&'n regex::Regex),
    Has,
    /// Of a field that is true or false.
    True,
}

/// Whoever makes formulas of questions.
pub(super) trait Answers<'n> {
    /// A test of one term.
    fn of_term(&mut self, term: &'n Node, test: &Test<'n>) -> Formula;
    /// Two terms held against each other.
    fn of_pair(&mut self, how: Comparison, left: &'n Node, right: &'n Node) -> Formula;
    /// Whether a map has a key.
    fn of_key(&mut self, map: &'static Field, key: &'n str) -> Formula;
    /// Whether a text is one of the reasons.
    fn of_reason(&mut self, reason: &'n str) -> Formula;
    /// What is not understood: true or false by itself.
    fn by_itself(&mut self, name: String) -> Formula;
}

/// A formula may be written twice (`?:`, `==` between truths) if it has no more parts.
const TWICE: usize = 64;
/// A loop over a list that is written out is written out too, if that makes no more parts.
const WRITTEN_OUT: usize = 256;

/// The formula of a condition.
pub(super) fn formula<'n>(node: &'n Node, by: &mut dyn Answers<'n>) -> Formula {
    Reading { by, elements: Vec::new() }.truth(node)
}

/// A condition while it is read, with the elements of the loops around, innermost last.
struct Reading<'b, 'n> {
    by: &'b mut dyn Answers<'n>,
    elements: Vec<&'n Node>,
}

impl<'n> Reading<'_, 'n> {
    fn truth(&mut self, node: &'n Node) -> Formula {
        match node {
            Node::Literal(Literal::Bool(truth)) => Formula::of(*truth),
            Node::Not(inner) => self.truth(inner).not(),
            Node::All(sides) => Formula::all(sides.iter().map(|side| self.truth(side)).collect::<Vec<_>>()),
            Node::Any(sides) => Formula::any(sides.iter().map(|side| self.truth(side)).collect::<Vec<_>>()),
            Node::Choose(parts) => {
                let [asked, yes, no] = &**parts;
                let (asked, yes, no) = (self.truth(asked), self.truth(yes), self.truth(no));
                if asked.size() > TWICE { self.unknown(name(node)) } else { one_of(asked, yes, no) }
            }
            Node::Compare(how, left, right) => self.comparison(*how, left, right),
            Node::InList(item, list) => {
                Formula::any(list.iter().map(|element| self.comparison(Comparison::Equal, item, element)).collect::<Vec<_>>())
            }
            Node::InField(item, field) => match (self.resolved(item), field.of) {
                (Node::Literal(Literal::Text(reason)), Type::Reasons) => self.by.of_reason(reason),
                (Node::Literal(Literal::Text(key)), Type::Map) => self.by.of_key(field, key),
                _ => self.unknown(name(node)),
            },
            Node::HasFlag(flag) => self.by.by_itself(flag_name(flag.name())),
            Node::Test(how, text, part) => match self.resolved(part) {
                Node::Literal(Literal::Text(part)) => self.ask(node, text, &Test::Text(*how, part)),
                _ => self.unknown(name(node)),
            },
            Node::LoweredTest(how, text, others) => self.ask(node, text, &Test::Lowered(*how, others)),
            Node::Matches(text, regex) => self.ask(node, text, &Test::Matches(regex)),
            Node::Has(inner) if is_truth(inner) => Formula::Always,
            Node::Has(inner) => self.ask(node, inner, &Test::Has),
            Node::Field(field) if matches!(field.of, Type::Bool) => self.by.of_term(node, &Test::True),
            Node::Loop { every, over: Elements::Written(list), body } if list.len() * size(body) <= WRITTEN_OUT && binds_plainly(node) => {
                let held: Vec<Formula> = list.iter().map(|element| self.of_element(element, body)).collect();
                if *every { Formula::all(held) } else { Formula::any(held) }
            }
            other => self.unknown(name(other)),
        }
    }

    /// True or false by itself; of what stands in a loop, for these elements.
    fn unknown(&mut self, name_of_it: String) -> Formula {
        let with = self.elements.iter().map(|element| format!(" with {}", name(element)));
        let name = with.fold(name_of_it, |named, with| named + &with);
        self.by.by_itself(name)
    }

    fn of_element(&mut self, element: &'n Node, body: &'n Node) -> Formula {
        let element = self.resolved(element);
        self.elements.push(element);
        let held = self.truth(body);
        self.elements.pop();
        held
    }

    /// What an element stands for, and two of the sums of the score for the third.
    fn resolved(&self, node: &'n Node) -> &'n Node {
        match node {
            Node::Element(out) => self.elements.iter().rev().nth(*out).copied().unwrap_or(node),
            Node::Calculate(how, left, right) => third_sum(*how, left, right).unwrap_or(node),
            other => other,
        }
    }

    fn ask(&mut self, whole: &'n Node, term: &'n Node, test: &Test<'n>) -> Formula {
        let term = self.resolved(term);
        match written(term) {
            Some(literal) => Formula::of(test.passes(literal.value())),
            None if is_term(term) => self.by.of_term(term, test),
            None => self.unknown(name(whole)),
        }
    }

    fn comparison(&mut self, how: Comparison, left: &'n Node, right: &'n Node) -> Formula {
        let (left, right) = (self.resolved(left), self.resolved(right));
        match (written(left), written(right)) {
            (Some(left), Some(right)) => Formula::of(compare(how, left.value(), right.value())),
            _ if is_truth(left) && is_truth(right) => {
                let (one, other) = (self.truth(left), self.truth(right));
                if one.size().max(other.size()) > TWICE {
                    return self.unknown(format!("{how:?} of {} and {}", name(left), name(right)));
                }
                let same = one_of(one, other.clone(), other.not());
                if how == Comparison::Equal { same } else { same.not() }
            }
            _ if let Some(formula) = self.chosen(how, left, right).or_else(|| self.chosen(turned(how), right, left)) => formula,
            (None, Some(literal)) if is_term(left) => self.by.of_term(left, &Test::Compare(how, literal)),
            (Some(literal), None) if is_term(right) => self.by.of_term(right, &Test::Compare(turned(how), literal)),
            _ => self.by.of_pair(how, left, right),
        }
    }

    /// A comparison with one of two values as two comparisons, where that is not too much.
    fn chosen(&mut self, how: Comparison, side: &'n Node, other: &'n Node) -> Option<Formula> {
        let Node::Choose(parts) = side else { return None };
        let [asked, yes, no] = &**parts;
        let asked = self.truth(asked);
        let (yes, no) = (self.comparison(how, yes, other), self.comparison(how, no, other));
        (asked.size() <= TWICE).then(|| one_of(asked, yes, no))
    }
}

/// The total is fit and intent together.
fn third_sum(how: Arithmetic, left: &Node, right: &Node) -> Option<&'static Node> {
    let (Node::Field(left), Node::Field(right)) = (left, right) else { return None };
    field_term(match (how, left.path, right.path) {
        (Arithmetic::Add, "score.fit", "score.intent") | (Arithmetic::Add, "score.intent", "score.fit") => "score.total",
        (Arithmetic::Subtract, "score.total", "score.fit") => "score.intent",
        (Arithmetic::Subtract, "score.total", "score.intent") => "score.fit",
        _ => return None,
    })
}

/// The one if it holds, else the other.
fn one_of(asked: Formula, yes: Formula, no: Formula) -> Formula {
    Formula::any([Formula::all([asked.clone(), yes]), Formula::all([asked.not(), no])])
}

/// How many expressions an expression is made of.
fn size(node: &Node) -> usize {
    1 + parts(node).into_iter().map(size).sum::<usize>()
}

/// Whether elements of loops only stand where what they stand for can be put in their place.
fn binds_plainly(node: &Node) -> bool {
    let is_direct = |operand: &Node| matches!(operand, Node::Element(_)) || binds_plainly(operand);
    match node {
        Node::Element(_) | Node::Loop { over: Elements::Field(_), .. } => false,
        Node::Compare(..)
        | Node::InList(..)
        | Node::InField(..)
        | Node::Test(..)
        | Node::LoweredTest(..)
        | Node::Matches(..)
        | Node::Has(_) => parts(node).into_iter().all(is_direct),
        Node::Loop { over: Elements::Written(list), body, .. } => list.iter().all(is_direct) && binds_plainly(body),
        other => parts(other).into_iter().all(binds_plainly),
    }
}

/// The same comparison with its sides changed.
pub(super) fn turned(how: Comparison) -> Comparison {
    match how {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// The value of an expression that is written out.
fn written(node: &Node) -> Option<Cow<'_, Literal>> {
    match node {
        Node::Literal(literal) => Some(Cow::Borrowed(literal)),
        Node::Negate(inner) => match &**inner {
            Node::Literal(Literal::Int(number)) => number.checked_neg().map(|number| Cow::Owned(Literal::Int(number))),
            Node::Literal(Literal::Double(number)) => Some(Cow::Owned(Literal::Double(-number))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the expression is true or false, never anything else.
fn is_truth(node: &Node) -> bool {
    match node {
        Node::Field(field) => matches!(field.of, Type::Bool),
        Node::Choose(parts) => is_truth(&parts[1]) && is_truth(&parts[2]),
        Node::Literal(Literal::Bool(_))
        | Node::Not(_)
        | Node::All(_)
        | Node::Any(_)
        | Node::Compare(..)
        | Node::InList(..)
        | Node::InField(..)
        | Node::HasFlag(_)
        | Node::Test(..)
        | Node::LoweredTest(..)
        | Node::Matches(..)
        | Node::Has(_)
        | Node::Loop { .. } => true,
        _ => false,
    }
}

/// Whether the expression has one value that can be told apart: no list, and no truth.
fn is_term(node: &Node) -> bool {
    !is_truth(node) && !matches!(kind(node), Kind::None)
}

/// What kind of values an expression has, beside null and error.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Word(fn() -> Vec<&'static str>),
    Bool,
    Int,
    Double,
    Time,
    Duration,
    Row,
    /// None that is told apart.
    None,
}

pub(super) fn kind(node: &Node) -> Kind {
    match node {
        Node::Field(field) => match field.of {
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Double => Kind::Double,
            Type::Text => Kind::Text,
            Type::Word(words) => Kind::Word(words),
            Type::Time => Kind::Time,
            Type::Duration => Kind::Duration,
            Type::Row => Kind::Row,
            Type::Null | Type::Map | Type::Flags | Type::Reasons => Kind::None,
        },
        Node::Column(..) | Node::Entry(..) | Node::Join(_) | Node::Lower(_) => Kind::Text,
        Node::Size(_) | Node::Part(..) => Kind::Int,
        Node::Negate(inner) => kind(inner),
        Node::Calculate(how, left, right) => match (kind(left), how, kind(right)) {
            (Kind::Time, Arithmetic::Subtract, Kind::Time) => Kind::Duration,
            (Kind::Time, ..) | (.., Kind::Time) => Kind::Time,
            (left, ..) => left,
        },
        Node::Choose(parts) => match kind(&parts[1]) {
            Kind::None => kind(&parts[2]),
            // A word of this list, or of another.
            Kind::Word(_) => Kind::Text,
            kind => kind,
        },
        Node::Literal(literal) => match literal {
            Literal::Text(_) => Kind::Text,
            Literal::Int(_) => Kind::Int,
            Literal::Double(_) => Kind::Double,
            Literal::Time(_) => Kind::Time,
            Literal::Duration(_) => Kind::Duration,
            Literal::Null | Literal::Bool(_) => Kind::None,
        },
        _ => Kind::None,
    }
}

/// By what name an expression is known: the same for the same expression.
pub(super) fn name(node: &Node) -> String {
    match node {
        Node::Field(field) => field.path.to_owned(),
        Node::Column(table, column) => format!("{}.{column}", if *table == Table::Account { "account" } else { "offer" }),
        Node::Entry(map, key) => match (&**map, &**key) {
            (Node::Field(map), Node::Literal(Literal::Text(key))) => key_name(map, key),
            _ => format!("{node:?}"),
        },
        other => format!("{other:?}"),
    }
}

pub(super) fn key_name(map: &Field, key: &str) -> String {
    format!("{}[{key:?}]", map.path)
}

/// The name of one field taken from another.
pub(super) fn difference_name(one: &str, other: &str) -> String {
    let field = |path| fields::find(path).map(|field| Box::new(Node::Field(field)));
    let difference = field(one).zip(field(other)).map(|(one, other)| Node::Calculate(Arithmetic::Subtract, one, other));
    difference.as_ref().map(name).unwrap_or_default()
}

/// The name of two fields held against each other, and how they then are.
pub(super) fn pair_name(one: &str, other: &str, how: Comparison) -> (String, Comparison) {
    let (Some(one), Some(other)) = (field_term(one), field_term(other)) else { return (String::new(), how) };
    super::variables::name_of_pair(how, one, other)
}

/// The name of a field's size.
pub(super) fn size_name(path: &str) -> String {
    fields::find(path).map(|field| name(&Node::Size(Box::new(Node::Field(field))))).unwrap_or_default()
}

pub(super) fn flag_name(flag: &str) -> String {
    format!("{flag:?} in flags")
}

/// The field of this path as a term.
pub(super) fn field_term(path: &str) -> Option<&'static Node> {
    static TERMS: LazyLock<Vec<Node>> = LazyLock::new(|| FIELDS.iter().map(Node::Field).collect());
    TERMS.iter().find(|term| matches!(term, Node::Field(field) if field.path == path))
}

impl Literal {
    pub(super) fn value(&self) -> Value<'_> {
        super::super::evaluate::written(self)
    }
}

impl Test<'_> {
    /// The text that it asks for, where it asks for one.
    pub(super) fn equal_text(&self) -> Option<&str> {
        match self {
            Self::Compare(Comparison::Equal, literal) => match &**literal {
                Literal::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// What the test makes of a value.
    pub(super) fn passes(&self, value: Value<'_>) -> bool {
        match self {
            Self::Compare(how, literal) => compare(*how, value, literal.value()),
            Self::Text(how, part) => test(*how, value, Value::Text(part)),
            Self::Lowered(how, others) => {
                let Value::Text(text) = value else { return false };
                others.iter().any(|other| lowered_test(*how, text.as_bytes(), other.as_bytes()))
            }
            Self::Matches(regex) => matches!(value, Value::Text(text) if regex.is_match(text)),
            Self::Has => !matches!(value, Value::Null | Value::Error),
            Self::True => matches!(value, Value::Bool(true)),
        }
    }
}

/// The expressions that an expression is made of.
pub(in crate::rules::condition) fn parts(node: &Node) -> Vec<&Node> {
    match node {
        Node::Literal(_) | Node::Field(_) | Node::Column(..) | Node::Element(_) | Node::HasFlag(_) => Vec::new(),
        Node::Not(of)
        | Node::Negate(of)
        | Node::Lower(of)
        | Node::Size(of)
        | Node::Has(of)
        | Node::Part(_, of, _)
        | Node::Matches(of, _)
        | Node::LoweredTest(_, of, _)
        | Node::InField(of, _) => vec![of],
        Node::All(all) | Node::Any(all) | Node::Join(all) => all.iter().collect(),
        Node::Choose(all) => all.iter().collect(),
        Node::Entry(one, other) | Node::Compare(_, one, other) | Node::Calculate(_, one, other) | Node::Test(_, one, other) => {
            vec![one, other]
        }
        Node::InList(item, list) => [&**item].into_iter().chain(list.iter()).collect(),
        Node::Loop { over: Elements::Written(list), body, .. } => list.iter().chain([&**body]).collect(),
        Node::Loop { body, .. } => vec![body],
    }
}

/// Whether some test in the condition tells the one word of a field from the other.
pub(super) fn tells_apart(node: &Node, path: &str, one: &str, other: &str) -> bool {
    let is_it = |node: &Node| matches!(node, Node::Field(field) if field.path == path);
    let tells = |test: &Test<'_>| test.passes(Value::Text(one)) != test.passes(Value::Text(other));
    match node {
        Node::Compare(how, left, right) => match (written(left), written(right)) {
            (None, Some(literal)) if is_it(left) => tells(&Test::Compare(*how, literal)),
            (Some(literal), None) if is_it(right) => tells(&Test::Compare(turned(*how), literal)),
            _ => parts(node).into_iter().any(|part| tells_apart(part, path, one, other)),
        },
        Node::InList(item, list) if is_it(item) => list.iter().any(|element| match written(element) {
            Some(literal) => tells(&Test::Compare(Comparison::Equal, literal)),
            None => true,
        }),
        Node::LoweredTest(how, text, others) if is_it(text) => tells(&Test::Lowered(*how, others)),
        Node::Matches(text, regex) if is_it(text) => tells(&Test::Matches(regex)),
        Node::Has(inner) if is_it(inner) => false,
        other_node => is_it(other_node) || parts(other_node).into_iter().any(|part| tells_apart(part, path, one, other)),
    }
}
