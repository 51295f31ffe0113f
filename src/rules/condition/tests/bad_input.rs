//! Conditions that nobody writes but by accident or in malice: refused at once, in few words, whatever they are.

use std::collections::BTreeSet;

use super::*;

/// The bytes of the longest message or hint.
fn longest(faults: &[super::super::Fault]) -> usize {
    faults.iter().map(|fault| fault.message.len().max(fault.hint.len())).max().unwrap_or_default()
}

#[test]
fn what_is_deep_is_refused_however_it_is_written() {
    for (open, middle, close) in [
        ("(", "is_test", ")"),
        ("!", "is_test", ""),
        ("!(", "is_test", ")"),
        ("-", "1", " == 1"),
        ("[", "1", "]"),
        ("{1: ", "1", "}"),
        ("a.", "b", ""),
        ("a[", "1", "]"),
        ("flags.exists(x, ", "true", ")"),
        ("has(", "note", ")"),
        ("is_test ? ", "true", " : true"),
        ("is_test ? true : ", "true", ""),
        ("1 + ", "1", ""),
        ("note.lowerAscii()", "", ".lowerAscii()"),
        ("is_test == ", "true", ""),
        ("true in [", "true", "]"),
    ] {
        for depth in [100, 10_000] {
            let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
            let faults = Condition::parse(&text, Sight::Routed).err().unwrap_or_default();
            assert_eq!(faults.len(), 1, "{open} {depth}");
            assert!(longest(&faults) < 200, "{faults:?}");
            let said = &faults[0].message;
            assert!(said.contains("at most 4096 bytes") || said.contains("at most 32 levels"), "{open} {depth}: {said}");
        }
    }
}

#[test]
fn what_is_long_is_refused_unread() {
    for unit in ["is_test || ", "a", "\"", "\u{1F600}", "[1, 2], ", " ", "\n", "x.y(1)"] {
        let text = unit.repeat(1 + 1_048_576 / unit.len());
        assert_eq!(faults(&text, Sight::Routed), ["4096 a condition has at most 4096 bytes"], "{unit:?}");
        let problems = Condition::of_route(&text).expect_err("too long");
        assert!(problems[0].to_string().len() < 2_000);
    }
}

#[test]
fn regular_expressions_that_blow_up_are_refused() {
    for regex in [
        "(a{1000}){1000}",
        "((((a{100}){100}){100}){100}){100}",
        "\\\\pL{1000}",
        "(\\\\w{50}){50}",
        "[^a]{100000}",
        "(?i)((a|b|c|d|e){500}){500}",
    ] {
        let told = faults(&format!("note.matches(\"{regex}\")"), Sight::Lead);
        assert!(matches!(&told[..], [one] if one.contains("costly") || one.contains("no regular expression")), "{regex}: {told:?}");
    }
    let deep = format!("note.matches(\"{}{}\")", "(?:".repeat(400), ")".repeat(400));
    assert!(matches!(&faults(&deep, Sight::Lead)[..], [one] if one.contains("no regular expression")));
    for regex in ["^[a-z0-9._-]+@(acme|adatum)\\\\.example$", "(?i)\\\\bseats?\\\\b", "\\\\d{1,9}", "^(.*)(.*)(.*)(.*)$"] {
        assert_eq!(faults(&format!("note.matches(\"{regex}\")"), Sight::Lead), [""; 0], "{regex}");
    }
}

#[test]
fn texts_that_are_not_closed_or_not_plain_are_refused_where_they_begin() {
    for (when, wanted) in [
        ("note == \"ä", "8 this text is not closed"),
        ("note == 'a\\'", "8 this text is not closed"),
        ("note == \"\"\"a\"", "8 this text is not closed"),
        ("nöte == \"a\"", "1 not valid CEL: unexpected 'ö'"),
        ("note == “a”", "8 not valid CEL: unexpected '“'"),
        ("note == \"\\q\"", "8 not valid CEL: unexpected '\"\\q'"),
        ("note == \"\\ud800\"", "8 not valid CEL: "),
        ("note == 99999999999999999999", "8 not valid CEL: "),
        ("note\u{a0}== \"a\"", "4 not valid CEL: unexpected '\u{a0}'"),
        ("\u{0}", "0 not valid CEL: unexpected '\u{0}'"),
    ] {
        let told = faults(when, Sight::Lead);
        assert!(told.first().is_some_and(|first| first.starts_with(wanted)), "{when:?}: {told:?}");
    }
}

#[test]
fn every_fault_lies_within_the_text_and_no_two_say_the_same_of_one_place() {
    let when = "foo == 1 || storefront == \"X\" || ö.baz(1) || note > 5 || flags.exists(x, y)";
    let when = &when.replace('ö', "o");
    let faults = Condition::parse(when, Sight::Lead).expect_err("wrong");
    let places: BTreeSet<_> = faults.iter().map(|fault| (fault.offset, &fault.message)).collect();
    assert_eq!((faults.len(), places.len()), (5, 5), "{faults:?}");
    assert!(faults.iter().all(|fault| fault.length > 0 && fault.offset + fault.length <= when.len()), "{faults:?}");
}

#[test]
fn a_problem_underlines_what_is_wrong() {
    let problems = Condition::of_route("has(note) &&\n  contact.contry == \"FR\"").expect_err("wrong");
    assert_eq!(
        problems[0].to_string(),
        "error: 2:3: unknown field contact.contry\n  |   contact.contry == \"FR\"\n  |   ^^^^^^^^^^^^^^\n  = did you mean contact.country?"
    );
}
