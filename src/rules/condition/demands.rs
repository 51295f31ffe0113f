//! What a condition demands of single texts of the lead: the equalities without which it cannot hold. Looks at the tree alone;
//! that rules are found by them is in `rules::list`.

use super::{
    Condition, evaluate,
    fields::Subject,
    tree::{Comparison, Literal, Node},
};

/// A text of the lead that equalities ask for: a field, a column of a table's row, an entry of a map.
#[derive(Debug)]
pub(in crate::rules) struct Question(Node);

impl Question {
    /// The lead's text; nothing where it is missing.
    pub(in crate::rules) fn text<'a>(&'a self, subject: &Subject<'a>) -> Option<&'a str> {
        evaluate::text(&self.0, subject)
    }
}

/// The condition holds only of leads whose text is one of these.
#[derive(Debug)]
pub(in crate::rules) struct Demand<'c> {
    of: &'c Node,
    /// The same for the same text of the lead.
    pub(in crate::rules) name: String,
    pub(in crate::rules) texts: Vec<&'c str>,
}

impl<'c> Demand<'c> {
    fn new(of: &'c Node, texts: Vec<&'c str>) -> Option<Self> {
        Some(Self { of, name: name(of)?, texts })
    }

    pub(in crate::rules) fn question(&self) -> Option<Question> {
        copy(self.of).map(Question)
    }
}

impl Condition {
    /// All demands that are plain to see; of the rest of the condition nothing is said.
    pub(in crate::rules) fn demands(&self) -> Vec<Demand<'_>> {
        demands(&self.0)
    }
}

fn demands(node: &Node) -> Vec<Demand<'_>> {
    match node {
        Node::All(sides) => sides.iter().flat_map(demands).collect(),
        Node::Any(sides) => shared(sides),
        Node::Compare(Comparison::Equal, left, right) => {
            let demand = match (literal(left), literal(right)) {
                (None, Some(text)) => Demand::new(left, vec![text]),
                (Some(text), None) => Demand::new(right, vec![text]),
                _ => None,
            };
            demand.into_iter().collect()
        }
        Node::InList(item, list) => {
            let texts = list.iter().map(literal).collect::<Option<Vec<_>>>();
            texts.and_then(|texts| Demand::new(item, texts)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What each side of `||` demands: the texts of one or the other.
fn shared(sides: &[Node]) -> Vec<Demand<'_>> {
    let mut sides = sides.iter().map(demands);
    let mut shared = sides.next().unwrap_or_default();
    for side in sides {
        shared.retain_mut(|demand| {
            let same = side.iter().find(|other| other.name == demand.name);
            demand.texts.extend(same.iter().flat_map(|other| &other.texts));
            same.is_some()
        });
    }
    shared
}

fn literal(node: &Node) -> Option<&str> {
    match node {
        Node::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// As a condition spells it; nothing for what is no text of the lead.
fn name(node: &Node) -> Option<String> {
    match node {
        Node::Field(field) => Some(field.path.to_owned()),
        Node::Column(table, column) => Some(format!("{table:?}.{column}")),
        Node::Entry(map, key) => Some(format!("{}[{:?}]", name(map)?, literal(key)?)),
        _ => None,
    }
}

fn copy(node: &Node) -> Option<Node> {
    match node {
        Node::Literal(literal) => Some(Node::Literal(literal.clone())),
        Node::Field(field) => Some(Node::Field(field)),
        Node::Column(table, column) => Some(Node::Column(*table, column.clone())),
        Node::Entry(map, key) => Some(Node::Entry(Box::new(copy(map)?), Box::new(copy(key)?))),
        _ => None,
    }
}
