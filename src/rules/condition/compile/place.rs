//! Where an expression stands in the condition's text. The parser tells one place of each; the first and the last byte are
//! worked out here.

use cel::{
    IdedExpr,
    common::ast::{Expr, LiteralValue},
};

use super::Compiler;
use crate::rules::condition::bounds;

impl Compiler<'_> {
    /// The first byte of an expression and the byte after its last.
    pub(super) fn span(&self, expression: &IdedExpr) -> (usize, usize) {
        let start = self.start(expression);
        (start, self.end(expression, start).clamp(start, self.source.source.len().max(start)))
    }

    /// The first byte of an expression: the parser's own place of a call is its operator's.
    fn start(&self, expression: &IdedExpr) -> usize {
        let own = self.own_start(expression);
        let inner = match &expression.expr {
            Expr::Select(select) => self.start(&select.operand),
            Expr::Call(call) => {
                let first = call.target.as_deref().or(call.args.first()).map_or(usize::MAX, |first| self.start(first));
                // A call's own place is its bracket; its name stands right before it.
                if call.target.is_none() && !call.func_name.starts_with(|c: char| !c.is_alphabetic()) {
                    return self.name_before(own, &call.func_name);
                }
                first
            }
            _ => usize::MAX,
        };
        let first = own.min(inner);
        // A number's own place is its first digit, whatever its sign.
        let signed = |at: usize| self.source.source.as_bytes().get(at) == Some(&b'-');
        if matches!(&expression.expr, Expr::Literal(LiteralValue::Int(_) | LiteralValue::Double(_)))
            && let Some(before) = first.checked_sub(1).filter(|before| signed(*before) && is_negative(expression))
        {
            return before;
        }
        if first == usize::MAX { 0 } else { first }
    }

    fn end(&self, expression: &IdedExpr, start: usize) -> usize {
        let text = self.source.source.as_str();
        let end_of = |expression: &IdedExpr| self.end(expression, self.start(expression));
        match &expression.expr {
            Expr::Call(call) => {
                let inner = call.args.last().or(call.target.as_deref()).map_or(start, end_of);
                let closing = match call.func_name.as_str() {
                    "_[_]" | "_[?_]" => ']',
                    "_?._" => return bounds::token_end(text, inner + 1),
                    name if name.starts_with(char::is_alphabetic) => ')',
                    _ => return inner,
                };
                closed(text, inner, closing)
            }
            Expr::List(list) => closed(text, list.elements.last().map_or(start, end_of), ']'),
            Expr::Ident(name) => start + name.len(),
            Expr::Select(select) => {
                let after = end_of(&select.operand);
                let field = text.get(after..).and_then(|rest| rest.find(select.field.as_str()));
                field.map_or(after, |at| after + at + select.field.len())
            }
            Expr::Map(_) | Expr::Struct(_) => closed(text, start, '}'),
            _ => bounds::token_end(text, start),
        }
    }

    /// The place the parser gives an expression.
    fn own_start(&self, expression: &IdedExpr) -> usize {
        self.source.offset_for(expression.id).map_or(usize::MAX, |(start, _)| start as usize)
    }

    /// Where the name of a called function begins.
    pub(super) fn name_of_call(&self, call: &IdedExpr, name: &str) -> usize {
        self.name_before(self.own_start(call), name)
    }

    /// Where `name` begins that ends before byte `bracket`.
    fn name_before(&self, bracket: usize, name: &str) -> usize {
        let before = self.source.source.get(..bracket.min(self.source.source.len())).unwrap_or_default();
        before.trim_end().strip_suffix(name).map_or(bracket, str::len)
    }
}

/// The byte after the next `closing` bracket.
fn closed(text: &str, from: usize, closing: char) -> usize {
    text.get(from..).and_then(|rest| rest.find(closing)).map_or(from, |at| from + at + 1)
}

fn is_negative(expression: &IdedExpr) -> bool {
    match &expression.expr {
        Expr::Literal(LiteralValue::Int(number)) => *number.inner() < 0,
        Expr::Literal(LiteralValue::Double(number)) => number.inner().is_sign_negative(),
        _ => false,
    }
}
