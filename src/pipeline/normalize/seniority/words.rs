//! The words of titles, and finding them in a folded title: what stands at a place, and what it means there. What a title comes to
//! is read in `mod.rs`.

use crate::lead::Seniority;

use super::super::{fold::is_unspaced, sorted_lines::from};

/// Phrases, folded, each with its meaning and the languages it is of; sorted. A phrase with `-` before it is the end of a word.
pub(super) const WORDS: &str = include_str!("../data/seniority.txt");

/// A shorter word is no compound.
const SHORTEST_COMPOUND: usize = 7;

/// What a phrase means in a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A level, if it stands so.
    Level(Seniority, Stands),
    /// One rung below the level it stands with.
    Below,
    /// As `Below` before a level; else an assistant.
    Aide,
    /// Staff, whatever else is in the title.
    Staff,
    /// What follows is another person's.
    Of,
    /// What follows is where the person works.
    End,
    /// A new beginning within a part.
    And,
    /// Nothing of these.
    Other,
}

/// How a phrase has to stand to be a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Anyhow.
    Anywhere,
    /// "Owner", not "Product owner".
    First,
    /// "Sales lead", "Lead of", not "Lead developer".
    Last,
    /// "Partner", not "Partner manager".
    Alone,
    /// Genitives: "zastępca dyrektora", not "sekretariat dyrektora".
    Lowered,
}

impl Stands {
    /// Whether what was read at `place`, up to `next`, stands so.
    pub(super) fn holds(self, place: &Place<'_>, next: &Place<'_>, lowered: bool) -> bool {
        match self {
            Self::Anywhere => true,
            Self::First => place.is_first,
            Self::Last => next.is_last(),
            Self::Alone => place.is_first && next.is_last(),
            Self::Lowered => lowered,
        }
    }
}

impl Meaning {
    fn read(told: &str) -> Self {
        let meaning = told.split('\t').next().unwrap_or_default();
        let (word, stands) = meaning.split_once(' ').unwrap_or((meaning, ""));
        let stands = match stands {
            "first" => Stands::First,
            "last" => Stands::Last,
            "alone" => Stands::Alone,
            "lowered" => Stands::Lowered,
            _ => Stands::Anywhere,
        };
        match word {
            "C_LEVEL" => Self::Level(Seniority::CLevel, stands),
            "VP" => Self::Level(Seniority::Vp, stands),
            "DIRECTOR" => Self::Level(Seniority::Director, stands),
            "MANAGER" => Self::Level(Seniority::Manager, stands),
            "BELOW" => Self::Below,
            "AIDE" => Self::Aide,
            "STAFF" => Self::Staff,
            "OF" => Self::Of,
            "END" => Self::End,
            "AND" => Self::And,
            _ => Self::Other,
        }
    }
}

/// A place in a folded part of a title: at the beginning of a word, of a letter of a script without blanks, or at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'t> {
    rest: &'t str,
    is_first: bool,
}

impl<'t> Place<'t> {
    pub(super) fn first(text: &'t str) -> Self {
        Self { rest: text, is_first: true }
    }

    /// What stands here, and the place behind it; `None` at the end.
    pub(super) fn read(&self) -> Option<(Meaning, Self)> {
        let first = self.rest.chars().next()?;
        let word =
            if is_unspaced(first) { self.rest.get(..first.len_utf8()) } else { self.rest.split(|c| c == ' ' || is_unspaced(c)).next() };
        let word = word.unwrap_or_default();
        let (meaning, length) = self.phrase(word).unwrap_or_else(|| (compound(word), word.len().max(1)));
        let rest = self.rest.get(length..).unwrap_or_default();
        Some((meaning, Self { rest: rest.trim_start_matches(' '), is_first: meaning == Meaning::And }))
    }

    /// The longest phrase here, and its length; all that begin with `word` stand together.
    fn phrase(&self, word: &str) -> Option<(Meaning, usize)> {
        let beginning = from(WORDS, word).lines().map_while(|line| line.starts_with(word).then(|| line.split_once('\t'))?);
        let here = beginning.filter(|(phrase, _)| self.rest.strip_prefix(phrase).is_some_and(|rest| ends_there(phrase, rest)));
        here.max_by_key(|(phrase, _)| phrase.len()).map(|(phrase, told)| (Meaning::read(told), phrase.len()))
    }

    /// Nothing follows of what came before.
    fn is_last(&self) -> bool {
        matches!(self.read(), None | Some((Meaning::And | Meaning::Of | Meaning::End, _)))
    }
}

/// Whether `phrase` ends where `rest` begins: behind a whole word, or anywhere in a script without blanks.
fn ends_there(phrase: &str, rest: &str) -> bool {
    phrase.ends_with(is_unspaced) || rest.is_empty() || rest.starts_with(|c| c == ' ' || is_unspaced(c))
}

/// A word that a phrase with `-` ends, as in German: the longest that does.
fn compound(word: &str) -> Meaning {
    if word.len() < SHORTEST_COMPOUND {
        return Meaning::Other;
    }
    let ends = WORDS.lines().map_while(|line| line.strip_prefix('-')?.split_once('\t'));
    let fitting = ends.filter(|(end, _)| word.ends_with(end));
    fitting.max_by_key(|(end, _)| end.len()).map_or(Meaning::Other, |(_, told)| Meaning::read(told))
}
