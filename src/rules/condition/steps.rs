//! How many steps a condition can take, counted when it is loaded: one for each expression, times the elements of the loops
//! around it. Looks at the tree alone; nothing is counted while a lead is decided.

use super::{
    fields::Type,
    tree::{Elements, Node},
};
use crate::lead::{Flag, Vocabulary};

/// Steps a condition may take.
pub(super) const MOST: u64 = 10_000;
/// As many elements a list counts for whose length only the lead tells: reasons, the keys of a map.
pub(super) const OPEN_LENGTH: u64 = 100;
/// Texts that may make one text with `+`.
pub(super) const MOST_JOINED: usize = 16;

/// What a tree costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) count: u64,
    /// Whether the length of something in the lead multiplies them: such a loop may not stand in another, so that the steps never
    /// grow faster than the lead.
    pub(super) open: bool,
}

impl Steps {
    fn and(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), open: self.open || other.open }
    }
}

/// The most steps that `node` can take.
pub(super) fn of(node: &Node) -> Steps {
    let one = Steps { count: 1, open: false };
    match node {
        Node::Literal(_) | Node::Field(_) | Node::Column(..) | Node::Element(_) | Node::HasFlag(_) => one,
        Node::Not(inner)
        | Node::Negate(inner)
        | Node::Matches(inner, _)
        | Node::Lower(inner)
        | Node::Size(inner)
        | Node::Has(inner)
        | Node::Part(_, inner, _) => one.and(of(inner)),
        Node::Entry(left, right) | Node::Compare(_, left, right) | Node::Calculate(_, left, right) | Node::Test(_, left, right) => {
            one.and(of(left)).and(of(right))
        }
        Node::All(sides) | Node::Any(sides) | Node::Join(sides) => all(sides).and(one),
        Node::Choose(parts) => all(&parts[..]).and(one),
        Node::InList(item, list) => one.and(of(item)).and(all(list)),
        Node::LoweredTest(_, text, others) => one.and(of(text)).and(Steps { count: others.len() as u64, open: false }),
        Node::InField(item, field) => {
            let looked_at = if matches!(field.of, Type::Reasons) { Steps { count: OPEN_LENGTH, open: true } } else { one };
            looked_at.and(of(item))
        }
        Node::Loop { over, body, .. } => {
            let (times, elements, open) = match over {
                Elements::Written(list) => (list.len() as u64, all(list), false),
                Elements::Field(field) if matches!(field.of, Type::Flags) => (Flag::ALL.len() as u64, one, false),
                Elements::Field(_) => (OPEN_LENGTH, one, true),
            };
            let body = of(body);
            let looped = Steps { count: body.count.saturating_mul(times), open: body.open || open };
            one.and(elements).and(looped)
        }
    }
}

fn all(nodes: &[Node]) -> Steps {
    nodes.iter().map(of).fold(Steps::default(), Steps::and)
}

/// Whether a loop whose length only the lead tells stands within another.
pub(super) fn nests_open(over: &Elements, body: &Node) -> bool {
    matches!(over, Elements::Field(field) if !matches!(field.of, Type::Flags)) && of(body).open
}

/// How many texts a joined text is made of at most.
pub(super) fn joined(node: &Node) -> usize {
    match node {
        Node::Join(parts) => parts.iter().map(joined).sum(),
        Node::Lower(inner) => joined(inner),
        Node::Choose(parts) => joined(&parts[1]).max(joined(&parts[2])),
        _ => 1,
    }
}
