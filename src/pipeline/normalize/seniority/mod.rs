//! A job title to a level, by the words of titles in many languages and how they stand together. The words are a data file;
//! `docs/seniority.md` tells them and the rules, and a test holds the page to the file.

mod words;

use std::ops::ControlFlow;

use crate::lead::Seniority;

use super::{fold::Short, remembered::Remembered};
use words::{Meaning, Place};

/// More of a title tells nothing new, and is not worth the time.
const LONGEST: usize = 512;

/// So many words may stand between a word that lowers a level and that level: "assistant regional IT sales manager".
const REACH: u8 = 3;

/// Titles read before.
#[derive(Debug, Default)]
pub(super) struct Titles(Remembered<Seniority>);

impl Titles {
    /// What [`of`] says.
    pub(super) fn seniority(&mut self, title: Option<&str>) -> Seniority {
        match title {
            // Hardly two people have the same long title.
            Some(title) if title.len() <= 64 => self.0.answer(title, || of(Some(title)), |level| *level),
            title => of(title),
        }
    }
}

/// The level of a title; without one unknown.
pub(super) fn of(title: Option<&str>) -> Seniority {
    let Some(title) = title else { return Seniority::Unknown };
    let start = (0..=LONGEST.min(title.len())).rev().find_map(|end| title.get(..end)).unwrap_or_default();
    // What follows is the place of work.
    let person = start.split('@').next().unwrap_or_default();
    let parts = person.split([',', ';', '/', '|', '(', ')', '[', ']', ':', '•', '·', '・', '–', '—', '\n', '、', '，', '／', '（', '）']);
    let mut level = Seniority::Staff;
    for part in parts.flat_map(|part| part.split(" - ")) {
        match part_level(part) {
            ControlFlow::Continue(higher) => level = level.min(higher),
            ControlFlow::Break(Staff) => return Seniority::Staff,
        }
    }
    level
}

/// A word was read that makes whoever has it in the title staff, whatever else stands there.
struct Staff;

/// The highest level in a part of a title.
fn part_level(part: &str) -> ControlFlow<Staff, Seniority> {
    // As long as the title, and a folded letter can be longer than it was.
    let folded = Short::<{ LONGEST * 2 }>::folded_start(part);
    let text = folded.as_str();
    let mut reading = Reading::default();
    let mut place = Place::first(text);
    while let Some((said, next)) = place.read() {
        if reading.add(said, &place, &next)? == Goes::NoFurther {
            return ControlFlow::Continue(reading.level);
        }
        place = next;
    }
    reading.end()
}

/// Whether what follows can still tell of the person.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    NoFurther,
}

/// What lowers the next level.
struct Lowering {
    /// Words that it still reaches over.
    reach: u8,
    /// An assistant with no level of their own is staff, and so is whoever has one in the title.
    is_aide: bool,
}

/// What was read so far.
struct Reading {
    level: Seniority,
    /// The level that was read just before and what was the highest without it.
    before: Option<(Seniority, Seniority)>,
    lowering: Option<Lowering>,
    /// The words before say whose: a level that follows is another person's.
    of_another: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { level: Seniority::Staff, before: None, lowering: None, of_another: false }
    }
}

impl Reading {
    fn add(&mut self, said: Meaning, place: &Place<'_>, next: &Place<'_>) -> ControlFlow<Staff, Goes> {
        match said {
            Meaning::Level(level, stands) if stands.holds(place, next, self.lowering.is_some()) => {
                let lowered = self.lowering.take().is_some();
                if self.of_another && !lowered {
                    return ControlFlow::Continue(Goes::NoFurther);
                }
                let level = if lowered { below(level) } else { level };
                self.before = Some((level, self.level));
                self.level = self.level.min(level);
            }
            Meaning::Below => {
                if let Some((level, others)) = self.before.take() {
                    // "Directeur adjoint", 部長代理: behind its level.
                    self.level = others.min(below(level));
                } else {
                    self.lowering = Some(Lowering { reach: REACH, is_aide: false });
                }
            }
            Meaning::Aide => self.lowering = Some(Lowering { reach: REACH, is_aide: true }),
            Meaning::Of => {
                if self.lowering.as_ref().is_some_and(|lowering| lowering.is_aide) {
                    return ControlFlow::Break(Staff);
                }
                (self.before, self.of_another) = (None, true);
            }
            Meaning::Staff => return ControlFlow::Break(Staff),
            Meaning::End => return self.end().map_continue(|_| Goes::NoFurther),
            Meaning::Level(..) | Meaning::And | Meaning::Other => self.pass()?,
        }
        ControlFlow::Continue(Goes::On)
    }

    /// A word without a level went by.
    fn pass(&mut self) -> ControlFlow<Staff> {
        (self.before, self.of_another) = (None, false);
        if let Some(lowering) = &mut self.lowering {
            if lowering.reach == 0 {
                let is_aide = lowering.is_aide;
                self.lowering = None;
                return if is_aide { ControlFlow::Break(Staff) } else { ControlFlow::Continue(()) };
            }
            lowering.reach -= 1;
        }
        ControlFlow::Continue(())
    }

    fn end(&self) -> ControlFlow<Staff, Seniority> {
        match &self.lowering {
            Some(lowering) if lowering.is_aide => ControlFlow::Break(Staff),
            _ => ControlFlow::Continue(self.level),
        }
    }
}

/// One rung down.
fn below(level: Seniority) -> Seniority {
    match level {
        Seniority::CLevel => Seniority::Vp,
        Seniority::Vp => Seniority::Director,
        Seniority::Director => Seniority::Manager,
        Seniority::Manager | Seniority::Staff => Seniority::Staff,
        Seniority::Unknown => Seniority::Unknown,
    }
}

#[cfg(test)]
mod tests;
