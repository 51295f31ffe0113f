//! Comparisons and `in`: whether both sides can be compared at all, and whether that could ever be true. What is always false
//! is a slip, and told.

use std::ptr;

use cel::{IdedExpr, common::ast::Expr};

use super::{Compiler, Typed, operators};
use crate::{
    lead::{Flag, Vocabulary},
    rules::{
        condition::{
            fields::{self, Type},
            times,
            tree::{Comparison, Literal, LoweredTest, Node},
        },
        suggest,
    },
};

/// The one list of words whose letters stand in their order.
const GRADES: [&str; 4] = ["A", "B", "C", "D"];

/// One side of a comparison.
type Side<'e> = (&'e IdedExpr, &'e Node, Type);

impl Compiler<'_> {
    pub(super) fn comparison(&mut self, how: Comparison, left: &IdedExpr, right: &IdedExpr) -> Typed {
        let (first, second) = (self.lower(left), self.lower(right));
        let ((first, first_type), (second, second_type)) = (first?, second?);
        let ordered = !matches!(how, Comparison::Equal | Comparison::NotEqual);
        self.comparable((left, &first, first_type), (right, &second, second_type), ordered)?;
        self.within_range(how, (right, &first, &second), false)?;
        self.within_range(how, (left, &second, &first), true)?;
        let node = match how {
            Comparison::Equal => lowered(LoweredTest::Equal, first, second),
            Comparison::NotEqual => lowered(LoweredTest::NotEqual, first, second),
            _ => Err((first, second)),
        };
        Some((node.unwrap_or_else(|(first, second)| Node::Compare(how, Box::new(first), Box::new(second))), Type::Bool))
    }

    /// Whether a comparison of these can ever be more than a slip.
    fn comparable(&mut self, left: Side<'_>, right: Side<'_>, ordered: bool) -> Option<()> {
        let fits = match (left.2, right.2) {
            (Type::Null, _) | (_, Type::Null) | (Type::Bool, Type::Bool) => !ordered,
            // Words of a list have no order but that of their letters, which nobody means.
            (Type::Word(words), Type::Text | Type::Word(_)) | (Type::Text, Type::Word(words)) => !ordered || words() == GRADES,
            (Type::Int | Type::Double, Type::Int | Type::Double)
            | (Type::Text, Type::Text)
            | (Type::Time, Type::Time)
            | (Type::Duration, Type::Duration) => true,
            _ => false,
        };
        if !fits {
            let hint = match (left.2, right.2) {
                (Type::Bool, _) if ordered && is_ordering(left.0) => "join two comparisons with &&, as in 10 < x && x < 20",
                (Type::Word(_), Type::Text | Type::Word(_)) | (Type::Text, Type::Word(_)) => {
                    "its words have no order: name those you mean, as in x in [\"…\", \"…\"]"
                }
                (Type::Time, Type::Text) | (Type::Text, Type::Time) => "write a time as timestamp(\"2026-01-31T00:00:00Z\")",
                (Type::Duration, _) | (_, Type::Duration) => "write a duration as duration(\"24h\"), or ask for its getHours()",
                (Type::Time, Type::Int) | (Type::Int, Type::Time) => "ask for a part of the time, such as getHours()",
                (Type::Null, _) | (_, Type::Null) => "null is neither less nor greater than anything; ask has(…)",
                (Type::Map | Type::Flags | Type::Reasons, _) | (_, Type::Map | Type::Flags | Type::Reasons) => {
                    "ask `in`, .exists(…) or .all(…), or compare its size(…)"
                }
                _ => "texts stand in quotes, numbers do not",
            };
            let has_words = matches!(left.2, Type::Word(_)) || matches!(right.2, Type::Word(_));
            let message = if has_words && matches!((left.2, right.2), (Type::Text | Type::Word(_), Type::Text | Type::Word(_))) {
                "words out of a fixed list are neither less nor greater than others".to_owned()
            } else {
                format!("{} cannot be compared with {}", left.2.name(), right.2.name())
            };
            self.fault(right.0, message, hint);
            return None;
        }
        let told = self.faults.len();
        self.can_be(left, right);
        self.can_be(right, left);
        self.share_a_word(left, right);
        (self.faults.len() == told).then_some(())
    }

    /// A text that one side can never be is a slip on the other.
    fn can_be(&mut self, side: Side<'_>, other: Side<'_>) {
        let Node::Literal(Literal::Text(text)) = other.1 else { return };
        match side {
            (_, _, Type::Word(words)) => {
                let words = words();
                if words.contains(&&**text) {
                    return;
                }
                let near = suggest::nearest(text, words.iter().copied()).map(|near| format!("did you mean {near:?}? "));
                let hint = format!("{}its values are {}", near.unwrap_or_default(), suggest::listed(&words));
                self.fault(other.0, format!("{text:?} is none of the values this field can have"), hint);
            }
            (_, Node::Field(field), _) => {
                if let Some(form) = fields::form(field.path)
                    && !(form.fits)(text)
                {
                    let mended = Some((form.mend)(text)).filter(|mended| (form.fits)(mended));
                    let hint = mended.map_or_else(|| format!("write {}", form.words), |mended| format!("write {mended:?}"));
                    self.fault(other.0, format!("{} is never {text:?}: it is always {}", field.path, form.words), hint);
                }
            }
            (_, Node::Lower(_), _) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                let message = format!("a text from lowerAscii() is never {text:?}");
                self.fault(other.0, message, format!("write {:?}", text.to_ascii_lowercase()));
            }
            _ => {}
        }
    }

    /// Two fixed lists without a common word never meet.
    fn share_a_word(&mut self, left: Side<'_>, right: Side<'_>) {
        if let (Type::Word(left_words), Type::Word(right_words)) = (left.2, right.2)
            && !ptr::fn_addr_eq(left_words, right_words)
            && !left_words().iter().any(|word| right_words().contains(word))
        {
            let hint = format!("the one on the left is {}", suggest::listed(&left_words()));
            self.fault(right.0, "these two have no value in common", hint);
        }
    }

    /// A whole number that a part of a time or a size can never be compared with truly.
    fn within_range(&mut self, how: Comparison, (at, of, other): (&IdedExpr, &Node, &Node), turned: bool) -> Option<()> {
        let number = match other {
            Node::Literal(Literal::Int(number)) => *number,
            Node::Negate(inner) => match **inner {
                Node::Literal(Literal::Int(number)) if number != i64::MIN => -number,
                _ => return Some(()),
            },
            _ => return Some(()),
        };
        let (what, (least, most)) = match of {
            Node::Size(_) => ("a size", (0, i64::MAX)),
            Node::Part(part, _, zone) if zone.is_some() || !times::of_duration(*part) => named_part(*part)?,
            Node::Part(part, inner, None) if is_time(inner) => named_part(*part)?,
            _ => return Some(()),
        };
        let possible = match (how, turned) {
            (Comparison::Equal | Comparison::NotEqual, _) => (least..=most).contains(&number),
            (Comparison::Less, false) | (Comparison::Greater, true) => least < number,
            (Comparison::LessOrEqual, false) | (Comparison::GreaterOrEqual, true) => least <= number,
            (Comparison::Greater, false) | (Comparison::Less, true) => most > number,
            (Comparison::GreaterOrEqual, false) | (Comparison::LessOrEqual, true) => most >= number,
        };
        if possible {
            return Some(());
        }
        let hint = match (what, most) {
            ("a size", _) => "a size is 0 or more".to_owned(),
            ("getDayOfWeek()", _) => "the days are 0 (Sunday) to 6 (Saturday)".to_owned(),
            ("getMonth()", _) => "the months are 0 (January) to 11 (December)".to_owned(),
            _ => format!("{what} is {least} to {most}"),
        };
        let word = if how == Comparison::NotEqual { "always" } else { "never" };
        self.fault(at, format!("{what} compared with {number} is {word} true"), hint);
        None
    }

    pub(super) fn membership(&mut self, item: &IdedExpr, container: &IdedExpr) -> Typed {
        let lowered_item = self.lower(item);
        if let Expr::List(list) = &container.expr {
            let elements: Vec<Typed> = list.elements.iter().map(|element| self.lower(element)).collect();
            let (node, of) = lowered_item?;
            let mut nodes = Vec::with_capacity(elements.len());
            let mut whole = true;
            for (at, element) in list.elements.iter().zip(elements) {
                let fits = element.and_then(|(element, is)| {
                    self.comparable((item, &node, of), (at, &element, is), false)?;
                    self.within_range(Comparison::Equal, (at, &node, &element), false)?;
                    nodes.push(element);
                    Some(())
                });
                whole &= fits.is_some();
            }
            return whole.then(|| (in_list(node, nodes), Type::Bool));
        }
        let (list, container_type) = self.lower(container)?;
        let (node, of) = lowered_item?;
        let (Node::Field(field), Type::Map | Type::Flags | Type::Reasons) = (list, container_type) else {
            let message = format!("`in` needs a list or a map to its right; this is {}", container_type.name());
            self.fault(container, message, "write a list in brackets: in [\"…\", \"…\"]");
            return None;
        };
        if !matches!(of, Type::Text | Type::Word(_)) {
            self.fault(item, format!("only a text can be in this list; this is {}", of.name()), "texts stand in quotes");
            return None;
        }
        if let (Type::Flags, Node::Literal(Literal::Text(text))) = (container_type, &node) {
            let Some(flag) = Flag::from_name(text) else {
                let names: Vec<&str> = Flag::ALL.iter().map(|flag| flag.name()).collect();
                self.fault(item, format!("{text:?} is no flag"), suggest::hint(text, &names));
                return None;
            };
            if flag == Flag::Redacted {
                self.fault(item, format!("the flag {text:?} is set only after all rules"), "use the reasons");
                return None;
            }
            return Some((Node::HasFlag(flag), Type::Bool));
        }
        Some((Node::InField(Box::new(node), field), Type::Bool))
    }
}

/// `lowerAscii` beside a literal as a test that makes no text; both sides back where they are something else.
pub(super) fn lowered(how: LoweredTest, first: Node, second: Node) -> Result<Node, (Node, Node)> {
    match (first, second) {
        (Node::Lower(text), Node::Literal(Literal::Text(other))) | (Node::Literal(Literal::Text(other)), Node::Lower(text))
            if !makes_text(&text) =>
        {
            Ok(Node::LoweredTest(how, text, Box::new([other])))
        }
        others => Err(others),
    }
}

fn in_list(item: Node, list: Vec<Node>) -> Node {
    let is_text = |node: &Node| matches!(node, Node::Literal(Literal::Text(_)));
    match item {
        Node::Lower(text) if !makes_text(&text) && list.iter().all(is_text) => {
            let others = list.into_iter().filter_map(|node| match node {
                Node::Literal(Literal::Text(text)) => Some(text),
                _ => None,
            });
            Node::LoweredTest(LoweredTest::Equal, text, others.collect())
        }
        item => Node::InList(Box::new(item), list.into()),
    }
}

fn makes_text(node: &Node) -> bool {
    matches!(node, Node::Join(_) | Node::Lower(_) | Node::Choose(_))
}

/// Whether it compares by order, as the first half of `10 < x < 20` does.
fn is_ordering(at: &IdedExpr) -> bool {
    let Expr::Call(call) = &at.expr else { return false };
    let ordering = [Comparison::Less, Comparison::LessOrEqual, Comparison::Greater, Comparison::GreaterOrEqual];
    operators::comparison(&call.func_name).is_some_and(|how| ordering.contains(&how))
}

fn is_time(node: &Node) -> bool {
    match node {
        Node::Field(field) => matches!(field.of, Type::Time),
        Node::Literal(Literal::Time(_)) => true,
        _ => false,
    }
}

fn named_part(part: crate::rules::condition::tree::TimePart) -> Option<(&'static str, (i64, i64))> {
    times::PARTS.iter().find(|(_, known, _)| *known == part).map(|(_, known, range)| (times::shown(*known), *range))
}
