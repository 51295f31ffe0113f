//! Parts that ask whether a field is one of some texts: of those it can be told without a lead which others would hold with another
//! text. Works on what was weighed; knows no lead.

use super::{
    tree::{Comparison, Literal, Node},
    weighed::{Turned, Weighed},
};

/// A part that asks whether a field is one of some texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Equality {
    field: &'static str,
    /// Whether it asks for none of them.
    negated: bool,
}

impl Equality {
    pub(super) fn of(node: &Node) -> Option<Self> {
        let is_text = |node: &Node| matches!(node, Node::Literal(Literal::Text(_)));
        let (field, negated) = match node {
            Node::Compare(how @ (Comparison::Equal | Comparison::NotEqual), left, right) => match (&**left, &**right) {
                (Node::Field(field), other) | (other, Node::Field(field)) if is_text(other) => (field, *how == Comparison::NotEqual),
                _ => return None,
            },
            Node::InList(item, list) if list.iter().all(is_text) => match &**item {
                Node::Field(field) => (field, false),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { field: field.path, negated })
    }

    /// The field, where it has to be another text than it is for the part to come out so.
    pub(super) fn left_behind(&self, wanted: bool) -> Option<&'static str> {
        (wanted == self.negated).then_some(self.field)
    }
}

impl Weighed {
    /// Whether it asks that a field be some text which is to be another than it is.
    pub(super) fn names_one_of(&self, turned: &[Turned]) -> bool {
        let is_turned = |field| turned.iter().any(|turned| turned.left_behind == Some(field));
        self.equality.as_ref().is_some_and(|equality| !equality.negated && is_turned(equality.field))
    }
}
