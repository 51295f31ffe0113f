//! What `dlq retry` and `dlq park` wrote, held against the record of what they settled: each dead letter it tells of has what was
//! written for it, once and as it was, and nothing else was written by them. What replays wrote is `again`'s.

use std::collections::{BTreeSet, HashMap, HashSet};

use rustc_hash::FxBuildHasher;

use super::{Account, contents, hash, origin::Origin, report::Report};
use crate::{
    lead::Position,
    ledger::{EventsDigest, Fate, Settled, Settlement},
    pipeline::{Output, OutputTopic},
};

/// A dead letter as it stands, open or settled, parked or not.
#[derive(Debug)]
struct Letter {
    /// Place of its input partition, and the offset of its record there.
    record: (usize, i64),
    at: Position,
}

/// What was written for one dead letter, as far as it was found.
#[derive(Clone, Copy, Debug)]
struct Piece {
    record: (usize, i64),
    what: Settlement,
    /// Of a decided one.
    verdicts: u32,
}

/// The retries of an audit.
#[derive(Debug, Default)]
pub(super) struct Retries {
    /// What was settled before the outputs were read: all that was written for it is visible then.
    settled: Settled,
    letters: Vec<Letter>,
    pieces: Vec<Piece>,
    /// Events by their record, of which one retry alone decides.
    events: HashMap<(usize, i64), (EventsDigest, u32), FxBuildHasher>,
    /// Hashes of their ids.
    ids: HashSet<u64, FxBuildHasher>,
}

impl Retries {
    pub(super) fn of(settled: Settled) -> Self {
        Self { settled, ..Self::default() }
    }

    /// Takes a dead letter, where it stands.
    pub(super) fn letter(&mut self, record: (usize, i64), at: &Position) {
        self.letters.push(Letter { record, at: at.clone() });
    }

    /// Takes what a retry wrote, or a dead letter that stands in the parking topic; `false`: it is there already.
    pub(super) fn wrote(&mut self, record: (usize, i64), origin: &Origin<'_>, output: &Output<'_>, is_parked: bool) -> bool {
        if output.topic == OutputTopic::DeadLetter {
            let fate = if is_parked { Fate::Parked } else { Fate::Rejected };
            self.pieces.push(Piece { record, what: Settlement { fate, digest: contents(output) }, verdicts: 0 });
            return true;
        }
        if !self.ids.insert(hash(origin.id().as_bytes())) {
            return false;
        }
        let (digest, verdicts) = self.events.entry(record).or_default();
        digest.add(output);
        *verdicts += u32::from(output.topic != OutputTopic::Routing);
        true
    }

    /// Tells what does not agree, and the records of it; `now`: what is settled after the outputs were read, all that they may be of.
    pub(super) fn judge(mut self, now: &Settled, accounts: &[Account], report: &mut Report, wrong: &mut BTreeSet<(usize, i64)>) {
        let decided = self.events.drain().map(|(record, (digest, verdicts))| {
            let what = Settlement { fate: Fate::Decided, digest: digest.half() };
            Piece { record, what, verdicts }
        });
        self.pieces.extend(decided);
        self.pieces.sort_by_key(|piece| (piece.record, piece.what));
        self.letters.sort_by(|one, other| (one.record, &one.at).cmp(&(other.record, &other.at)));
        let mut claims = Claims::of(now);
        let records: BTreeSet<_> =
            self.pieces.iter().map(|piece| piece.record).chain(self.letters.iter().map(|letter| letter.record)).collect();
        let (mut pieces, mut letters) = (self.pieces.as_slice(), self.letters.as_slice());
        let mut left = Vec::new();
        for record in records {
            let (of_record, rest) = pieces.split_at(pieces.partition_point(|piece| piece.record <= record));
            pieces = rest;
            let (its_letters, rest) = letters.split_at(letters.partition_point(|letter| letter.record <= record));
            letters = rest;
            let Some(account) = accounts.get(record.0) else { continue };
            let mut case =
                Case { name: format!("{}/{}", account.stretch.partition, record.1), pieces: of_record.to_vec(), found: Vec::new() };
            let before = (report.missing.count(), report.changed.count());
            case.letters(its_letters, &self.settled, now, &mut claims, account.leads_at(record.1), report);
            if before != (report.missing.count(), report.changed.count()) {
                wrong.insert(record);
            }
            left.extend(case.pieces.iter().map(|piece| (case.name.clone(), *piece, case.found.contains(&piece.what))));
        }
        let mut untold = 0_u64;
        for (name, piece, is_double) in left {
            // Of a dead letter that is deleted, or stands in another topic.
            if claims.take(piece.what) {
                continue;
            }
            if is_double {
                report.duplicated.push(format!("{name}: what came of a dead letter is there twice"));
            } else if claims.unknown > 0 {
                untold += 1;
                continue;
            } else if !wrong.contains(&piece.record) {
                report.unexpected.push(format!("{name}: a retry wrote for it, and no settled dead letter tells of that"));
            }
            wrong.insert(piece.record);
        }
        if untold > 0 {
            let why = "an earlier version settled dead letters without telling what it wrote for them";
            report.notes.push(format!("of {untold} records that were retried nobody can tell whether all is as it was written: {why}"));
        }
    }
}

/// What settled dead letters tell was written, as often as they do, until it is found.
struct Claims {
    open: HashMap<Settlement, u64, FxBuildHasher>,
    /// Those that do not tell.
    unknown: u64,
}

impl Claims {
    fn of(settled: &Settled) -> Self {
        let mut claims = Self { open: HashMap::default(), unknown: 0 };
        for (_, what) in settled.iter() {
            match what {
                Some(what) => *claims.open.entry(what).or_default() += 1,
                None => claims.unknown += 1,
            }
        }
        claims
    }

    fn take(&mut self, what: Settlement) -> bool {
        let Some(count) = self.open.get_mut(&what).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }
}

/// One record, with what was written for its dead letters and is not told of yet.
struct Case {
    name: String,
    pieces: Vec<Piece>,
    found: Vec<Settlement>,
}

impl Case {
    fn take(&mut self, is_meant: impl Fn(&Piece) -> bool) -> Option<Piece> {
        let place = self.pieces.iter().position(is_meant)?;
        Some(self.pieces.remove(place))
    }

    fn letters(
        &mut self,
        letters: &[Letter],
        before: &Settled,
        now: &Settled,
        claims: &mut Claims,
        leads: Option<u32>,
        report: &mut Report,
    ) {
        let (mut lacking, mut unknown) = (Vec::new(), Vec::new());
        let mut decided = 0;
        let has_events = self.pieces.iter().any(|piece| piece.what.fate == Fate::Decided);
        for Letter { at, .. } in letters {
            match (before.of(at), now.of(at)) {
                // A record without a lead is decided without an event.
                (_, Some(Some(what))) if what == NOTHING => drop(claims.take(what)),
                (known, Some(Some(what))) => {
                    decided += u32::from(what.fate == Fate::Decided);
                    let is_there = self.take(|piece| piece.what == what).is_some();
                    claims.take(what);
                    if is_there {
                        self.found.push(what);
                    } else if known.is_some() {
                        lacking.push((at, what));
                    }
                    // Else it was settled while the outputs were read.
                }
                (Some(_), Some(None)) => unknown.push(at),
                (None | Some(_), None) | (None, Some(None)) => {}
            }
        }
        // Where several dead letters of a record were decided, as after the group's offset was set back, nobody can tell whose events
        // are whose.
        if decided > 1 && has_events {
            lacking.retain(|(_, what)| what.fate != Fate::Decided);
            self.pieces.retain(|piece| piece.what.fate != Fate::Decided);
        }
        for (at, what) in lacking {
            let name = &self.name;
            match self.pieces.iter().position(|piece| piece.what.fate == what.fate).map(|place| self.pieces.remove(place)) {
                Some(piece) if what.fate == Fate::Decided && leads.is_some_and(|leads| piece.verdicts < leads) => {
                    let (lost, leads) = (leads.unwrap_or(0) - piece.verdicts, leads.unwrap_or(0));
                    report.missing.push(format!("{name}: {lost} of {leads} leads, which a retry of the dead letter {at} had decided"));
                }
                Some(_) => report.changed.push(format!("{name}: what came of the dead letter {at} is not all there as it was written")),
                None => report.missing.push(format!("{name}: what came of the dead letter {at}, which is settled")),
            }
        }
        for at in unknown {
            claims.unknown = claims.unknown.saturating_sub(1);
            if self.pieces.pop().is_none() {
                report.missing.push(format!("{}: what came of the dead letter {at}, which is settled", self.name));
            }
        }
    }
}

/// Decided, and no event came of it.
const NOTHING: Settlement = Settlement { fate: Fate::Decided, digest: 0 };
