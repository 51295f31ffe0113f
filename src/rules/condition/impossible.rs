//! Texts that a condition asks for and a field never has, by the way in which it is always written. Looks at single tests; what
//! excludes each other is found out in `space`.

use super::{
    Condition,
    space::parts,
    tree::{Comparison, Literal, LoweredTest, Node, TextTest},
};

/// A test of a field that no lead passes, or every lead.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rules) struct NeverText {
    pub(in crate::rules) field: String,
    pub(in crate::rules) written: String,
    pub(in crate::rules) why: &'static str,
    pub(in crate::rules) hint: String,
}

/// How a text is asked for.
#[derive(Clone, Copy)]
enum How {
    Whole,
    Start,
    End,
    Within,
}

impl Condition {
    /// Texts that it asks for and that are never there.
    pub(in crate::rules) fn never_texts(&self) -> Vec<NeverText> {
        let mut found = Vec::new();
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            for (of, how, text) in tests(node) {
                found.extend(never(of, how, text).filter(|never| !found.contains(never)));
            }
            open.extend(parts(node).into_iter().rev());
        }
        found
    }

    /// Regular expressions that are written between slashes, with the field they are held against. Paths of addresses may be meant so.
    pub(in crate::rules) fn slashed_regexes(&self) -> Vec<(String, &str)> {
        let mut found = Vec::new();
        let mut open = vec![&self.0];
        while let Some(node) = open.pop() {
            if let Node::Matches(of, regex) = node
                && let Some((_, flags)) = regex.as_str().strip_prefix('/').and_then(|rest| rest.rsplit_once('/'))
                && flags.bytes().all(|flag| b"gimsuxy".contains(&flag))
            {
                let field = of.to_string();
                let is_name =
                    ["contact.", "account.", "referral.", "offer_title", "offer.title", "lowerAscii"].iter().any(|of| field.contains(of));
                found.extend((is_name).then(|| (field, regex.as_str())));
            }
            open.extend(parts(node).into_iter().rev());
        }
        found
    }
}

/// What a node asks of which texts.
fn tests(node: &Node) -> Vec<(&Node, How, &str)> {
    fn text(node: &Node) -> Option<&str> {
        match node {
            Node::Literal(Literal::Text(text)) => Some(text),
            _ => None,
        }
    }
    match node {
        Node::Compare(Comparison::Equal | Comparison::NotEqual, left, right) => match (text(left), text(right)) {
            (None, Some(text)) => vec![(left, How::Whole, text)],
            (Some(text), None) => vec![(right, How::Whole, text)],
            _ => Vec::new(),
        },
        Node::InList(item, list) => list.iter().filter_map(text).map(|text| (&**item, How::Whole, text)).collect(),
        Node::Test(how, of, part) => {
            let how = match how {
                TextTest::StartsWith => How::Start,
                TextTest::EndsWith => How::End,
                TextTest::Contains => How::Within,
            };
            text(part).map(|text| (&**of, how, text)).into_iter().collect()
        }
        Node::LoweredTest(how, of, others) => {
            let how = match how {
                LoweredTest::Equal | LoweredTest::NotEqual => How::Whole,
                LoweredTest::StartsWith => How::Start,
                LoweredTest::EndsWith => How::End,
                LoweredTest::Contains => How::Within,
            };
            others.iter().map(|text| (&**of, how, &**text)).collect()
        }
        _ => Vec::new(),
    }
}

fn never(of: &Node, how: How, text: &str) -> Option<NeverText> {
    if text.is_empty() {
        return None;
    }
    let (why, hint) = match of {
        Node::Field(field) if field.path == "contact.phone_e164" => no_number(how, text)?,
        Node::Entry(map, _) if matches!(&**map, Node::Field(field) if field.path == "extra") => no_json(how, text)?,
        _ => return None,
    };
    Some(NeverText { field: of.to_string(), written: text.to_owned(), why, hint })
}

/// `+` and digits.
fn no_number(how: How, text: &str) -> Option<(&'static str, String)> {
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let after_plus = text.strip_prefix('+');
    let fits = match how {
        How::Whole | How::Start => after_plus.is_some_and(are_digits),
        How::End | How::Within => are_digits(after_plus.unwrap_or(text)),
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let mended = if matches!(how, How::Whole | How::Start) || after_plus.is_some() { format!("+{digits}") } else { digits };
    let hint =
        if mended.trim_start_matches('+').is_empty() { "ask for digits, or has(…)".to_owned() } else { format!("write {mended:?}") };
    (!fits).then_some(("a number is + and digits", hint))
}

/// A value as compact JSON.
fn no_json(how: How, text: &str) -> Option<(&'static str, String)> {
    let begins = |text: &str| text.starts_with(|first: char| first.is_ascii_digit() || "\"{[-tfn".contains(first));
    let ends = |text: &str| text.ends_with(|last: char| last.is_ascii_digit() || "\"}]el".contains(last));
    let fits = match how {
        How::Whole => text.trim() == text && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
        How::Start => begins(text),
        How::End => ends(text),
        How::Within => true,
    };
    let quoted = serde_json::Value::from(text).to_string();
    let hint = match how {
        How::Whole => format!("write '{quoted}'"),
        How::Start => format!("write '{}'", quoted.strip_suffix('"').unwrap_or(&quoted)),
        How::End | How::Within => format!("write '{}'", quoted.strip_prefix('"').unwrap_or(&quoted)),
    };
    (!fits).then_some(("its values are compact JSON, so a text has its quotes", hint))
}
