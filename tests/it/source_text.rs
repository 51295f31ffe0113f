//! Rust source as far as `architecture` must read it: tokens without comments and literals, without what is compiled for
//! tests only, and the paths a file names, written out from the crate's root. Knows nothing of this crate's rooms.

use std::collections::BTreeMap;

/// A word, `::`, or one character of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path that a file names, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) line: usize,
    /// From `crate` or from a foreign crate; a glob import ends in `*`, a bare macro call is one segment with its `!`.
    pub(crate) path: Vec<String>,
}

/// The tokens of `text`; comments, strings and characters leave none.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(&char) = chars.get(at) {
        let rest = &chars[at..];
        let next = rest.get(1).copied();
        let length = match char {
            '/' if next == Some('/') => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            '/' if next == Some('*') => block_comment(rest),
            '"' => quoted(rest, 1),
            'b' | 'c' if next == Some('"') => quoted(rest, 2),
            'b' if next == Some('\'') => 1,
            'r' if raw_string(rest, 1).is_some() => raw_string(rest, 1).unwrap_or(1),
            'b' | 'c' if next == Some('r') && raw_string(rest, 2).is_some() => raw_string(rest, 2).unwrap_or(1),
            '\'' => character(rest),
            _ if is_word(char) => {
                let length = rest.iter().position(|c| !is_word(*c)).unwrap_or(rest.len());
                tokens.push(Token { text: rest[..length].iter().collect(), line });
                length
            }
            ':' if next == Some(':') => {
                tokens.push(Token { text: "::".to_owned(), line });
                2
            }
            _ => {
                if !char.is_whitespace() {
                    tokens.push(Token { text: char.to_string(), line });
                }
                1
            }
        };
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(rest.len())
}

/// The length of a literal whose content starts at `start` and ends at an unescaped `"`.
fn quoted(rest: &[char], start: usize) -> usize {
    let mut at = start;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of a raw literal whose hashes start at `start`, if it is one (`r#type` is not).
fn raw_string(rest: &[char], start: usize) -> Option<usize> {
    let hashes = rest[start..].iter().take_while(|c| **c == '#').count();
    let mut at = start + hashes;
    if rest.get(at) != Some(&'"') {
        return None;
    }
    loop {
        at += 1;
        match rest.get(at) {
            None => return Some(rest.len()),
            Some('"') if rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes => return Some(at + 1 + hashes),
            Some(_) => {}
        }
    }
}

/// The length of a character literal; of a lifetime its quote alone.
fn character(rest: &[char]) -> usize {
    match (rest.get(1), rest.get(2)) {
        (Some('\\'), _) => rest.iter().skip(3).position(|c| *c == '\'').map_or(rest.len(), |found| found + 4),
        (Some(_), Some('\'')) => 3,
        _ => 1,
    }
}

/// The tokens without items that are compiled for tests only.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let attribute = attribute_end(tokens, at);
        let inside = &tokens[at..attribute.unwrap_or(at)];
        let says = |word: &str| inside.iter().any(|token| token.text == word);
        if attribute.is_some() && says("cfg") && says("test") && !says("not") {
            at = item_end(tokens, attribute.unwrap_or(at));
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    let opens = tokens[at].text == "#" && tokens.get(at + 1)?.text == "[";
    opens.then(|| closing(tokens, at + 1, "[", "]"))
}

/// One past the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize, opening: &str, closing: &str) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.text == opening {
            depth += 1;
        } else if token.text == closing {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => return closing(tokens, at, "{", "}"),
            _ => at += 1,
        }
    }
    at
}

/// All paths that `tokens` name; `module` is where they stand (`["crate", "lead"]`), `package` the crate's name outside it.
pub(crate) fn paths(tokens: &[Token], module: &[String], package: &str) -> Vec<Named> {
    let mut reader = Reader { tokens, at: 0, package, modules: vec![(0, module.to_vec())], aliases: BTreeMap::new(), named: Vec::new() };
    // Imports first: they hold before the line they stand on, too.
    reader.walk(true);
    (reader.at, reader.modules) = (0, vec![(0, module.to_vec())]);
    reader.walk(false);
    reader.named
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    package: &'a str,
    /// The brace depth and path of each module around the current token.
    modules: Vec<(usize, Vec<String>)>,
    aliases: BTreeMap<String, Vec<String>>,
    named: Vec<Named>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn walk(&mut self, imports: bool) {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            let (word, next) = (self.text(self.at).to_owned(), self.text(self.at + 1).to_owned());
            match word.as_str() {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    self.modules.retain(|(opened, _)| *opened <= depth);
                }
                "mod" if self.text(self.at + 2) == "{" => {
                    let inner = self.module().iter().cloned().chain([next]).collect();
                    self.modules.push((depth + 1, inner));
                    self.at += 1;
                }
                "use" if next != "<" => {
                    self.at += 1;
                    if imports {
                        self.import(&[]);
                    } else {
                        self.at = item_end_of_use(self.tokens, self.at);
                    }
                    continue;
                }
                _ if !imports && starts_with_letter(&word) => {
                    self.mention();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    fn module(&self) -> &[String] {
        self.modules.last().map_or(&[], |(_, module)| module)
    }

    /// One branch of a `use` tree; stops behind it.
    fn import(&mut self, before: &[String]) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut path = before.to_vec();
        loop {
            let word = self.text(self.at).to_owned();
            self.at += 1;
            match word.as_str() {
                "::" => {}
                "{" => {
                    while !matches!(self.text(self.at), "}" | "") {
                        self.import(&path);
                        if self.text(self.at) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => {
                    let alias = self.text(self.at).to_owned();
                    self.at += 1;
                    return self.keep(path, alias, line);
                }
                "," | "}" | ";" | "" => {
                    self.at -= 1;
                    let name = path.last().cloned().unwrap_or_default();
                    return self.keep(path, name, line);
                }
                // `{self, …}` names the module itself.
                "self" if !path.is_empty() => {}
                _ => path.push(word),
            }
            if self.at > self.tokens.len() {
                return;
            }
        }
    }

    fn keep(&mut self, path: Vec<String>, name: String, line: usize) {
        let path = self.absolute(path);
        if !path.is_empty() {
            self.aliases.insert(name, path.clone());
            self.named.push(Named { line, path });
        }
    }

    /// A path in an expression, a type or an attribute, or a bare macro call.
    fn mention(&mut self) {
        let line = self.tokens[self.at].line;
        let method = self.at > 0 && self.text(self.at - 1) == ".";
        let mut path = vec![self.text(self.at).to_owned()];
        self.at += 1;
        while self.text(self.at) == "::" && starts_with_letter(self.text(self.at + 1)) {
            path.push(self.text(self.at + 1).to_owned());
            self.at += 2;
        }
        let known = self.aliases.contains_key(&path[0]);
        if method {
        } else if path.len() > 1 || known {
            let path = self.absolute(path);
            self.named.push(Named { line, path });
        } else if self.text(self.at) == "!" && self.text(self.at + 1) != "=" {
            self.named.push(Named { line, path: vec![format!("{}!", path[0])] });
        }
    }

    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let mut module = self.module().to_vec();
        let (first, rest) = match path.split_first() {
            Some((first, rest)) => (first.as_str(), rest),
            None => return path,
        };
        match first {
            "crate" => path,
            _ if first == self.package => ["crate".to_owned()].into_iter().chain(rest.iter().cloned()).collect(),
            "self" => module.into_iter().chain(rest.iter().cloned()).collect(),
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                module.truncate(module.len().saturating_sub(up).max(1));
                module.into_iter().chain(path[up..].iter().cloned()).collect()
            }
            _ => match self.aliases.get(first) {
                Some(target) if !target.starts_with(&[first.to_owned()]) || rest.is_empty() => target.iter().chain(rest).cloned().collect(),
                _ => path,
            },
        }
    }
}

fn starts_with_letter(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn item_end_of_use(tokens: &[Token], at: usize) -> usize {
    tokens.iter().skip(at).position(|token| token.text == ";").map_or(tokens.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        tokens(text).iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn named(text: &str) -> Vec<String> {
        let module = ["crate".to_owned(), "lead".to_owned(), "facts".to_owned()];
        let mut found: Vec<_> = paths(&tokens(text), &module, "leadstream").iter().map(|named| named.path.join("::")).collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn comments_and_literals_leave_no_tokens() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f"), "a f");
        assert_eq!(words(r##"a("b \" c", r#"d " e"#, br"f", b"g", 'h', '\'', '\u{69}', b'"', j)"##), "a ( , , , , , , , , j )");
        assert_eq!(words("fn f<'a>(x: &'a str, r#type: u8)"), "fn f < a > ( x : & a str , r # type : u8 )");
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let found = tokens("/* \n */ \"\n\" a\n// b\nc");
        assert_eq!(found.iter().map(|token| token.line).collect::<Vec<_>>(), [3, 5]);
    }

    #[test]
    fn what_is_compiled_for_tests_only_is_left_out() {
        let kept = |text: &str| without_tests(&tokens(text)).iter().map(|token| token.text.clone()).collect::<Vec<_>>().join(" ");
        assert_eq!(kept("a #[cfg(test)] mod tests { b { c } } d"), "a d");
        assert_eq!(kept("#[cfg(all(test, unix))] #[path = \"x\"] use b; d"), "d");
        assert_eq!(kept("#[cfg(not(test))] a"), "# [ cfg ( not ( test ) ) ] a");
    }

    #[test]
    fn imports_are_written_out() {
        assert_eq!(
            named("use std::{fs, time::{self, Instant as Now}, net::*}; use super::super::kafka::{Lane};"),
            ["crate::kafka::Lane", "std::fs", "std::net::*", "std::time", "std::time::Instant"]
        );
        assert_eq!(
            named("use super::code; use self::deep::X; use leadstream::io;"),
            ["crate::io", "crate::lead::code", "crate::lead::facts::deep::X"]
        );
    }

    #[test]
    fn a_short_name_is_followed_to_where_it_comes_from() {
        assert_eq!(named("use std::time as t; fn f() { t::Instant::now(); }"), ["std::time", "std::time::Instant::now"]);
        assert_eq!(
            named("fn f() -> crate::io::Batch { super::x::y::<u8>(); println!(); a.b(); a != b }"),
            ["crate::io::Batch", "crate::lead::x::y", "println!"]
        );
    }

    #[test]
    fn a_module_within_a_file_is_a_step_of_its_own() {
        assert_eq!(named("mod inner { use super::super::Code; } use super::Other;"), ["crate::lead::Code", "crate::lead::Other"]);
    }
}
