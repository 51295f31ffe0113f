//! The functions a condition may call, and how each is checked and lowered. What CEL has beside them is in `refused`.

use cel::{IdedExpr, common::ast::Expr};

use super::{Compiler, Typed, comparisons, refused::REFUSED, regexes};
use crate::rules::{
    condition::{
        Fault,
        fields::{self, Type},
        times,
        tree::{Literal, LoweredTest, Node, TextTest},
    },
    suggest,
};

/// Every function with how it is called.
pub(in crate::rules::condition) const FUNCTIONS: [(&str, &str); 21] = [
    ("has", "has(x)"),
    ("size", "size(x) or x.size()"),
    ("startsWith", "x.startsWith(\"…\")"),
    ("endsWith", "x.endsWith(\"…\")"),
    ("contains", "x.contains(\"…\")"),
    ("matches", "x.matches(\"…\")"),
    ("lowerAscii", "x.lowerAscii()"),
    ("exists", "list.exists(element, …)"),
    ("all", "list.all(element, …)"),
    ("timestamp", "timestamp(\"2026-01-31T00:00:00Z\")"),
    ("duration", "duration(\"24h\")"),
    ("getFullYear", "x.getFullYear() or x.getFullYear(\"Europe/Berlin\")"),
    ("getMonth", "x.getMonth() or x.getMonth(\"Europe/Berlin\")"),
    ("getDate", "x.getDate() or x.getDate(\"Europe/Berlin\")"),
    ("getDayOfMonth", "x.getDayOfMonth() or x.getDayOfMonth(\"Europe/Berlin\")"),
    ("getDayOfWeek", "x.getDayOfWeek() or x.getDayOfWeek(\"Europe/Berlin\")"),
    ("getDayOfYear", "x.getDayOfYear() or x.getDayOfYear(\"Europe/Berlin\")"),
    ("getHours", "x.getHours() or x.getHours(\"Europe/Berlin\")"),
    ("getMinutes", "x.getMinutes() or x.getMinutes(\"Europe/Berlin\")"),
    ("getSeconds", "x.getSeconds() or x.getSeconds(\"Europe/Berlin\")"),
    ("getMilliseconds", "x.getMilliseconds() or x.getMilliseconds(\"Europe/Berlin\")"),
];

impl Compiler<'_> {
    pub(super) fn function(&mut self, at: &IdedExpr, name: &str, target: Option<&IdedExpr>, arguments: &[IdedExpr]) -> Typed {
        let part = times::PARTS.iter().find(|(known, ..)| *known == name);
        match (name, target, arguments) {
            ("has", None, [of]) => {
                let (node, _) = self.lower(of)?;
                Some((Node::Has(Box::new(node)), Type::Bool))
            }
            ("size", Some(of), []) | ("size", None, [of]) => self.size(of),
            ("startsWith", Some(text), [part]) => self.text_test(TextTest::StartsWith, LoweredTest::StartsWith, text, part),
            ("endsWith", Some(text), [part]) => self.text_test(TextTest::EndsWith, LoweredTest::EndsWith, text, part),
            ("contains", Some(text), [part]) => self.text_test(TextTest::Contains, LoweredTest::Contains, text, part),
            ("matches", Some(text), [regex]) | ("matches", None, [text, regex]) => self.matches(text, regex),
            ("lowerAscii", Some(text), []) => {
                let (node, of) = self.lower(text)?;
                self.text(text, of)?;
                Some((Node::Lower(Box::new(node)), Type::Text))
            }
            ("exists", Some(list), [element, body]) => self.each(at, false, list, element, body),
            ("all", Some(list), [element, body]) => self.each(at, true, list, element, body),
            ("timestamp", None, [text]) => self.timestamp(text),
            ("duration", None, [text]) => self.duration(text),
            (_, Some(of), [] | [_]) if part.is_some() => {
                let (_, part, _) = part?;
                let (lowered, zone) = (self.lower(of), arguments.first().map(|zone| self.zone(zone)));
                let (node, is) = lowered?;
                let zone = match zone {
                    Some(zone) => Some(zone?),
                    None => None,
                };
                if matches!(is, Type::Time) || matches!(is, Type::Duration) && times::of_duration(*part) && zone.is_none() {
                    return Some((Node::Part(*part, Box::new(node), zone), Type::Int));
                }
                let hint = "times have all parts, with or without a zone; durations getHours, getMinutes, getSeconds, getMilliseconds";
                self.fault(of, format!("{} has no {name}() like this", is.name()), hint);
                None
            }
            _ => {
                self.unknown_function(at, name);
                None
            }
        }
    }

    fn unknown_function(&mut self, at: &IdedExpr, name: &str) {
        if let Some((_, form)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return self.fault(at, format!("{name} is not called like this"), format!("write {form}"));
        }
        if !name.starts_with(char::is_alphabetic) {
            _ = self.refused(
                at,
                match name {
                    "_?._" => "x.?y",
                    "_[?_]" => "x[?y]",
                    _ => "this",
                },
            );
            return;
        }
        let offset = self.name_of_call(at, name);
        let refused = REFUSED.iter().find(|(refused, _)| refused.strip_suffix("()") == Some(name));
        let (message, hint) = if let Some((refused, instead)) = refused {
            (format!("{refused} is not supported in conditions"), (*instead).to_owned())
        } else {
            let names = FUNCTIONS.iter().map(|(name, _)| *name);
            let turned = (name.eq_ignore_ascii_case("not")).then(|| "write ! for \"not\"".to_owned());
            let near = suggest::nearest(name, names.clone()).map(|near| format!("did you mean {near}?"));
            let all: Vec<&str> = names.collect();
            (format!("unknown function {name}"), turned.or(near).unwrap_or_else(|| format!("there are {}", all.join(", "))))
        };
        self.faults.push(Fault { offset, length: name.len(), message, hint });
    }

    fn text(&mut self, at: &IdedExpr, of: Type) -> Option<()> {
        if matches!(of, Type::Text | Type::Word(_)) {
            return Some(());
        }
        self.fault(at, format!("this must be a text; it is {}", of.name()), "texts stand in quotes");
        None
    }

    fn text_test(&mut self, how: TextTest, how_lowered: LoweredTest, text: &IdedExpr, part: &IdedExpr) -> Typed {
        let (lowered, part_lowered) = (self.lower(text), self.lower(part));
        let ((text_node, of), (part_node, part_type)) = (lowered?, part_lowered?);
        self.text(text, of)?;
        self.text(part, part_type)?;
        if let (Node::Field(field), Node::Literal(Literal::Text(written))) = (&text_node, &part_node)
            && let Some(form) = fields::form(field.path)
            && !(form.fits_in)(written)
        {
            let mended = Some((form.mend)(written)).filter(|mended| (form.fits_in)(mended));
            let hint = mended.map_or_else(|| format!("write {}", form.words), |mended| format!("write {mended:?}"));
            self.fault(part, format!("{} never has {written:?} in it: it is always {}", field.path, form.words), hint);
            return None;
        }
        if let (Node::Lower(_), Node::Literal(Literal::Text(written))) = (&text_node, &part_node) {
            if written.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let message = format!("a text from lowerAscii() never has {written:?} in it");
                self.fault(part, message, format!("write {:?}", written.to_ascii_lowercase()));
                return None;
            }
            let node = comparisons::lowered(how_lowered, text_node, part_node);
            return Some((node.unwrap_or_else(|(text, part)| Node::Test(how, Box::new(text), Box::new(part))), Type::Bool));
        }
        Some((Node::Test(how, Box::new(text_node), Box::new(part_node)), Type::Bool))
    }

    fn matches(&mut self, text: &IdedExpr, regex: &IdedExpr) -> Typed {
        let (lowered, regex_lowered) = (self.lower(text), self.lower(regex));
        let ((node, of), (regex_node, _)) = (lowered?, regex_lowered?);
        self.text(text, of)?;
        let Node::Literal(Literal::Text(pattern)) = regex_node else {
            let hint = "write the regular expression itself in quotes; for a text that the lead tells use contains(…)";
            self.fault(regex, "matches(…) takes a written text only, so that it can be checked now", hint);
            return None;
        };
        if let Some(letter) = regexes::capital(&pattern).filter(|_| is_small(&node)) {
            let message = format!("this needs a capital {letter:?}, and is asked of a text in small letters");
            self.fault(regex, message, "write it in small letters, or with (?i) before it");
            return None;
        }
        match self.regexes.build(&pattern) {
            Ok(compiled) => Some((Node::Matches(Box::new(node), Box::new(compiled)), Type::Bool)),
            Err((message, hint)) => {
                self.fault(regex, message, hint);
                None
            }
        }
    }

    fn size(&mut self, of: &IdedExpr) -> Typed {
        if let Expr::List(list) = &of.expr {
            let elements: Option<Vec<_>> = list.elements.iter().map(|element| self.lower(element)).collect();
            let count = i64::try_from(elements?.len()).ok()?;
            return Some((Node::Literal(Literal::Int(count)), Type::Int));
        }
        let (node, is) = self.lower(of)?;
        if matches!(is, Type::Text | Type::Word(_) | Type::Map | Type::Flags | Type::Reasons) {
            return Some((Node::Size(Box::new(node)), Type::Int));
        }
        self.fault(of, format!("{} has no size", is.name()), "texts, lists and maps have one");
        None
    }

    fn timestamp(&mut self, text: &IdedExpr) -> Typed {
        let (node, is) = self.lower(text)?;
        let hint = "write it like timestamp(\"2026-01-31T00:00:00Z\"), with at most six decimals";
        let Node::Literal(Literal::Text(written)) = &node else {
            let hint = if matches!(is, Type::Time) { "this is a time already: leave timestamp(…) away" } else { hint };
            self.fault(text, "timestamp(…) takes a written text only", hint);
            return None;
        };
        let Some(time) = times::time(written) else {
            self.fault(text, "this is no time", hint);
            return None;
        };
        Some((Node::Literal(Literal::Time(time)), Type::Time))
    }

    fn duration(&mut self, text: &IdedExpr) -> Typed {
        let (node, _) = self.lower(text)?;
        let hint = "write it like duration(\"1h30m\"): a number and h, m, s, ms or us; a day is \"24h\"";
        let Node::Literal(Literal::Text(written)) = &node else {
            self.fault(text, "duration(…) takes a written text only", hint);
            return None;
        };
        let Some(micros) = times::duration(written) else {
            self.fault(text, "this is no duration", hint);
            return None;
        };
        Some((Node::Literal(Literal::Duration(micros)), Type::Duration))
    }

    fn zone(&mut self, name: &IdedExpr) -> Option<jiff::tz::TimeZone> {
        let (node, _) = self.lower(name)?;
        let Node::Literal(Literal::Text(written)) = &node else {
            self.fault(name, "a zone is a written text only", "write it like getHours(\"Europe/Berlin\") or getHours(\"+02:00\")");
            return None;
        };
        match times::zone(written) {
            Ok(zone) => Some(zone),
            Err(hint) => {
                self.fault(name, format!("{written:?} is no time zone"), hint);
                None
            }
        }
    }
}

/// Whether what the expression tells has no capital letter in it.
fn is_small(node: &Node) -> bool {
    match node {
        Node::Field(field) => fields::form(field.path).is_some_and(|form| !(form.fits_in)("A") && (form.fits_in)("a")),
        Node::Lower(_) => true,
        _ => false,
    }
}
