//! A compiled condition as CEL again, for people: what stands in it, whatever the spelling it was read from. Reads the tree; a
//! property test shows that the text means the same.

use std::fmt::{self, Write as _};

use jiff::tz::TimeZone;

use super::{
    fields::Table,
    times,
    tree::{Arithmetic, Comparison, Elements, Literal, LoweredTest, Node, TextTest},
};
use crate::lead::Vocabulary as _;

/// How tightly operators bind, as in CEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Choice,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Name,
}

/// A node inside so many loops.
#[derive(Clone, Copy)]
struct Text<'n>(&'n Node, usize);

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text(self, 0).fmt(f)
    }
}

/// What holds exactly when the node does not.
pub(super) fn negated(node: &Node) -> String {
    let turned = |how: &str, left: &Node, right: &Node| {
        let (left, right) = (Within(Text(left, 0), Binding::Sum), Within(Text(right, 0), Binding::Sum));
        format!("{left} {how} {right}")
    };
    match node {
        // Where one side is no value at all, such as a missing key, neither holds; then it is said with `!`.
        Node::Compare(Comparison::Equal, left, right) if is_plain(left) && is_plain(right) => turned("!=", left, right),
        Node::Compare(Comparison::NotEqual, left, right) if is_plain(left) && is_plain(right) => turned("==", left, right),
        Node::Not(inner) => inner.to_string(),
        other => format!("!{}", Within(Text(other, 0), Binding::Unary)),
    }
}

/// Whether it always has a value, if only null.
fn is_plain(node: &Node) -> bool {
    matches!(node, Node::Literal(_) | Node::Field(_) | Node::Column(..))
}

/// In brackets where it binds less tightly than what is around it.
struct Within<'n>(Text<'n>, Binding);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if binding(self.0.0) < self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

fn binding(node: &Node) -> Binding {
    match node {
        Node::Choose(_) => Binding::Choice,
        Node::Any(_) => Binding::Or,
        Node::All(_) => Binding::And,
        Node::Compare(..)
        | Node::InList(..)
        | Node::InField(..)
        | Node::HasFlag(_)
        | Node::LoweredTest(LoweredTest::Equal | LoweredTest::NotEqual, ..) => Binding::Relation,
        Node::Calculate(Arithmetic::Add | Arithmetic::Subtract, ..) | Node::Join(_) => Binding::Sum,
        Node::Calculate(..) => Binding::Product,
        Node::Not(_) | Node::Negate(_) => Binding::Unary,
        Node::Literal(Literal::Int(number)) if *number < 0 => Binding::Unary,
        Node::Literal(Literal::Double(number)) if number.is_sign_negative() => Binding::Unary,
        _ => Binding::Name,
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(node, loops) = *self;
        let at = |node, binding| Within(Text(node, loops), binding);
        match node {
            Node::Literal(value) => literal(value, f),
            Node::Field(field) => f.write_str(field.path),
            Node::Column(Table::Account, name) => write!(f, "account.{name}"),
            Node::Column(Table::Offer, name) => write!(f, "offer.{name}"),
            Node::Entry(map, key) => write!(f, "{}[{}]", at(map, Binding::Name), Text(key, loops)),
            Node::Element(out) => element(loops.saturating_sub(out + 1), f),
            Node::Not(inner) => write!(f, "!{}", at(inner, Binding::Unary)),
            Node::All(sides) => joined(sides, " && ", |side| at(side, Binding::Relation), f),
            Node::Any(sides) => joined(sides, " || ", |side| at(side, Binding::And), f),
            Node::Choose(parts) => {
                let [asked, yes, no] = &**parts;
                write!(f, "{} ? {} : {}", at(asked, Binding::Or), at(yes, Binding::Or), at(no, Binding::Or))
            }
            Node::Compare(how, left, right) => write!(f, "{} {} {}", at(left, Binding::Sum), sign(*how), at(right, Binding::Sum)),
            Node::Calculate(how, left, right) => {
                let (sign, here) = match how {
                    Arithmetic::Add => ('+', Binding::Sum),
                    Arithmetic::Subtract => ('-', Binding::Sum),
                    Arithmetic::Multiply => ('*', Binding::Product),
                    Arithmetic::Divide => ('/', Binding::Product),
                    Arithmetic::Remainder => ('%', Binding::Product),
                };
                // What is calculated from left to right needs brackets to its right only.
                let after = if here == Binding::Sum { Binding::Product } else { Binding::Unary };
                write!(f, "{} {sign} {}", at(left, here), at(right, after))
            }
            Node::Negate(inner) => write!(f, "-{}", at(inner, Binding::Name)),
            Node::InList(item, list) => {
                write!(f, "{} in [", at(item, Binding::Sum))?;
                joined(list, ", ", |element| at(element, Binding::Choice), f)?;
                f.write_char(']')
            }
            Node::InField(item, field) => write!(f, "{} in {}", at(item, Binding::Sum), field.path),
            Node::HasFlag(flag) => write!(f, "\"{}\" in flags", flag.name()),
            Node::Test(how, text, part) => {
                let name = match how {
                    TextTest::StartsWith => "startsWith",
                    TextTest::EndsWith => "endsWith",
                    TextTest::Contains => "contains",
                };
                write!(f, "{}.{name}({})", at(text, Binding::Name), Text(part, loops))
            }
            Node::LoweredTest(how, text, others) => lowered(*how, &at(text, Binding::Name), others, f),
            Node::Matches(text, regex) => {
                write!(f, "{}.matches(", at(text, Binding::Name))?;
                quoted(regex.as_str(), f)?;
                f.write_char(')')
            }
            Node::Join(parts) => joined(parts, " + ", |part| at(part, Binding::Product), f),
            Node::Lower(inner) => write!(f, "{}.lowerAscii()", at(inner, Binding::Name)),
            Node::Size(inner) => write!(f, "size({})", Text(inner, loops)),
            Node::Has(inner) => write!(f, "has({})", Text(inner, loops)),
            Node::Part(part, of, zone) => {
                write!(f, "{}.{}", at(of, Binding::Name), times::shown(*part).trim_end_matches("()"))?;
                f.write_char('(')?;
                zone.iter().try_for_each(|zone| quoted(&zone_name(zone), f))?;
                f.write_char(')')
            }
            Node::Loop { every, over, body } => {
                match over {
                    Elements::Written(list) => {
                        f.write_char('[')?;
                        joined(list, ", ", |element| at(element, Binding::Choice), f)?;
                        f.write_char(']')?;
                    }
                    Elements::Field(field) => f.write_str(field.path)?,
                }
                f.write_str(if *every { ".all(" } else { ".exists(" })?;
                element(loops, f)?;
                write!(f, ", {})", Text(body, loops + 1))
            }
        }
    }
}

/// `sep` between what each element is written as.
fn joined<'n, W: fmt::Display>(nodes: &'n [Node], sep: &str, write: impl Fn(&'n Node) -> W, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { sep })?;
        write!(f, "{}", write(node))?;
    }
    Ok(())
}

/// The element of the loop that so many others stand around; the tree does not keep names.
fn element(depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match depth {
        0 => f.write_str("x"),
        1 => f.write_str("y"),
        _ => write!(f, "z{depth}"),
    }
}

fn sign(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn lowered(how: LoweredTest, text: &Within<'_>, others: &[Box<str>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{text}.lowerAscii()")?;
    let list = |f: &mut fmt::Formatter<'_>| -> fmt::Result {
        for (at, other) in others.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            quoted(other, f)?;
        }
        Ok(())
    };
    let (before, after) = match how {
        LoweredTest::Equal if others.len() == 1 => (" == ", ""),
        LoweredTest::Equal => (" in [", "]"),
        LoweredTest::NotEqual => (" != ", ""),
        LoweredTest::StartsWith => (".startsWith(", ")"),
        LoweredTest::EndsWith => (".endsWith(", ")"),
        LoweredTest::Contains => (".contains(", ")"),
    };
    f.write_str(before)?;
    list(f)?;
    f.write_str(after)
}

fn literal(value: &Literal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Literal::Null => f.write_str("null"),
        Literal::Bool(value) => write!(f, "{value}"),
        Literal::Int(value) => write!(f, "{value}"),
        Literal::Double(value) => write!(f, "{value:?}"),
        Literal::Text(text) => quoted(text, f),
        Literal::Time(time) => write!(f, "timestamp(\"{time}\")"),
        Literal::Duration(micros) => write!(f, "duration(\"{}\")", duration(*micros)),
    }
}

/// The largest unit that needs no fraction.
pub(in crate::rules) fn duration(micros: i64) -> String {
    let units = [(3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms"), (1, "us")];
    let found = units.into_iter().find(|(unit, _)| micros % unit == 0 && micros != 0);
    found.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", micros / unit))
}

/// A text as CEL writes it.
pub(super) fn quoted(text: &str, f: &mut impl fmt::Write) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
            letter => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().map_or_else(|| zone.to_fixed_offset().map(|offset| offset.to_string()).unwrap_or_default(), str::to_owned)
}
