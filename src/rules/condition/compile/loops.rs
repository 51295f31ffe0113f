//! `exists` and `all`: a condition on every element of a list, with a bound on how often it is asked.

use cel::{IdedExpr, common::ast::Expr};

use super::{Compiler, Typed};
use crate::rules::condition::{
    fields::{self, FIELDS, Field, Type},
    steps::{self, Steps},
    tree::{Elements, Node},
};

impl Compiler<'_> {
    pub(super) fn each(&mut self, at: &IdedExpr, every: bool, list: &IdedExpr, name: &IdedExpr, body: &IdedExpr) -> Typed {
        let over = self.elements_of(list);
        let name = self.name_of_element(name);
        let of = over.as_ref().map_or(Type::Text, |(_, of)| *of);
        let (over, name) = (over.map(|(over, _)| over), name?);
        self.elements.push((name, of));
        let what = if every { "what all(…) asks of each element" } else { "what exists(…) asks of each element" };
        let body_node = self.truth(body, what);
        self.elements.pop();
        let (over, body_node) = (over?, body_node?);
        if steps::nests_open(&over, &body_node) {
            let message = "in this loop another goes over a list whose length only the lead tells";
            self.fault(body, message, "of two loops one must go over flags, or over a list written in brackets");
            return None;
        }
        let node = Node::Loop { every, over, body: Box::new(body_node) };
        let Steps { count, open } = steps::of(&node);
        self.takes_few_steps(at, Steps { count, open })?;
        Some((node, Type::Bool))
    }

    fn elements_of(&mut self, list: &IdedExpr) -> Option<(Elements, Type)> {
        if let Expr::List(written) = &list.expr {
            let lowered: Vec<_> = written.elements.iter().map(|element| self.lower(element)).collect();
            let mut nodes = Vec::with_capacity(lowered.len());
            let mut of = None;
            for (at, element) in written.elements.iter().zip(lowered) {
                let (node, is) = element?;
                of = self.one_type(at, of, is)?;
                nodes.push(node);
            }
            return Some((Elements::Written(nodes.into()), of.unwrap_or(Type::Text)));
        }
        let (node, of) = self.lower(list)?;
        match (node, of) {
            (Node::Field(field), Type::Flags) => Some((Elements::Field(field), Type::Word(fields::flag_words))),
            (Node::Field(field), Type::Reasons | Type::Map) => Some((Elements::Field(field), Type::Text)),
            _ => {
                let hint = "lists are flags, reasons, the keys of attribution and extra, and what stands in brackets";
                self.fault(list, format!("this is no list; it is {}", of.name()), hint);
                None
            }
        }
    }

    /// The type of all elements so far, where one more fits.
    #[expect(clippy::option_option, reason = "the outer tells a fault, the inner an empty list")]
    fn one_type(&mut self, at: &IdedExpr, before: Option<Type>, is: Type) -> Option<Option<Type>> {
        let joined = match (before, is) {
            (None | Some(Type::Text), Type::Text | Type::Word(_)) => Type::Text,
            (None | Some(Type::Int), Type::Int)
            | (None | Some(Type::Double), Type::Double)
            | (None | Some(Type::Bool), Type::Bool)
            | (None | Some(Type::Time), Type::Time)
            | (None | Some(Type::Duration), Type::Duration) => is,
            (None, _) => {
                self.fault(at, format!("{} cannot be an element of a list", is.name()), "texts, numbers, times and durations can");
                return None;
            }
            (Some(before), _) => {
                let message = format!("the elements of a list are of one type; this is {}, the first is {}", is.name(), before.name());
                self.fault(at, message, "make two lists of it");
                return None;
            }
        };
        Some(Some(joined))
    }

    fn name_of_element(&mut self, name: &IdedExpr) -> Option<String> {
        let Expr::Ident(written) = &name.expr else {
            self.fault(name, "here stands the name of an element", "write it like flags.exists(flag, flag == \"edu_domain\")");
            return None;
        };
        let is_field = |field: &Field| field.path == written || field.path.split('.').next() == Some(written);
        let taken = FIELDS.iter().any(is_field) || self.elements.iter().any(|(other, _)| other == written);
        if taken {
            self.fault(name, format!("{written} already has a meaning here"), "give the element a name of its own");
            return None;
        }
        Some(written.clone())
    }
}
