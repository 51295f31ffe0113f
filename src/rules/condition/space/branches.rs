//! The parts of `||` in a condition, each as a formula with what stands around it. Whether one can hold, `rules::lint` asks.

use std::collections::BTreeMap;

use super::{Formula, Reader, Space, example::named, question};
use crate::rules::{
    Subject,
    condition::{
        Condition, evaluate,
        tree::{Literal, Node},
    },
};

/// One side of `||`.
pub(in crate::rules) struct Branch<'n> {
    node: &'n Node,
    /// The side, and all that is joined with the whole by `&&`.
    pub(in crate::rules) formula: Formula,
    /// Names of the fields that the side asks for.
    pub(in crate::rules) names: Vec<String>,
    /// The side as conditions are written.
    pub(in crate::rules) written: String,
    /// Texts that it names.
    pub(in crate::rules) texts: Vec<&'n str>,
}

impl Branch<'_> {
    pub(in crate::rules) fn holds(&self, subject: &Subject<'_>) -> bool {
        evaluate::holds(self.node, subject)
    }
}

impl<'r> Space<'r> {
    /// The sides of each `||` that stands at the top of the condition, or beside others that are joined by `&&`.
    pub(in crate::rules) fn branches(&self, condition: &'r Condition) -> Vec<Branch<'r>> {
        let joined: Vec<&Node> = match &condition.0 {
            Node::All(parts) => parts.iter().collect(),
            other => vec![other],
        };
        let mut branches = Vec::new();
        for (at, part) in joined.iter().enumerate() {
            let Node::Any(sides) = part else { continue };
            let others: Vec<Formula> =
                joined.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| self.formula_of(part)).collect();
            for side in sides {
                let mut names = BTreeMap::new();
                named(side, &mut names);
                let formula = Formula::all(others.iter().cloned().chain([self.formula_of(side)]));
                branches.push(Branch {
                    node: side,
                    formula,
                    names: names.into_keys().collect(),
                    written: side.to_string(),
                    texts: texts(side),
                });
            }
        }
        branches
    }

    fn formula_of(&self, node: &'r Node) -> Formula {
        question::formula(node, &mut Reader(self))
    }

    /// That the address is of one of one's own domains.
    pub(in crate::rules) fn formula_of_own_domain(&self) -> Formula {
        match self.rows("own_domain", |value| *value == super::values::Known::Bool(true)) {
            Formula::Maybe => Formula::Always,
            asked => asked,
        }
    }
}

fn texts(node: &Node) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match node {
            Node::Literal(Literal::Text(text)) => found.push(&**text),
            Node::LoweredTest(_, _, others) => found.extend(others.iter().map(|text| &**text)),
            _ => {}
        }
        open.extend(question::parts(node).into_iter().rev());
    }
    found
}
