//! The command line's definition: every verb, its arguments and how their texts are read. What a verb does is not here.

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use leadstream::{
    config,
    io::Bound,
    lead::{Format, Partition, Position, Timestamp, Vocabulary as _},
    run::{Failure, ReplayArguments, ReplayRange, Target, VerifyArguments, backtest::Limit},
};

use super::{
    dlq::DlqVerb,
    files::{ProcessOptions, ReadingOptions},
};

/// What `--version` tells: the version and, where the build was told it, the revision of the source.
static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("LEADSTREAM_REVISION") {
    Some(revision) if !["", "unknown"].contains(&revision) => format!("{} ({revision})", env!("CARGO_PKG_VERSION")),
    _ => env!("CARGO_PKG_VERSION").to_owned(),
});

/// Decides every lead from Microsoft's marketplaces exactly once: Kafka in, explained decisions on Kafka out.
#[derive(Debug, Parser)]
#[command(name = "leadstream", version = VERSION.as_str(), arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 the work found problems, 64 usage, configuration or rules, 70 a bug, 75 a dependency is away"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

// Taken by every verb. (A doc comment here would become the text of `--help`.)
#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration and output")]
pub(super) struct Common {
    /// The configuration file (TOML); without one every key has its default
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Set a key of the configuration, over file and environment; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The ruleset: a file, or a folder with ruleset.toml (over rules.path)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) rules: Option<PathBuf>,
    /// The folder of reference tables (over tables.dir)
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) tables: Option<PathBuf>,
    /// No progress and no closing lines
    #[arg(long, global = true)]
    pub(super) quiet: bool,
    /// How log lines are written (over log.format)
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormatArgument>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// The service: raw leads from Kafka in, decisions to Kafka out, exactly once
    Run {
        /// End when everything that was there at the start is decided
        #[arg(long)]
        once: bool,
        /// With --once: give up (exit 75) when nothing moves for this long
        #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, requires = "once")]
        wait: Duration,
    },
    /// Files through the same core: plain or packed, lines or Avro, on all cores, in a fixed order
    Process(ProcessOptions),
    /// Why one raw lead is decided as it is
    Explain {
        /// The raw record; "-" or nothing: standard input
        input: Option<PathBuf>,
        /// One JSON object instead of a tree
        #[arg(long)]
        json: bool,
        /// When the record was received (RFC 3339); default: now
        #[arg(long, value_name = "TIME", value_parser = timestamp)]
        now: Option<Timestamp>,
        /// Read the record from Kafka
        #[arg(long, value_name = "TOPIC/PARTITION/OFFSET", value_parser = position, conflicts_with = "input")]
        at: Option<Position>,
    },
    /// What another ruleset would change, on the same leads
    Backtest {
        /// Files of raw leads, as `process` reads them, or patterns; "-" is standard input
        #[arg(required_unless_present = "from", conflicts_with_all = ["from", "to"], value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        /// Leads of topics.raw received from then on (RFC 3339), or "earliest"
        #[arg(long, value_name = "TIME", value_parser = bound, requires = "to")]
        from: Option<Bound>,
        /// … and before then, or "latest": what is there now
        #[arg(long, value_name = "TIME", value_parser = bound, requires = "from")]
        to: Option<Bound>,
        /// The ruleset to try
        #[arg(long, value_name = "RULES", required_unless_present = "candidate_tables")]
        candidate: Option<PathBuf>,
        /// What it is compared with; default: rules.path, or the built-in ruleset
        #[arg(long, value_name = "RULES")]
        baseline: Option<PathBuf>,
        /// Tables to try; default: those of the configuration, for both
        #[arg(long, value_name = "DIR")]
        candidate_tables: Option<PathBuf>,
        /// When the records were received (RFC 3339); default: now
        #[arg(long, value_name = "TIME", value_parser = timestamp)]
        now: Option<Timestamp>,
        #[command(flatten)]
        reading: ReadingOptions,
        /// Leads that are shown of each cause
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=1000))]
        samples: u16,
        /// Show in samples what the records say of the customer
        #[arg(long)]
        with_personal_data: bool,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
        /// Write a page for people to this file
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Exit with 1 where more leads would change: a number, or a share such as 0.5%
        #[arg(long, value_name = "N|N%", value_parser = limit)]
        fail_if_changed: Option<Limit>,
    },
    /// A range of the raw leads decided again, exactly once, to topics of its own; goes on where it was stopped
    Replay(ReplayOptions),
    /// That every raw record has its outcome once, in order and as it was written: the topics against each other and the ledger
    Verify(VerifyOptions),
    /// Every problem of configuration, rules and tables at once, offline
    Check {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// The tests that stand beside a ruleset
    Test {
        /// Rulesets (a file, or a folder with ruleset.toml) or files of tests; default: rules.path, or the built-in ruleset
        #[arg(value_name = "RULES")]
        paths: Vec<PathBuf>,
        /// Tell which rules and branches no test tried
        #[arg(long)]
        coverage: bool,
        /// Write an XML report (junit format, as CI systems read it) to this file
        #[arg(long, value_name = "FILE")]
        junit: Option<PathBuf>,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// The ruleset itself
    Rules {
        #[command(subcommand)]
        verb: RulesVerb,
    },
    /// Whether exactly-once can hold here: configuration, brokers and schema registry, each finding with its fix
    Doctor {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Dead letters: what is wrong with them, and deciding them again
    Dlq {
        #[command(subcommand)]
        verb: DlqVerb,
    },
    /// The topics leadstream reads and writes
    Topics {
        #[command(subcommand)]
        verb: TopicsVerb,
    },
    /// The schemas of what is read and written
    Schemas {
        #[command(subcommand)]
        verb: SchemasVerb,
    },
    /// Made-up leads on an embedded broker, with a live summary and metrics
    Demo {
        /// End when so many leads are decided; default: go on until stopped
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        leads: Option<u64>,
        /// Instead: only write made-up leads, to the first of topics.raw at kafka.brokers; with --leads, end when so many are written
        #[arg(long)]
        to_kafka: bool,
        /// With --to-kafka: leads a second
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "to_kafka")]
        rate: u32,
    },
}

// What is told of it is the verb's. (A doc comment here would take that one's place.)
#[derive(Args, Debug)]
pub(super) struct VerifyOptions {
    /// Leads of topics.raw received from then on (RFC 3339), or "earliest"; with --against-ledger, entries written from then on
    #[arg(long, value_name = "TIME", value_parser = bound, default_value = "earliest")]
    from: Bound,
    /// … and before then, or "latest"; what is not decided yet is never looked at
    #[arg(long, value_name = "TIME", value_parser = bound, default_value = "latest")]
    to: Bound,
    /// Without the raw leads, which may be deleted: the ledger tells what there was
    #[arg(long)]
    against_ledger: bool,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

impl VerifyOptions {
    /// Fails where the range is turned round.
    pub(super) fn into_arguments(self) -> Result<VerifyArguments, Failure> {
        let Self { from, to, against_ledger, json } = self;
        in_order(from, to)?;
        Ok(VerifyArguments { from, to, against_ledger, json })
    }
}

// What is told of it is the verb's. (A doc comment here would take that one's place.)
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("range").required(true).args(["from", "offsets", "dead_letters"]))]
pub(super) struct ReplayOptions {
    /// Leads of topics.raw received from then on (RFC 3339), or "earliest"
    #[arg(long, value_name = "TIME", value_parser = bound, requires = "to")]
    from: Option<Bound>,
    /// … and before then, or "latest": what is there at the first start
    #[arg(long, value_name = "TIME", value_parser = bound, requires = "from")]
    to: Option<Bound>,
    /// Instead: a file of lines TOPIC,PARTITION,FROM[,TO]
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    offsets: Option<PathBuf>,
    /// Instead: the records that the dead letters stand for which are there at the first start
    #[arg(long, conflicts_with_all = ["to", "promote"])]
    dead_letters: bool,
    /// With --dead-letters: those with this code
    // What conflicts with the one that it requires has to be named: of those clap does not ask for it.
    #[arg(long, value_name = "CODE", requires = "dead_letters", conflicts_with_all = ["from", "to", "offsets"])]
    code: Option<String>,
    /// Its name: its topics end in ".replay.NAME", its events carry it, and the same one goes on with it
    #[arg(long, value_name = "NAME", value_parser = replay_id)]
    id: String,
    /// Publish only leads for which this condition holds, as a route would ask it
    #[arg(long = "where", value_name = "CONDITION")]
    only: Option<String>,
    /// At most so many records a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Write to the live topics; asks for the name again
    #[arg(long)]
    promote: bool,
    /// With --promote: do not ask
    #[arg(long, requires = "promote")]
    yes: bool,
    /// Tell ranges, numbers and topics, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the first records of the range are deleted already, begin with the first there is
    #[arg(long)]
    from_first_existing: bool,
}

impl ReplayOptions {
    /// Fails where there is no range, which the parser lets nobody leave out.
    pub(super) fn into_arguments(self, quiet: bool) -> Result<ReplayArguments, Failure> {
        let Self { from, to, offsets, dead_letters, code, id, only, rate, promote, yes, dry_run, from_first_existing } = self;
        if let Some((from, to)) = from.zip(to) {
            in_order(from, to)?;
        }
        let times = from.zip(to).map(|(from, to)| ReplayRange::Times { from, to });
        let range = times.or(offsets.map(ReplayRange::Offsets)).or(dead_letters.then_some(ReplayRange::DeadLetters(code)));
        let range = range.ok_or_else(|| Failure::usage("say what to replay: --from and --to, --offsets, or --dead-letters"))?;
        Ok(ReplayArguments { range, id, only, rate, promote, yes, dry_run, from_first_existing, quiet })
    }
}

/// A range must not end before it begins: nothing would be looked at, and all would be well.
pub(super) fn in_order(from: Bound, to: Bound) -> Result<(), Failure> {
    let is_turned = match (from, to) {
        (Bound::At(from), Bound::At(to)) => from > to,
        (Bound::Latest, Bound::Earliest | Bound::At(_)) | (Bound::At(_), Bound::Earliest) => true,
        _ => false,
    };
    if is_turned { Err(Failure::usage("--from lies behind --to: there is nothing in between")) } else { Ok(()) }
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum RulesVerb {
    /// Write a commented ruleset with two tests, to begin with
    New {
        /// Made where there is none; the ruleset is named after it
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// The merged ruleset as one file, each entry with where it came from
    Show,
    /// What two rulesets decide differently, in words
    Diff {
        /// A file, a folder with ruleset.toml, or "default"
        #[arg(value_name = "A")]
        before: PathBuf,
        /// As A
        #[arg(value_name = "B")]
        after: PathBuf,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// The JSON Schema of ruleset files, for editors
    Schema {
        /// Of files of tests
        #[arg(long)]
        tests: bool,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum TopicsVerb {
    /// Create those that are missing
    Create {
        /// Partitions of each new topic
        #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(i32).range(1..=100_000))]
        partitions: i32,
        /// Replicas of each new topic; default: the broker's
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=100))]
        replication: Option<i32>,
        /// Those that dlq writes to, too: what it has settled, and what is parked; else it makes them when it needs them
        #[arg(long)]
        dlq: bool,
    },
    /// Tell what is missing or does not fit
    Check,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum SchemasVerb {
    /// Every released schema: record, version, fingerprint, subjects
    List {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Register the schemas of the events' topics with the registry of the configuration
    Register {
        /// Those of raw leads too, for producers that write Avro
        #[arg(long)]
        raw: bool,
    },
    /// Tell whether the registry has them, or would take them
    Check {
        /// Those of raw leads too
        #[arg(long)]
        raw: bool,
    },
    /// Write all that a subscriber needs: schemas, an AsyncAPI document, examples, consumers
    Export {
        /// An empty folder, or one that an earlier export wrote
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormatArgument {
    /// For people
    Text,
    /// One object a line
    Json,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).ok_or_else(|| "a time is a whole number with its unit: 500ms, 30s, 5m or 1h".to_owned())
}

pub(super) fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a time looks like 2026-11-01T09:00:00Z (RFC 3339)".to_owned())
}

pub(super) fn format(text: &str) -> Result<Format, String> {
    match Format::from_name(text) {
        Some(Format::RawLead) => Err("raw_lead is not in this version yet".to_owned()),
        Some(format) => Ok(format),
        None => {
            let names: Vec<_> = Format::ALL.iter().filter(|format| **format != Format::RawLead).map(|format| format.name()).collect();
            Err(format!("no such format; there are {}", names.join(", ")))
        }
    }
}

pub(super) fn bound(text: &str) -> Result<Bound, String> {
    match text {
        "earliest" => Ok(Bound::Earliest),
        "latest" => Ok(Bound::Latest),
        time => timestamp(time).map(Bound::At).map_err(|hint| format!("{hint}, or is \"earliest\" or \"latest\"")),
    }
}

fn replay_id(text: &str) -> Result<String, String> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_good);
    if text == "dlq-retry" {
        return Err("under this name dlq retry writes; choose another".to_owned());
    }
    if fits { Ok(text.to_owned()) } else { Err("a name has up to 64 letters, digits, dots, - and _, as in a topic's name".to_owned()) }
}

fn limit(text: &str) -> Result<Limit, String> {
    let wrong = || "write a number of leads, such as 100, or a share of them, such as 0.5%".to_owned();
    match text.strip_suffix('%') {
        None => text.parse().map(Limit::Leads).map_err(|_| wrong()),
        Some(share) => match share.trim().parse::<f64>() {
            Ok(share) if (0.0..=100.0).contains(&share) => Ok(Limit::Percent(share)),
            _ => Err(wrong()),
        },
    }
}

pub(super) fn position(text: &str) -> Result<Position, String> {
    let parse = || {
        let (partition, offset) = text.rsplit_once('/')?;
        let (topic, number) = partition.rsplit_once('/')?;
        let number = number.parse().ok().filter(|number: &i32| *number >= 0)?;
        let offset = offset.parse().ok().filter(|offset: &i64| *offset >= 0)?;
        (!topic.is_empty()).then(|| Position { partition: Partition { topic: topic.into(), number }, offset })
    };
    parse().ok_or_else(|| "a position looks like leads.raw/0/42".to_owned())
}

pub(super) fn target(path: PathBuf) -> Target {
    if path.as_os_str() == "-" { Target::Stream } else { Target::Path(path) }
}
