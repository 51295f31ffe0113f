//! What a condition would come to if something about the lead were otherwise: the parts of it that compare a field with written
//! texts can be told again, others that look at the same field cannot. Works on what was weighed; knows no lead.

use super::{
    tree::{Comparison, Literal, Node},
    weighed::{Of, Turned, Weighed},
};

/// A part that asks whether a field is one of some texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Equality {
    field: &'static str,
    texts: Vec<String>,
    /// Whether it asks for none of them.
    negated: bool,
}

impl Equality {
    pub(super) fn of(node: &Node) -> Option<Self> {
        let text = |node: &Node| match node {
            Node::Literal(Literal::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let (field, texts, negated) = match node {
            Node::Compare(how @ (Comparison::Equal | Comparison::NotEqual), left, right) => match (&**left, &**right) {
                (Node::Field(field), other) | (other, Node::Field(field)) => (field, vec![text(other)?], *how == Comparison::NotEqual),
                _ => return None,
            },
            Node::InList(item, list) => match &**item {
                Node::Field(field) => (field, list.iter().map(text).collect::<Option<_>>()?, false),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { field: field.path, texts, negated })
    }

    /// Whether it is so of that text; of one that nobody names (`None`) too.
    fn holds_of(&self, assumed: Option<&str>) -> bool {
        assumed.is_some_and(|assumed| self.texts.iter().any(|text| text == assumed)) != self.negated
    }
}

/// Something about the lead that is otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Assumed {
    /// The field is this text, or one that no condition names.
    Field(&'static str, Option<String>),
    /// The part comes out so.
    Part(String, bool),
}

impl Assumed {
    /// What has to be otherwise for a part to come out so.
    pub(super) fn of(part: &Weighed, wanted: bool) -> Self {
        match &part.equality {
            Some(equality) => {
                let named = wanted != equality.negated;
                Self::Field(equality.field, equality.texts.first().filter(|_| named).cloned())
            }
            None => Self::Part(part.when.clone(), wanted),
        }
    }
}

impl Weighed {
    /// Whether it would hold if all of these were so; nothing where that cannot be told.
    #[must_use]
    pub fn assuming(&self, turned: &[Turned]) -> Option<bool> {
        let parts = || self.parts.iter().map(|part| part.assuming(turned));
        match self.of {
            Of::Nothing => Some(self.held),
            Of::Fields | Of::Said => turned.iter().try_fold(self.held, |held, turned| self.part_assuming(held, &turned.assumed)),
            Of::Not => parts().next()?.map(|held| !held),
            // One that is told to fail decides, whatever the others are.
            Of::All if parts().any(|part| part == Some(false)) => Some(false),
            Of::Any if parts().any(|part| part == Some(true)) => Some(true),
            Of::All => parts().collect::<Option<Vec<_>>>().map(|_| true),
            Of::Any => parts().collect::<Option<Vec<_>>>().map(|_| false),
            Of::Choice => {
                let (asked, yes, no) = (parts().next()??, parts().nth(1)?, parts().nth(2)?);
                if asked { yes } else { no }
            }
        }
    }

    fn part_assuming(&self, held: bool, assumed: &Assumed) -> Option<bool> {
        match (assumed, &self.equality) {
            (Assumed::Part(when, wanted), _) if *when == self.when => Some(*wanted),
            (Assumed::Field(field, text), Some(equality)) if equality.field == *field => Some(equality.holds_of(text.as_deref())),
            (Assumed::Field(field, _), _) if self.values.iter().any(|value| value.field == *field) => None,
            _ => Some(held),
        }
    }
}
