//! The operators that make values: `+ - * / %`, `-x`, `?:`, `map[key]`.

use cel::{IdedExpr, common::ast::operators};

use super::{Compiler, Typed};
use crate::rules::condition::{
    fields::Type,
    steps,
    tree::{Arithmetic, Comparison, Node},
};

/// The comparison of this operator.
pub(super) fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// The arithmetic of this operator.
pub(super) fn arithmetic(operator: &str) -> Option<Arithmetic> {
    Some(match operator {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}

impl Compiler<'_> {
    pub(super) fn arithmetic(&mut self, at: &IdedExpr, how: Arithmetic, left: &IdedExpr, right: &IdedExpr) -> Typed {
        let (first, second) = (self.lower(left), self.lower(right));
        let ((first, first_type), (second, second_type)) = (first?, second?);
        let result = match (first_type, how, second_type) {
            (Type::Text | Type::Word(_), _, _) | (_, _, Type::Text | Type::Word(_)) => {
                return self.join(at, how, (left, first, first_type), (right, second, second_type));
            }
            (Type::Time, Arithmetic::Subtract, Type::Time) | (Type::Duration, Arithmetic::Add | Arithmetic::Subtract, Type::Duration) => {
                Type::Duration
            }
            (Type::Time, Arithmetic::Add | Arithmetic::Subtract, Type::Duration) | (Type::Duration, Arithmetic::Add, Type::Time) => {
                Type::Time
            }
            (Type::Time | Type::Duration, _, _) | (_, _, Type::Time | Type::Duration) => {
                let message = format!("{} and {} cannot be calculated with like this", first_type.name(), second_type.name());
                let hint = "there are time - time, time + duration(\"…\"), time - duration(\"…\"), and durations added and subtracted";
                self.fault(at, message, hint);
                return None;
            }
            _ => {
                self.number(left, first_type)?;
                self.number(right, second_type)?;
                self.same_numbers(how, right, first_type, second_type)?;
                first_type
            }
        };
        Some((Node::Calculate(how, Box::new(first), Box::new(second)), result))
    }

    fn same_numbers(&mut self, how: Arithmetic, right: &IdedExpr, first: Type, second: Type) -> Option<()> {
        let is_whole = matches!(first, Type::Int);
        if is_whole != matches!(second, Type::Int) {
            let hint = "CEL does not mix whole numbers and fractions: write 2.0 instead of 2";
            self.fault(right, "both sides must be whole numbers, or both fractions", hint);
            return None;
        }
        if how == Arithmetic::Remainder && !is_whole {
            self.fault(right, "only whole numbers have a remainder", "use / instead");
            return None;
        }
        Some(())
    }

    /// Texts one after the other, as one list of all the parts of a chain.
    fn join(&mut self, at: &IdedExpr, how: Arithmetic, left: (&IdedExpr, Node, Type), right: (&IdedExpr, Node, Type)) -> Typed {
        for (side, of) in [(left.0, left.2), (right.0, right.2)] {
            if !matches!(of, Type::Text | Type::Word(_)) {
                let message = format!("a text can only be joined with a text; this is {}", of.name());
                self.fault(side, message, "compare the two for themselves: there is no string(…)");
                return None;
            }
        }
        if how != Arithmetic::Add {
            self.fault(at, "texts can only be joined, with +; they cannot be calculated with", "numbers stand without quotes");
            return None;
        }
        let mut parts = Vec::new();
        for node in [left.1, right.1] {
            match node {
                Node::Join(inner) => parts.extend(inner.into_vec()),
                other => parts.push(other),
            }
        }
        let joined = Node::Join(parts.into());
        // A longer chain has told this at its beginning.
        if steps::joined(&joined) == steps::MOST_JOINED + 1 {
            let message = format!("a text is joined of at most {} texts", steps::MOST_JOINED);
            self.fault(at, message, "compare the parts for themselves");
            return None;
        }
        Some((joined, Type::Text))
    }

    pub(super) fn number(&mut self, at: &IdedExpr, of: Type) -> Option<()> {
        if matches!(of, Type::Int | Type::Double) {
            return Some(());
        }
        self.fault(at, format!("this must be a number; it is {}", of.name()), "only numbers, times and durations can be calculated with");
        None
    }

    pub(super) fn negation(&mut self, of: &IdedExpr) -> Typed {
        let (node, is) = self.lower(of)?;
        self.number(of, is)?;
        Some((Node::Negate(Box::new(node)), is))
    }

    pub(super) fn choice(&mut self, asked: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Typed {
        let asked = self.truth(asked, "what ? asks");
        let (first, second) = (self.lower(yes), self.lower(no));
        let (asked, (first, first_type), (second, second_type)) = (asked?, first?, second?);
        let of = match (first_type, second_type) {
            (Type::Text | Type::Word(_) | Type::Null, Type::Text | Type::Word(_)) | (Type::Text | Type::Word(_), Type::Null) => Type::Text,
            (Type::Bool, Type::Bool) => Type::Bool,
            (Type::Int | Type::Null, Type::Int) | (Type::Int, Type::Null) => Type::Int,
            (Type::Double | Type::Null, Type::Double) | (Type::Double, Type::Null) => Type::Double,
            (Type::Time | Type::Null, Type::Time) | (Type::Time, Type::Null) => Type::Time,
            (Type::Duration | Type::Null, Type::Duration) | (Type::Duration, Type::Null) => Type::Duration,
            _ => {
                let message = format!("both sides of : must be of one type; these are {} and {}", first_type.name(), second_type.name());
                self.fault(no, message, "texts, numbers, times, durations, or true and false; lists, maps and records are asked directly");
                return None;
            }
        };
        Some((Node::Choose(Box::new([asked, first, second])), of))
    }

    pub(super) fn entry(&mut self, map: &IdedExpr, key: &IdedExpr) -> Typed {
        let (lowered, key_lowered) = (self.lower(map), self.lower(key));
        let ((map_node, of), (key_node, key_type)) = (lowered?, key_lowered?);
        if !matches!(of, Type::Map) {
            self.fault(map, format!("{} has no keys", of.name()), "only attribution[\"…\"] and extra[\"…\"] are maps");
            return None;
        }
        if !matches!(key_type, Type::Text | Type::Word(_)) {
            self.fault(key, format!("a key is a text; this is {}", key_type.name()), "write the key in quotes");
            return None;
        }
        Some((Node::Entry(Box::new(map_node), Box::new(key_node)), Type::Text))
    }
}
