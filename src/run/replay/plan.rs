//! What a replay decides: a stretch of each partition, fixed when it is begun and noted with the group's offsets, so that whoever
//! starts it again goes on with the same, under the same terms.

use std::{fmt::Write as _, fs};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    config::Config,
    io::Bound,
    kafka::{End, Ends, NotedOffset, Span, Topics, note_offsets, noted_offsets, read_range, spans, spans_from},
    rules::Ruleset,
    tables::Tables,
};

use super::{
    super::{Failure, ReplayArguments, ReplayRange},
    census::{Census, Taken},
    offsets_file,
};

/// Bytes of a batch of dead letters, about.
const BATCH: usize = 1 << 20;
/// Digits of a hash that tell one from another.
const SHORT: usize = 12;

/// On what a replay was begun: it goes on with the same or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// Its arguments; of long ones a hash.
    asked: String,
    /// `NAME/VERSION/` and the first digits of the hash.
    rules: String,
    /// First digits of a hash over the tables'.
    #[serde(default)]
    tables: String,
}

impl Terms {
    /// Those of this call; `file` is the text of `--offsets`.
    fn of(arguments: &ReplayArguments, file: &str, rules: &Ruleset, tables: &Tables) -> Self {
        let range = match &arguments.range {
            ReplayRange::Times { from, to } => format!("--from {} --to {}", shown(*from), shown(*to)),
            ReplayRange::Offsets(_) => format!("--offsets (SHA-256 {})", short_hash(file)),
            ReplayRange::DeadLetters(None) => "--dead-letters".to_owned(),
            ReplayRange::DeadLetters(Some(code)) => format!("--dead-letters --code {}", code.chars().take(64).collect::<String>()),
        };
        let only = arguments.only.as_ref().map_or_else(String::new, |only| format!(" --where (SHA-256 {})", short_hash(only.trim())));
        let asked = range + &only + if arguments.promote { " --promote" } else { "" };
        let tables = tables.versions.iter().map(|(name, hash)| format!("{name}={hash}")).collect::<Vec<_>>().join(",");
        let rules = format!("{}/{}", rules.label(), rules.hash.get(..SHORT).unwrap_or(&rules.hash));
        Self { asked, rules, tables: if tables.is_empty() { "none".to_owned() } else { short_hash(&tables) } }
    }
}

fn shown(bound: Bound) -> String {
    match bound {
        Bound::Earliest => "earliest".to_owned(),
        Bound::Latest => "latest".to_owned(),
        Bound::At(time) => time.to_string(),
    }
}

fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(SHORT / 2).fold(String::new(), |mut hash, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// What is noted with each offset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    from: i64,
    to: i64,
    /// Partitions that have a note like this.
    partitions: usize,
    #[serde(flatten)]
    terms: Terms,
}

impl Note {
    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A stretch of a partition, and how far it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) span: Span,
    pub(super) next: i64,
}

impl Stretch {
    fn is_open(&self) -> bool {
        self.next < self.span.to
    }
}

/// All that is to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) stretches: Vec<Stretch>,
    terms: Terms,
    /// It was begun before.
    pub(super) begun: bool,
}

impl Plan {
    /// What was begun before, or else what is asked for; `config` has the replay's group.
    ///
    /// # Errors
    /// 64 where it cannot be done, was begun on other terms, or records of it are gone; 75 when the broker does not answer.
    pub(super) fn find(
        config: &Config,
        live: &Config,
        arguments: &ReplayArguments,
        rules: &Ruleset,
        tables: &Tables,
    ) -> Result<Self, Failure> {
        let file = match &arguments.range {
            ReplayRange::Times { .. } | ReplayRange::DeadLetters(_) => String::new(),
            ReplayRange::Offsets(path) => {
                fs::read_to_string(path).map_err(|error| Failure::usage(format!("reading the offsets in {}: {error}", path.display())))?
            }
        };
        let terms = Terms::of(arguments, &file, rules, tables);
        let raw = &config.topics.raw;
        let noted = noted_offsets(&config.kafka, raw)?;
        if !noted.is_empty() {
            return Self::begun(config, arguments, terms, &noted);
        }
        if let Some(begun) = of_another_kind(config, live)? {
            return Err(other_terms(&arguments.id, &begun, &terms));
        }
        let mut spans = match &arguments.range {
            ReplayRange::Times { from, to } => spans(&config.kafka, raw, *from, *to)?,
            ReplayRange::DeadLetters(_) => spans(&config.kafka, raw, Bound::Earliest, Bound::Latest)?,
            ReplayRange::Offsets(path) => {
                let wanted = offsets_file::parse(path, &file, raw)?;
                offsets_file::are_there(path, &wanted, &Topics::connect(&config.kafka)?.find(raw, super::ANSWER)?)?;
                spans_from(&config.kafka, &wanted)?
            }
        };
        if arguments.from_first_existing {
            for span in &mut spans {
                span.from = span.from.max(span.held.start);
                span.to = span.to.max(span.from);
            }
        } else if let Some(gone) = spans.iter().find(|span| may_be_gone(span, &arguments.range)) {
            return Err(is_gone(gone));
        }
        if let Some(Span { partition, from, to, held }) = spans.iter().find(|span| span.from > span.held.end || span.to > span.held.end) {
            return Err(Failure::usage(format!(
                "{partition} from {from} to {to}: the broker holds {} to {} there; end it at {} at the latest",
                held.start, held.end, held.end
            )));
        }
        if arguments.promote {
            leave_to_the_group(live, &mut spans)?;
        }
        let stretches = spans.into_iter().map(|span| Stretch { next: span.from, span }).collect();
        Ok(Self { stretches, terms, begun: false })
    }

    fn begun(config: &Config, arguments: &ReplayArguments, terms: Terms, offsets: &[NotedOffset]) -> Result<Self, Failure> {
        let id = &arguments.id;
        let notes = offsets.iter().filter_map(|offset| Some((offset, serde_json::from_str::<Note>(&offset.note).ok()?)));
        let notes: Vec<_> = notes.collect();
        let Some((_, first)) = notes.first() else {
            let group = &config.kafka.group;
            return Err(Failure::usage(format!("the group {group} has offsets that no replay noted; choose another id than {id:?}")));
        };
        if first.terms != terms {
            return Err(other_terms(id, &first.terms, &terms));
        }
        if notes.len() != first.partitions {
            return Err(Failure::usage(format!(
                "the replay {id:?} was begun with {} partitions, and the group {} has notes of {} now: somebody else has changed its \
                 offsets, or topics.raw is another. Nothing tells any more what is done; choose another id",
                first.partitions,
                config.kafka.group,
                notes.len()
            )));
        }
        let wanted: Vec<_> = notes.iter().map(|(at, note)| (at.partition.clone(), note.from, Some(note.to))).collect();
        let spans = spans_from(&config.kafka, &wanted)?;
        let stretches: Vec<_> = spans.into_iter().zip(&notes).map(|(span, (at, _))| Stretch { span, next: at.offset }).collect();
        // Which dead letter is a record's newest is read of all of the range, what is decided already included.
        let is_read_whole = matches!(arguments.range, ReplayRange::DeadLetters(_)) && stretches.iter().any(Stretch::is_open);
        let is_gone_in = |Stretch { span, next }: &&Stretch| {
            let first = if is_read_whole { span.from } else { *next };
            first < span.to && first < span.held.start
        };
        if let Some(Stretch { span, next }) = stretches.iter().find(is_gone_in).filter(|_| !arguments.from_first_existing) {
            return Err(is_gone(&Span { from: *next, ..span.clone() }));
        }
        Ok(Self { stretches, terms, begun: true })
    }

    /// Notes it with the group, which has begun then. All partitions at once.
    ///
    /// # Errors
    /// 75 when the broker does not answer, or somebody is in the group already.
    pub(super) fn begin(&self, config: &Config) -> Result<(), Failure> {
        let noted =
            |Stretch { span, next }: &Stretch| NotedOffset { partition: span.partition.clone(), offset: *next, note: self.note(span) };
        Ok(note_offsets(&config.kafka, &self.stretches.iter().map(noted).collect::<Vec<_>>())?)
    }

    /// Reads the dead letters of the range, and tells which of them are decided: the newest of each record.
    ///
    /// # Errors
    /// 75 when the broker does not answer, or deletes them meanwhile.
    pub(super) fn taken(&self, config: &Config, code: Option<&str>) -> Result<Taken, Failure> {
        let there = |span: &Span| Span { from: span.from.max(span.held.start), ..span.clone() };
        let mut census = Census::default();
        read_range(&config.kafka, &self.spans().map(there).collect::<Vec<_>>(), BATCH, &mut |batch| {
            batch.iter().for_each(|dead| census.learn(&dead, code));
            true
        })?;
        Ok(census.taken())
    }

    fn note(&self, span: &Span) -> String {
        Note { from: span.from, to: span.to, partitions: self.stretches.len(), terms: self.terms.clone() }.written()
    }

    /// Where its partitions end.
    pub(super) fn ends(&self) -> Ends {
        let end = |span: &Span| (span.partition.clone(), End { to: span.to, note: self.note(span) });
        self.spans().map(end).collect()
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.stretches.iter().map(|stretch| &stretch.span)
    }

    /// Offsets in it: its records are as many, or fewer where transactions wrote them.
    pub(super) fn offsets(&self) -> u64 {
        self.spans().map(|span| u64::try_from(span.to - span.from).unwrap_or(0)).sum()
    }

    /// Of these, how many are done when the sum of the group's offsets is this.
    pub(super) fn done(&self, committed: i64) -> u64 {
        // Where deleted records were passed over it may be beyond an end.
        u64::try_from(committed - self.spans().map(|span| span.from).sum::<i64>()).unwrap_or(0).min(self.offsets())
    }

    /// By which rules.
    pub(super) fn rules(&self) -> &str {
        &self.terms.rules
    }
}

fn other_terms(id: &str, begun: &Terms, now: &Terms) -> Failure {
    Failure::usage(format!(
        "the replay {id:?} was begun with {} and decided by {}, tables {}; this is {} and {}, tables {}. Go on with what it was begun \
         with, or choose another id",
        begun.asked, begun.rules, begun.tables, now.asked, now.rules, now.tables
    ))
}

/// On what a replay of this id was begun that reads other topics: of dead letters where this is of leads, or the other way round.
fn of_another_kind(config: &Config, live: &Config) -> Result<Option<Terms>, Failure> {
    let all = live.topics.raw.iter().chain([&live.topics.dead_letter]);
    let others: Vec<_> = all.filter(|topic| !config.topics.raw.contains(topic)).cloned().collect();
    let found = Topics::connect(&config.kafka)?.find(&others, super::ANSWER)?;
    let there: Vec<_> = found.into_iter().filter(|topic| topic.partitions > 0).map(|topic| topic.name).collect();
    if there.is_empty() {
        return Ok(None);
    }
    let noted = noted_offsets(&config.kafka, &there)?;
    Ok(noted.iter().find_map(|offset| serde_json::from_str::<Note>(&offset.note).ok()).map(|note| note.terms))
}

/// What the live group has not decided is its own to write: written by both, it would be there twice.
fn leave_to_the_group(live: &Config, spans: &mut [Span]) -> Result<(), Failure> {
    let stands = noted_offsets(&live.kafka, &live.topics.raw)?;
    if stands.is_empty() {
        return Ok(());
    }
    for span in spans {
        let committed = stands.iter().find(|offset| offset.partition == span.partition).map_or(span.from, |offset| offset.offset);
        span.to = span.to.min(committed).max(span.from);
    }
    Ok(())
}

/// Whether records of the range may have been deleted before it was looked up.
fn may_be_gone(span: &Span, range: &ReplayRange) -> bool {
    match range {
        ReplayRange::Times { from, .. } => span.may_lack_its_start(*from),
        ReplayRange::DeadLetters(_) => false,
        ReplayRange::Offsets(_) => span.from < span.held.start,
    }
}

fn is_gone(span: &Span) -> Failure {
    let Span { partition, held, .. } = span;
    Failure::usage(format!(
        "{partition}: records of the range may be gone, the first that exists is at offset {}: the topic's retention has deleted those \
         before. To replay what is there, add --from-first-existing",
        held.start
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Partition, Timestamp};

    fn arguments(range: ReplayRange) -> ReplayArguments {
        ReplayArguments {
            range,
            id: "again".to_owned(),
            only: None,
            rate: None,
            promote: false,
            yes: false,
            dry_run: false,
            from_first_existing: false,
            quiet: false,
        }
    }

    fn span(from: i64, to: i64, held: std::ops::Range<i64>) -> Span {
        Span { partition: Partition { topic: "raw".into(), number: 0 }, from, to, held }
    }

    #[test]
    fn terms_tell_range_condition_and_rules_apart_and_not_how_fast_it_goes() {
        let rules = Ruleset::built_in().expect("good rules");
        let times = |from| arguments(ReplayRange::Times { from, to: Bound::Latest });
        let of = |arguments: &ReplayArguments| Terms::of(arguments, "", &rules, &Tables::default());
        let plain = of(&times(Bound::Earliest));
        assert_eq!(plain.asked, "--from earliest --to latest");
        assert!(plain.rules.starts_with("default/"), "{}", plain.rules);
        assert_eq!(plain, of(&ReplayArguments { rate: Some(5), quiet: true, ..times(Bound::Earliest) }));
        assert_ne!(plain, of(&ReplayArguments { promote: true, ..times(Bound::Earliest) }));
        assert_ne!(plain, of(&ReplayArguments { only: Some("true".to_owned()), ..times(Bound::Earliest) }));
        let at = of(&times(Bound::At(Timestamp::from_millis(0))));
        assert_eq!(at.asked, "--from 1970-01-01T00:00:00.000000Z --to latest");
    }

    #[test]
    fn a_plan_comes_back_out_of_its_notes() {
        let terms = Terms { asked: "--from earliest --to latest".to_owned(), rules: "default/1/0".to_owned(), tables: "none".to_owned() };
        let stretches = vec![Stretch { span: span(3, 10, 0..20), next: 3 }];
        let plan = Plan { stretches, terms: terms.clone(), begun: false };
        let note: Note = serde_json::from_str(&plan.note(&span(3, 10, 0..20))).expect("a note");
        assert_eq!(note, Note { from: 3, to: 10, partitions: 1, terms });
        assert_eq!((plan.offsets(), plan.done(3), plan.done(10)), (7, 0, 7));
        // A broker keeps 4096 bytes beside an offset.
        assert!(note.written().len() < 1000, "{}", note.written());
    }

    #[test]
    fn a_start_that_retention_has_reached_is_doubtful() {
        let times = |from| ReplayRange::Times { from, to: Bound::Latest };
        let at = times(Bound::At(Timestamp::from_millis(0)));
        assert!(may_be_gone(&span(5, 9, 5..9), &at));
        assert!(!may_be_gone(&span(6, 9, 5..9), &at), "it begins behind a record that is there");
        assert!(!may_be_gone(&span(0, 9, 0..9), &at) && !may_be_gone(&span(9, 9, 9..9), &at));
        assert!(!may_be_gone(&span(5, 9, 5..9), &times(Bound::Earliest)), "what is there is what was asked for");
        let offsets = ReplayRange::Offsets("f".into());
        assert!(may_be_gone(&span(4, 9, 5..9), &offsets) && !may_be_gone(&span(5, 9, 5..9), &offsets));
    }
}
