//! The members of a JSON object in one pass over its bytes, where it is written as nearly all are. It takes nothing that a parser would
//! not take; what it does not take, a parser must judge. What a value says is read by others.

use std::borrow::Cow;

use super::{
    json_text,
    object::{Inner, Member},
};
use crate::pipeline::json_bytes::ordinary;

/// Objects and arrays that nest deeper are left to the parser.
const DEEPEST: usize = 32;

/// An object in a record's with more members than this is nobody's customer, and a list of them would be many times its text.
const MOST_INNER: usize = 64;

/// The members of the object that is all of `text`, in order, in a list without any; `None`: a parser must tell what it is. Those of the
/// first object among them that has no more than a customer are listed on the way, so that it need not be gone through again.
pub(super) fn members<'t>(text: &'t str, mut members: Vec<Member<'t>>, inner: &mut Inner<'t>) -> Option<Vec<Member<'t>>> {
    let mut scan = Scan { text, at: 0 };
    // As many as the HTTPS endpoint sends, and a few more.
    members.reserve(12);
    scan.blanks();
    scan.mark(b'{')?;
    scan.blanks();
    if scan.mark(b'}').is_none() {
        loop {
            let (key, start) = (scan.key()?, scan.at);
            if inner.of.is_empty() && scan.peek() == Some(b'{') {
                let mut count = 0;
                scan.container(b'}', |scan| {
                    let member = scan.member(1)?;
                    count += 1;
                    if count <= MOST_INNER {
                        inner.members.push(member);
                    }
                    Some(())
                })?;
                if count <= MOST_INNER {
                    inner.of = text.get(start..scan.at)?;
                } else {
                    inner.members.clear();
                }
            } else {
                scan.value(0)?;
            }
            members.push((key, text.get(start..scan.at)?));
            if !scan.another(b'}')? {
                break;
            }
        }
    }
    scan.blanks();
    (scan.at == text.len()).then_some(members)
}

/// The members of a value that is known to be well-formed; `None`: it is no object, or nests so deep that a parser is asked.
pub(super) fn known(value: &str) -> Option<impl Iterator<Item = Member<'_>>> {
    let mut scan = Scan { text: value, at: 0 };
    if json_text::is_deeper(value, DEEPEST) || scan.mark(b'{').is_none() {
        return None;
    }
    scan.blanks();
    let mut more = scan.mark(b'}').is_none();
    Some(std::iter::from_fn(move || {
        let member = if more { scan.member(0) } else { None };
        more = member.is_some() && scan.another(b'}').unwrap_or(false);
        member
    }))
}

/// A place in a text.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past `mark`, if it stands here.
    fn mark(&mut self, mark: u8) -> Option<()> {
        (self.peek()? == mark).then(|| self.at += 1)
    }

    /// Key and value, in an object that lies so deep.
    fn member(&mut self, depth: usize) -> Option<Member<'t>> {
        let (key, start) = (self.key()?, self.at);
        self.value(depth)?;
        Some((key, self.text.get(start..self.at)?))
    }

    /// A key, to where its value begins.
    fn key(&mut self) -> Option<Cow<'t, str>> {
        let key = self.string()?;
        self.colon()?;
        Some(key)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn colon(&mut self) -> Option<()> {
        self.blanks();
        self.mark(b':')?;
        self.blanks();
        Some(())
    }

    /// Goes past the comma before another member or element, or past the `end`: whether another follows.
    fn another(&mut self, end: u8) -> Option<bool> {
        self.blanks();
        if self.mark(b',').is_some() {
            self.blanks();
            return Some(true);
        }
        self.mark(end).map(|()| false)
    }

    /// Goes past a value.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.quoted().map(|_| ()),
            b'{' | b'[' if depth == DEEPEST => None,
            b'{' => self.container(b'}', |scan| {
                scan.quoted()?;
                scan.colon()?;
                scan.value(depth + 1)
            }),
            b'[' => self.container(b']', |scan| scan.value(depth + 1)),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn container(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.mark(end).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if !self.another(end)? {
                return Some(());
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.mark(b'-');
        // Nothing follows a leading zero.
        if self.mark(b'0').is_none() {
            self.digits()?;
        }
        if self.mark(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// The text of a string.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at;
        let is_plain = self.quoted()?;
        let quoted = self.text.get(start..self.at)?;
        if is_plain { quoted.get(1..quoted.len() - 1).map(Cow::Borrowed) } else { json_text::scalar(quoted) }
    }

    /// Goes past a string; whether it has no escape.
    fn quoted(&mut self) -> Option<bool> {
        self.mark(b'"')?;
        let mut is_plain = true;
        loop {
            self.at += ordinary(self.text.as_bytes().get(self.at..)?);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(is_plain);
                }
                b'\\' => {
                    is_plain = false;
                    self.at += 1;
                    self.escape()?;
                }
                // A control character.
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let length = match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 1,
            b'u' if self.text.as_bytes().get(self.at + 1..self.at + 5)?.iter().all(u8::is_ascii_hexdigit) => 5,
            _ => return None,
        };
        self.at += length;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::decode::object::parsed;

    fn members(text: &str) -> Option<Vec<Member<'_>>> {
        super::members(text, Vec::new(), &mut Inner::default())
    }

    #[test]
    fn objects_as_they_are_mostly_written_are_taken() {
        for text in [
            "{}",
            " { \"a\" : 1 , \"b\\u00e9\\n\" : [ ] }\r\n",
            r#"{"a":"","b":{"c":[1,-0.5e+7,true,false,null,{}]},"a":"x\"y","ü":"漢字漢字漢字漢字"}"#,
            r#"{"userDetails":{"firstName":"Ada","email":"ada@cedar-labs.example"},"leadSource":"SPZA-INS|cedar.planner"}"#,
        ] {
            assert_eq!(members(text), Some(parsed(text).expect("JSON")), "{text}");
        }
    }

    #[test]
    fn the_members_of_the_first_object_are_listed_on_the_way() {
        for (text, first) in [
            (r#"{"a":1,"b":{"c" : [ 1 ], "d":{"e":"x"}},"f":{"g":2}}"#, r#"{"c" : [ 1 ], "d":{"e":"x"}}"#),
            (r#"{"a":{},"b":{"c":1}}"#, "{}"),
            (r#"{"a":[{"b":1}]}"#, ""),
        ] {
            let mut inner = Inner::default();
            super::members(text, Vec::new(), &mut inner).expect("an object");
            assert_eq!(inner.of, first);
            assert_eq!(inner.members, if first.is_empty() { Vec::new() } else { parsed(first).expect("an object") });
        }
    }

    #[test]
    fn an_object_with_more_members_than_a_lead_has_is_not_listed_on_the_way() {
        // In a record of a megabyte it would be ten megabytes of members, whether or not anybody asks for them.
        let many = format!("{{{}}}", vec![r#""":0"#; MOST_INNER + 1].join(","));
        let text = format!(r#"{{"a":{many},"b":{{"c":1}}}}"#);
        let mut inner = Inner::default();
        let members = super::members(&text, Vec::new(), &mut inner).expect("an object");
        assert_eq!(members, parsed(&text).expect("JSON"));
        assert!(inner.members.capacity() <= 2 * MOST_INNER && !inner.is_of(members[0].1));
        assert_eq!((inner.of, inner.members), (r#"{"c":1}"#, parsed(r#"{"c":1}"#).expect("an object")));
    }

    #[test]
    fn what_may_be_no_object_is_left_to_the_parser() {
        for text in
            ["", "{", "[]", "{}x", "{\"a\":01}", "{\"a\":1,}", "{\"a\" \"b\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\n\"}", "{\"a\":.5}", "{a:1}"]
        {
            assert_eq!(members(text), None, "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert!(members(&deep).is_none() && parsed(&deep).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_the_parser_takes(parts in prop::collection::vec(0..24_usize, 0..24)) {
            let pieces = [
                "{", "}", "[", "]", ":", ",", "\"", "\\", "\"a\"", "\"b\":", "1", "-0", ".5", "e9", "E+1", "true", "null", "fals", " ", "\n",
                "\\u00e9", "\"漢字 and more than eight\"", "\"\\ud83d\"", "\u{1}",
            ];
            let text: String = parts.into_iter().map(|part| pieces[part]).collect();
            for text in [text.clone(), format!("{{\"k\":{text}}}"), format!("{{\"k\":\"{text}\"}}"), format!("{{\"k\":[{text}],\"l\":0}}")] {
                let taken = members(&text);
                if taken.is_some() {
                    prop_assert_eq!(&taken, &parsed(&text).ok());
                    prop_assert_eq!(known(text.trim()).map(Iterator::collect), taken);
                }
            }
        }
    }
}
