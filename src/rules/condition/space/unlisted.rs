//! Texts that no condition names, told apart by their features: how they begin and end, what is in them. Whether features go
//! together is decided where it is certain; else they may.

use super::super::tree::{Comparison, Literal, LoweredTest, TextTest};
use super::{mend, question::Test};

/// What a text may have or lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    Part {
        how: TextTest,
        part: Box<str>,
        lowered: bool,
    },
    /// In small letters it is one of these.
    Lowered(Box<[Box<str>]>),
    /// It comes before this text.
    Before(Box<str>),
    /// It fits this regular expression.
    Matches(Box<str>),
}

/// What a test makes of a text that no condition names.
pub(super) enum Unlisted {
    Truth(bool),
    /// Whether it has the feature, or lacks it.
    Depends(Feature, bool),
    /// Not understood.
    Unknown,
}

pub(super) fn of_unlisted(test: &Test<'_>) -> Unlisted {
    let lowered_part = |how, others: &[Box<str>]| match others {
        [part] => Unlisted::Depends(Feature::Part { how, part: part.clone(), lowered: true }, true),
        _ => Unlisted::Unknown,
    };
    match test {
        Test::Compare(how, literal) => match (how, &**literal) {
            (Comparison::NotEqual, _) => Unlisted::Truth(true),
            (Comparison::Less | Comparison::LessOrEqual, Literal::Text(other)) => Unlisted::Depends(Feature::Before(other.clone()), true),
            (Comparison::Greater | Comparison::GreaterOrEqual, Literal::Text(other)) => {
                Unlisted::Depends(Feature::Before(other.clone()), false)
            }
            _ => Unlisted::Truth(false),
        },
        Test::Text(how, part) => Unlisted::Depends(Feature::Part { how: *how, part: (*part).into(), lowered: false }, true),
        Test::Lowered(how, others) => match how {
            LoweredTest::Equal => Unlisted::Depends(Feature::Lowered((*others).into()), true),
            LoweredTest::NotEqual if others.len() == 1 => Unlisted::Depends(Feature::Lowered((*others).into()), false),
            LoweredTest::NotEqual => Unlisted::Unknown,
            LoweredTest::StartsWith => lowered_part(TextTest::StartsWith, others),
            LoweredTest::EndsWith => lowered_part(TextTest::EndsWith, others),
            LoweredTest::Contains => lowered_part(TextTest::Contains, others),
        },
        Test::Matches(regex) => Unlisted::Depends(Feature::Matches(regex.as_str().into()), true),
        Test::Has => Unlisted::Truth(true),
        Test::True => Unlisted::Truth(false),
    }
}

/// Whether it is certain that no text has these features and lacks those.
pub(super) fn exclude_each_other(all: &[(&Feature, bool)]) -> bool {
    let had = || all.iter().filter(|(_, has)| *has).map(|(feature, _)| *feature);
    let lacked = || all.iter().filter(|(_, has)| !*has).map(|(feature, _)| *feature);
    had().any(|feature| lacked().any(|lacked| implies(feature, lacked)))
        || lacked().any(is_of_all)
        || had().enumerate().any(|(at, one)| had().skip(at + 1).any(|other| clash(one, other)))
        || no_candidate_is_left(all)
}

/// Every text has it.
fn is_of_all(feature: &Feature) -> bool {
    matches!(feature, Feature::Part { part, .. } if part.is_empty())
}

/// Whether every text with the one has the other.
fn implies(one: &Feature, other: &Feature) -> bool {
    if one == other {
        return true;
    }
    match (one, other) {
        (Feature::Part { how, part, lowered }, Feature::Part { how: other_how, part: other, lowered: other_lowered }) => {
            if *lowered && !*other_lowered {
                return false;
            }
            let part = if *other_lowered { part.to_ascii_lowercase() } else { part.to_string() };
            match (how, other_how) {
                (TextTest::StartsWith, TextTest::StartsWith) => part.starts_with(&**other),
                (TextTest::EndsWith, TextTest::EndsWith) => part.ends_with(&**other),
                (_, TextTest::Contains) => part.contains(&**other),
                _ => false,
            }
        }
        (Feature::Lowered(texts), other) => texts.iter().all(|text| has(text, other) == Some(true)),
        (Feature::Before(text), Feature::Before(other)) => text <= other,
        _ => false,
    }
}

/// Whether no text has both.
fn clash(one: &Feature, other: &Feature) -> bool {
    match (one, other) {
        (Feature::Part { how, part, lowered }, Feature::Part { how: other_how, part: other, lowered: other_lowered })
            if how == other_how =>
        {
            let fold = |text: &str| if *lowered || *other_lowered { text.to_ascii_lowercase() } else { text.to_owned() };
            let (part, other) = (fold(part), fold(other));
            match how {
                TextTest::StartsWith => !part.starts_with(&other) && !other.starts_with(&part),
                TextTest::EndsWith => !part.ends_with(&other) && !other.ends_with(&part),
                TextTest::Contains => false,
            }
        }
        _ => false,
    }
}

/// Where a text can only be one of a few in small letters: whether each of them lacks something, or has what it must not.
fn no_candidate_is_left(all: &[(&Feature, bool)]) -> bool {
    let lists = all.iter().filter_map(|(feature, has)| match feature {
        Feature::Lowered(texts) if *has => Some(texts),
        _ => None,
    });
    let Some(candidates) = lists.min_by_key(|texts| texts.len()) else { return false };
    let fails = |text: &str| all.iter().any(|(feature, wanted)| has(text, feature) == Some(!*wanted));
    candidates.iter().all(|text| fails(text))
}

/// Whether texts that are this one in small letters have a feature, where that is one answer for all of them.
fn has(small: &str, feature: &Feature) -> Option<bool> {
    let test = |part: &str, how| match how {
        TextTest::StartsWith => small.starts_with(part),
        TextTest::EndsWith => small.ends_with(part),
        TextTest::Contains => small.contains(part),
    };
    match feature {
        Feature::Part { how, part, lowered: true } => Some(test(part, *how)),
        // With its capitals it may have it; in small letters it tells only what it cannot have.
        Feature::Part { how, part, lowered: false } => (!test(&part.to_ascii_lowercase(), *how)).then_some(false),
        Feature::Lowered(texts) => Some(texts.iter().any(|text| **text == *small)),
        _ => None,
    }
}

/// A text with and without these features, as near to it as can be built.
pub(super) fn text_with(all: &[(&Feature, bool)]) -> String {
    let had = || all.iter().filter(|(_, has)| *has).map(|(feature, _)| *feature);
    let longest = |wanted: TextTest| {
        let parts = had().filter_map(|feature| match feature {
            Feature::Part { how, part, .. } if *how == wanted => Some(&**part),
            _ => None,
        });
        parts.max_by_key(|part| part.len()).unwrap_or_default().to_owned()
    };
    if let Some(text) = had().find_map(|feature| if let Feature::Lowered(texts) = feature { texts.first() } else { None }) {
        let mut text = text.to_string();
        // Another text than the one in small letters, which is listed.
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        return text;
    }
    let fitting = had().find_map(|feature| if let Feature::Matches(regex) = feature { mend::text_that_fits(regex) } else { None });
    let begin = longest(TextTest::StartsWith);
    let mut text = fitting.filter(|text| text.starts_with(&begin)).unwrap_or(begin);
    for feature in had() {
        if let Feature::Part { how: TextTest::Contains, part, .. } = feature
            && !text.contains(&**part)
        {
            text.push_str(part);
        }
    }
    let end = longest(TextTest::EndsWith);
    if !text.ends_with(&end) || text.len() == end.len() {
        text.push_str(&end);
    }
    let before = had().filter_map(|feature| if let Feature::Before(text) = feature { Some(&**text) } else { None }).min();
    let not_before = all.iter().filter_map(|(feature, has)| match feature {
        Feature::Before(text) if !*has => Some(&**text),
        _ => None,
    });
    match (not_before.max(), before) {
        (Some(after), _) if text.is_empty() => format!("{after}~"),
        (None, Some(_)) if text.is_empty() => "!".to_owned(),
        _ if text.is_empty() => "other".to_owned(),
        _ => text,
    }
}
