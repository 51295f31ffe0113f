//! Conditions as most are written, read without the parser of the `cel` crate, which is slow: names, calls, texts without escapes,
//! numbers, lists and operators. What it is not sure of it leaves to that parser, and so all that is wrong; what it
//! reads it reads as that one does, which a test shows.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, ListExpr, LiteralValue, SelectExpr, operators},
};

/// Words that are no names.
const KEYWORDS: [&str; 4] = ["true", "false", "null", "in"];
/// Words that CEL keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];
const RELATIONS: [(&str, &str); 6] = [
    ("==", operators::EQUALS),
    ("!=", operators::NOT_EQUALS),
    ("<=", operators::LESS_EQUALS),
    (">=", operators::GREATER_EQUALS),
    ("<", operators::LESS),
    (">", operators::GREATER),
];
const SUMS: [(&str, &str); 2] = [("+", operators::ADD), ("-", operators::SUBSTRACT)];
const PRODUCTS: [(&str, &str); 3] = [("*", operators::MULTIPLY), ("/", operators::DIVIDE), ("%", operators::MODULO)];

/// The expression, where the text is plain. Its length and its nesting must have been checked.
pub(super) fn parse(text: &str) -> Option<IdedExpr> {
    let mut rest = Rest { text, at: 0 };
    let expression = rest.either()?;
    rest.skip_blanks();
    rest.left().is_empty().then_some(expression)
}

/// What has not been read yet.
struct Rest<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Rest<'t> {
    fn left(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at += self.left().bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Takes the sign, if it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        let comes = self.left().starts_with(sign);
        if comes {
            self.at += sign.len();
        }
        comes
    }

    fn either(&mut self) -> Option<IdedExpr> {
        self.chain("||", operators::LOGICAL_OR, Self::both)
    }

    fn both(&mut self) -> Option<IdedExpr> {
        self.chain("&&", operators::LOGICAL_AND, Self::relation)
    }

    /// Operands of one operator, as one call: whoever reads the tree takes a chain as a whole.
    fn chain(&mut self, sign: &str, name: &str, operand: fn(&mut Self) -> Option<IdedExpr>) -> Option<IdedExpr> {
        let first = operand(self)?;
        let mut operands = vec![first];
        while self.takes(sign) {
            operands.push(operand(self)?);
        }
        if operands.len() > 1 { Some(call(name, None, operands)) } else { operands.pop() }
    }

    fn relation(&mut self) -> Option<IdedExpr> {
        let left = self.sum()?;
        let Some(operator) = self.relation_sign() else { return Some(left) };
        let right = self.sum()?;
        // Comparisons of comparisons are mostly slips.
        if self.relation_sign().is_some() {
            return None;
        }
        Some(call(operator, None, vec![left, right]))
    }

    fn relation_sign(&mut self) -> Option<&'static str> {
        if let Some((_, operator)) = RELATIONS.into_iter().find(|(sign, _)| self.takes(sign)) {
            return Some(operator);
        }
        let is_word = self.left().strip_prefix("in").is_some_and(|rest| !rest.starts_with(is_in_name));
        if is_word {
            self.at += 2;
        }
        is_word.then_some(operators::IN)
    }

    fn sum(&mut self) -> Option<IdedExpr> {
        self.calculation(&SUMS, Self::product)
    }

    fn product(&mut self) -> Option<IdedExpr> {
        self.calculation(&PRODUCTS, Self::unary)
    }

    fn calculation(&mut self, signs: &[(&str, &'static str)], operand: fn(&mut Self) -> Option<IdedExpr>) -> Option<IdedExpr> {
        let mut left = operand(self)?;
        loop {
            self.skip_blanks();
            // What begins a comment is left to the parser.
            if self.left().starts_with("//") {
                return None;
            }
            let Some((_, operator)) = signs.iter().find(|(sign, _)| self.takes(sign)) else { return Some(left) };
            left = call(operator, None, vec![left, operand(self)?]);
        }
    }

    fn unary(&mut self) -> Option<IdedExpr> {
        self.skip_blanks();
        match self.left().bytes().next()? {
            b'-' => None,
            b'!' => {
                self.at += 1;
                self.skip_blanks();
                if self.left().starts_with('!') {
                    return None;
                }
                Some(call(operators::LOGICAL_NOT, None, vec![self.member()?]))
            }
            _ => self.member(),
        }
    }

    fn member(&mut self) -> Option<IdedExpr> {
        let mut whole = self.primary()?;
        loop {
            if self.takes(".") {
                let name = self.name()?;
                whole = if self.takes("(") {
                    call(name, Some(whole), self.list_until(")")?)
                } else {
                    let select = SelectExpr { operand: Box::new(whole), field: name.to_owned(), test: false };
                    expression(Expr::Select(select))
                };
            } else if self.takes("[") {
                let key = self.either()?;
                if !self.takes("]") {
                    return None;
                }
                whole = call(operators::INDEX, None, vec![whole, key]);
            } else {
                return Some(whole);
            }
        }
    }

    fn primary(&mut self) -> Option<IdedExpr> {
        self.skip_blanks();
        match self.left().bytes().next()? {
            b'(' => {
                self.at += 1;
                let inner = self.either()?;
                self.takes(")").then_some(inner)
            }
            b'[' => {
                self.at += 1;
                Some(expression(Expr::List(ListExpr::new(self.list_until("]")?))))
            }
            b'"' | b'\'' => self.quoted(false),
            b'r' if self.left().as_bytes().get(1).is_some_and(|next| matches!(next, b'"' | b'\'')) => {
                self.at += 1;
                self.quoted(true)
            }
            b'0'..=b'9' => self.number(),
            _ => self.named(),
        }
    }

    /// A name, or what is called by it.
    fn named(&mut self) -> Option<IdedExpr> {
        let start = self.at;
        let word = self.word()?;
        let literal = match word {
            "true" => Some(LiteralValue::Boolean(true.into())),
            "false" => Some(LiteralValue::Boolean(false.into())),
            "null" => Some(LiteralValue::Null),
            _ => None,
        };
        if let Some(literal) = literal {
            return Some(expression(Expr::Literal(literal)));
        }
        if RESERVED.contains(&word) {
            return None;
        }
        self.at = start;
        let name = self.name()?;
        if self.takes("(") {
            return Some(call(name, None, self.list_until(")")?));
        }
        Some(expression(Expr::Ident(name.to_owned())))
    }

    fn name(&mut self) -> Option<&'t str> {
        self.skip_blanks();
        self.word().filter(|word| !KEYWORDS.contains(word))
    }

    fn word(&mut self) -> Option<&'t str> {
        let left = self.left();
        let length = left.find(|letter| !is_in_name(letter)).unwrap_or(left.len());
        let word = left.get(..length).filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'))?;
        self.at += length;
        // A letter before a quote makes another kind of text.
        (!self.left().starts_with(['"', '\''])).then_some(word)
    }

    /// What stands between commas, up to the closing bracket.
    fn list_until(&mut self, closing: &str) -> Option<Vec<IdedExpr>> {
        let mut elements = Vec::new();
        if self.takes(closing) {
            return Some(elements);
        }
        loop {
            elements.push(self.either()?);
            if self.takes(closing) {
                return Some(elements);
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    /// A text on one line; with a backslash only a raw one.
    fn quoted(&mut self, raw: bool) -> Option<IdedExpr> {
        let quote = char::from(self.left().bytes().next()?);
        let inside = self.left().get(1..)?;
        let length = inside.find(quote)?;
        let text = inside.get(..length)?;
        let is_triple = length == 0 && inside.get(1..).is_some_and(|rest| rest.starts_with(quote));
        if is_triple || !raw && text.contains('\\') || text.contains(['\n', '\r']) {
            return None;
        }
        self.at += length + 2;
        Some(expression(Expr::Literal(LiteralValue::String(text.to_owned().into()))))
    }

    fn number(&mut self) -> Option<IdedExpr> {
        let left = self.left();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(left);
        let after = left.get(whole..)?;
        let (length, literal) = match after.strip_prefix('.').map(digits) {
            Some(fraction @ 1..) => {
                let length = whole + 1 + fraction;
                (length, LiteralValue::Double(left.get(..length)?.parse::<f64>().ok()?.into()))
            }
            Some(0) => return None,
            None => (whole, LiteralValue::Int(left.get(..whole)?.parse::<i64>().ok()?.into())),
        };
        self.at += length;
        // Hexadecimal numbers, exponents, unsigned ones.
        (!self.left().starts_with(is_in_name)).then(|| expression(Expr::Literal(literal)))
    }
}

fn is_in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn call(name: &str, target: Option<IdedExpr>, args: Vec<IdedExpr>) -> IdedExpr {
    expression(Expr::Call(CallExpr { func_name: name.to_owned(), target: target.map(Box::new), args }))
}

/// Without a place: of what is wrong the parser tells it.
fn expression(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::condition::{Condition, Sight};

    #[test]
    fn plain_conditions_are_read_here_and_others_are_not() {
        for plain in [
            "is_test",
            "storefront == \"APP_SOURCE\" && contact.region != 'EMEA' && score.total >= 20",
            "!(contact.country in [\"US\", \"CA\"])",
            "attribution[\"utm_campaign\"] == \"x\" || has(account.tier) || true",
            "received_at - event_time < duration(\"24h\") && 2 * 3 % 4 == 1.5 - 0.25",
            "[\"a\", \"b\"].exists(e, note.contains(e)) && contact.title.matches(r\"\\bceo\\b\")",
            "note . contains ( 'x' )\n\t&& [] . all(x, false) && index == null",
        ] {
            assert!(parse(plain).is_some(), "{plain}");
        }
        for other in [
            "",
            "-1 < 2",
            "a ? b : c",
            "a == b == c",
            "!!a",
            "5u",
            "0x1f",
            "1e3",
            ".5",
            "'''a'''",
            "\"a\\n\"",
            "b\"x\"",
            "r'a",
            "a // b",
            "{}",
            "x.?y",
            "if",
            "a.in",
            "[1,]",
            "a b",
            "(a",
            "a)",
            "\"\"\"\"",
            "99999999999999999999",
            "a &&",
            "é == 'x'",
            "1.",
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
    }

    /// What is made of the page's examples is what is made of them by CEL's own parser, which comments lead to.
    #[test]
    fn it_reads_as_the_parser_does() {
        let page = include_str!("../../../docs/conditions.md");
        let mut tried = 0;
        let quoted = page.split('`').skip(1).step_by(2).chain(page.lines());
        for text in quoted.filter(|text| parse(text).is_some()) {
            let read = |text: &str| Condition::parse(text, Sight::Routed).map(|condition| condition.to_string()).map_err(|_| ());
            let by_the_parser = format!("{text} // read by the parser");
            assert!(parse(&by_the_parser).is_none());
            assert_eq!(read(text), read(&by_the_parser), "{text}");
            tried += 1;
        }
        assert!(tried > 60, "{tried}");
    }
}
