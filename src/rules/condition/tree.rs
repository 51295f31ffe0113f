//! The tree a condition becomes: small, known to be well typed, ready to be asked. Made by `compile`, asked by `evaluate`;
//! does neither itself.

use jiff::tz::TimeZone;

use super::fields::{Field, Table};
use crate::lead::{Flag, Timestamp};

/// A literal.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Time(Timestamp),
    /// Microseconds.
    Duration(i64),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// How two numbers make a third; times and durations too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// What is asked of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// What is asked of a text whose capital letters count as small ones: so `lowerAscii` beside a literal makes no new text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoweredTest {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

/// A part of a time (in a zone) or of a duration (all of it, in that unit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimePart {
    FullYear,
    /// From 0.
    Month,
    /// From 1.
    Date,
    /// From 0.
    DayOfMonth,
    /// From 0, which is Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// What a loop goes over.
#[derive(Debug)]
pub(super) enum Elements {
    Written(Box<[Node]>),
    /// Flags, reasons, or a map, whose keys count.
    Field(&'static Field),
}

/// One expression, known to be well typed.
#[derive(Debug)]
pub(super) enum Node {
    Literal(Literal),
    Field(&'static Field),
    Column(Table, Box<str>),
    Entry(Box<Node>, Box<Node>),
    /// The element of a loop, so many loops further out.
    Element(usize),
    Not(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    /// `?:`
    Choose(Box<[Node; 3]>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Calculate(Arithmetic, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    InList(Box<Node>, Box<[Node]>),
    /// In a field that is a list or a map.
    InField(Box<Node>, &'static Field),
    HasFlag(Flag),
    Test(TextTest, Box<Node>, Box<Node>),
    /// Whether one of these texts, none with a capital letter, passes.
    LoweredTest(LoweredTest, Box<Node>, Box<[Box<str>]>),
    Matches(Box<Node>, Box<regex::Regex>),
    /// Texts one after the other.
    Join(Box<[Node]>),
    Lower(Box<Node>),
    Size(Box<Node>),
    Has(Box<Node>),
    /// In UTC where there is no zone.
    Part(TimePart, Box<Node>, Option<TimeZone>),
    /// Whether the last holds for every element, or for any.
    Loop {
        every: bool,
        over: Elements,
        body: Box<Node>,
    },
}
