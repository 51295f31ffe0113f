//! From a CEL syntax tree to our own: every name found, every type checked. Says what is wrong at which bytes of the
//! condition; evaluates nothing. Operators, comparisons and functions are in files of their own.

mod comparisons;
mod functions;
mod loops;
mod operators;
mod place;
mod refused;
mod regexes;

pub(in crate::rules) use regexes::Regexes;

#[cfg(test)]
pub(super) use functions::FUNCTIONS;
#[cfg(test)]
pub(super) use refused::REFUSED;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, SourceInfo, operators as cel_operators},
};

use super::{
    Fault,
    fields::{self, FIELDS, Sight, Table, Type},
    steps,
    tree::{Literal, Node},
};
use crate::rules::suggest;

/// A node and its type; nothing where a fault has been told.
type Typed = Option<(Node, Type)>;

/// Checks and lowers a whole condition.
pub(super) fn compile(expression: &IdedExpr, source: &SourceInfo, sight: Sight, regexes: &mut Regexes) -> Result<Node, Vec<Fault>> {
    let mut compiler = Compiler { source, sight, regexes, elements: Vec::new(), faults: Vec::new() };
    let lowered = compiler.truth(expression, "a condition");
    if let Some(node) = &lowered {
        compiler.takes_few_steps(expression, steps::of(node));
    }
    match lowered {
        Some(node) if compiler.faults.is_empty() => Ok(node),
        _ => {
            if compiler.faults.is_empty() {
                // What is refused is always told: else a rule would be left out in silence.
                _ = compiler.refused(expression, "this");
            }
            compiler.faults.sort_by_key(|fault| fault.offset);
            Err(compiler.faults)
        }
    }
}

struct Compiler<'a> {
    source: &'a SourceInfo,
    sight: Sight,
    regexes: &'a mut Regexes,
    /// Name and type of the elements of the loops around, innermost last.
    elements: Vec<(String, Type)>,
    faults: Vec<Fault>,
}

impl Compiler<'_> {
    fn fault(&mut self, at: &IdedExpr, message: impl Into<String>, hint: impl Into<String>) {
        let (start, end) = self.span(at);
        self.faults.push(Fault { offset: start, length: end - start, message: message.into(), hint: hint.into() });
    }

    fn takes_few_steps(&mut self, at: &IdedExpr, steps: steps::Steps) -> Option<()> {
        if steps.count <= steps::MOST {
            return Some(());
        }
        let message = format!("this could take {} steps; a condition may take {}", steps.count, steps::MOST);
        self.fault(at, message, "loop over a shorter list, or without another loop inside");
        None
    }

    /// An expression that must be true or false.
    fn truth(&mut self, expression: &IdedExpr, what: &str) -> Option<Node> {
        let (node, of) = self.lower(expression)?;
        if matches!(of, Type::Bool) {
            return Some(node);
        }
        let hint = "compare it with something, or ask has(…)";
        self.fault(expression, format!("{what} must be true or false; this is {}", of.name()), hint);
        None
    }

    fn lower(&mut self, expression: &IdedExpr) -> Typed {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::Call(call) => self.call(expression, call),
            Expr::List(_) => {
                let message = "a list may only stand to the right of `in`, before .exists(…) or .all(…), or in size(…)";
                self.fault(expression, message, "write x in [\"a\", \"b\"] to ask for one of several");
                None
            }
            Expr::Map(_) => self.refused(expression, "{…}"),
            Expr::Struct(_) => self.refused(expression, "Name{…}"),
            Expr::Comprehension(_) | Expr::Unspecified => self.refused(expression, "this"),
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Typed {
        Some(match literal {
            LiteralValue::Null => (Node::Literal(Literal::Null), Type::Null),
            LiteralValue::Boolean(value) => (Node::Literal(Literal::Bool(*value.inner())), Type::Bool),
            LiteralValue::Int(value) => (Node::Literal(Literal::Int(*value.inner())), Type::Int),
            LiteralValue::Double(value) => (Node::Literal(Literal::Double(*value.inner())), Type::Double),
            LiteralValue::String(value) => (Node::Literal(Literal::Text(value.inner().into())), Type::Text),
            LiteralValue::UInt(_) => return self.refused(at, "5u"),
            LiteralValue::Bytes(_) => return self.refused(at, "b\"…\""),
        })
    }

    /// A name, or names joined by dots.
    fn name(&mut self, expression: &IdedExpr) -> Typed {
        let Some(path) = path(expression) else {
            if let Some(map) = map_in(expression) {
                return self.lower(map);
            }
            self.fault(expression, "only names can have fields", "write the whole name of a field, such as contact.country");
            return None;
        };
        let (first, within) = path.split_once('.').map_or((path.as_str(), None), |(first, rest)| (first, Some(rest)));
        if let Some(out) = self.elements.iter().rev().position(|(name, _)| name == first) {
            let of = self.elements.iter().rev().nth(out).map_or(Type::Text, |(_, of)| *of);
            if within.is_none() {
                return Some((Node::Element(out), of));
            }
            self.fault(expression, format!("{first} is {}, which has no fields", of.name()), format!("write {first} alone"));
            return None;
        }
        if let Some(field) = fields::find(&path) {
            if field.from > self.sight {
                let seen = if field.from == Sight::Routed { "routes" } else { "routes and campaigns" };
                self.fault(expression, format!("{path} is not known yet here: only {seen} see it"), "use fields of the lead itself");
                return None;
            }
            return Some((Node::Field(field), field.of));
        }
        match (first, within) {
            ("account", Some(column)) if !column.contains('.') => return Some((Node::Column(Table::Account, column.into()), Type::Text)),
            ("offer", Some(column)) if !column.contains('.') => return Some((Node::Column(Table::Offer, column.into()), Type::Text)),
            ("attribution" | "extra", Some(key)) if !key.contains('.') => {
                let field = fields::find(first)?;
                let key = Node::Literal(Literal::Text(key.into()));
                return Some((Node::Entry(Box::new(Node::Field(field)), Box::new(key)), Type::Text));
            }
            _ => {}
        }
        self.unknown_name(expression, &path);
        None
    }

    fn unknown_name(&mut self, at: &IdedExpr, path: &str) {
        if !self.regexes.hints() {
            return self.fault(at, format!("unknown field {path}"), "all fields are listed in docs/conditions.md");
        }
        let inside: Vec<&str> = FIELDS.iter().map(|field| field.path).filter(|field| is_inside(field, path)).collect();
        if !inside.is_empty() {
            return self.fault(at, format!("{path} is no value by itself"), format!("name one of its fields: {}", inside.join(", ")));
        }
        let within = FIELDS.iter().filter(|field| field.from <= self.sight).map(|field| field.path);
        let elements: Vec<String> = self.elements.iter().map(|(name, _)| name.clone()).collect();
        let visible = within.chain(elements.iter().map(String::as_str));
        let literal = match path.to_ascii_lowercase().as_str() {
            "true" => Some("true"),
            "false" => Some("false"),
            "null" | "none" | "nil" | "undefined" => Some("null"),
            _ => None,
        };
        let hint = match suggest::nearest(path, visible) {
            _ if literal.is_some() => format!("write {}", literal.unwrap_or_default()),
            Some(near) => format!("did you mean {near}?"),
            None if path.chars().any(char::is_uppercase) => format!("a text stands in quotes: {path:?}"),
            None => "all fields are listed in docs/conditions.md; texts stand in quotes".to_owned(),
        };
        self.fault(at, format!("unknown field {path}"), hint);
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Typed {
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (cel_operators::LOGICAL_AND, None, _) => Some((Node::All(self.truths(at, cel_operators::LOGICAL_AND)?), Type::Bool)),
            (cel_operators::LOGICAL_OR, None, _) => Some((Node::Any(self.truths(at, cel_operators::LOGICAL_OR)?), Type::Bool)),
            (cel_operators::LOGICAL_NOT, None, [of]) => Some((Node::Not(Box::new(self.truth(of, "what ! turns round")?)), Type::Bool)),
            (cel_operators::CONDITIONAL, None, [asked, yes, no]) => self.choice(asked, yes, no),
            (cel_operators::IN, None, [item, container]) => self.membership(item, container),
            (cel_operators::INDEX, None, [map, key]) => self.entry(map, key),
            (cel_operators::NEGATE, None, [of]) => self.negation(of),
            (name, None, [left, right]) if operators::comparison(name).is_some() => {
                self.comparison(operators::comparison(name)?, left, right)
            }
            (name, None, [left, right]) if operators::arithmetic(name).is_some() => {
                self.arithmetic(at, operators::arithmetic(name)?, left, right)
            }
            (name, target, arguments) => self.function(at, name, target, arguments),
        }
    }

    /// The operands of a chain of one operator, in order.
    fn truths(&mut self, chain: &IdedExpr, operator: &str) -> Option<Box<[Node]>> {
        let mut operands = Vec::new();
        flatten(chain, operator, &mut operands);
        let what = if operator == cel_operators::LOGICAL_AND { "each side of &&" } else { "each side of ||" };
        let nodes: Vec<Option<Node>> = operands.into_iter().map(|operand| self.truth(operand, what)).collect();
        nodes.into_iter().collect()
    }
}

/// The names joined by dots that an expression spells, if it does.
fn path(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.push('.');
            path.push_str(&select.field);
            Some(path)
        }
        _ => None,
    }
}

/// The map in braces whose field an expression asks for.
fn map_in(expression: &IdedExpr) -> Option<&IdedExpr> {
    match &expression.expr {
        Expr::Select(select) => map_in(&select.operand),
        Expr::Map(_) | Expr::Struct(_) => Some(expression),
        _ => None,
    }
}

fn is_inside(field: &str, record: &str) -> bool {
    field.strip_prefix(record).is_some_and(|rest| rest.starts_with('.'))
}

/// The operands of nested calls of one operator, from left to right: the parser makes a tree of a chain.
fn flatten<'a>(expression: &'a IdedExpr, operator: &str, operands: &mut Vec<&'a IdedExpr>) {
    match &expression.expr {
        Expr::Call(call) if call.func_name == operator => call.args.iter().for_each(|side| flatten(side, operator, operands)),
        _ => operands.push(expression),
    }
}
