//! The command line: its definition, what each verb is handed, and the exit codes. No work is done here.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use leadstream::{
    config::{self, Config, LogFormat},
    lead::{Format, Partition, Position, Timestamp, Vocabulary as _},
    pipeline::Pipeline,
    problem::Problem,
    run::{self, DemoArguments, ExplainArguments, ExplainInput, Failure, ProcessArguments, ServeArguments, Target},
};

/// The work found problems.
const FOUND_PROBLEMS: u8 = 1;
/// Usage, configuration or rules.
const USAGE: u8 = 64;

/// Decides every lead from Microsoft's marketplaces exactly once: Kafka in, explained decisions on Kafka out.
#[derive(Debug, Parser)]
#[command(name = "leadstream", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 the work found problems, 64 usage, configuration or rules, 70 a bug, 75 a dependency is away"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

// Taken by every verb. (A doc comment here would become the text of `--help`.)
#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration and output")]
struct Common {
    /// The configuration file (TOML); without one every key has its default
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set a key of the configuration, over file and environment; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The ruleset: a file, or a folder with ruleset.toml (over rules.path)
    #[arg(long, global = true, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The folder of reference tables (over tables.dir)
    #[arg(long, global = true, value_name = "DIR")]
    tables: Option<PathBuf>,
    /// No progress and no closing lines
    #[arg(long, global = true)]
    quiet: bool,
    /// How log lines are written (over log.format)
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<LogFormatArgument>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The service: raw leads from Kafka in, decisions to Kafka out, exactly once
    Run {
        /// End when everything that was there at the start is decided
        #[arg(long)]
        once: bool,
        /// With --once: give up (exit 75) when nothing moves for this long
        #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, requires = "once")]
        wait: Duration,
    },
    /// Files through the same core
    Process {
        /// Raw leads, one a line; "-" is standard input
        #[arg(required = true, value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        /// The folder for qualified, unqualified, routing and dead-letter .ndjson; "-": all to standard output
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// When the records were received (RFC 3339); default: now
        #[arg(long, value_name = "TIME", value_parser = timestamp)]
        now: Option<Timestamp>,
        /// The format of the records, if it must not be told from their structure
        #[arg(long, value_name = "NAME", value_parser = format)]
        format: Option<Format>,
        /// How records stand in the input
        #[arg(long, value_enum, default_value_t)]
        framing: FramingArgument,
        /// Write the counts to this file, as JSON
        #[arg(long, value_name = "FILE")]
        summary: Option<PathBuf>,
    },
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
    /// Every problem of configuration, rules and tables at once, offline
    Check {
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
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum RulesVerb {
    /// The merged ruleset as one file, each entry with where it came from
    Show,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum TopicsVerb {
    /// Create those that are missing
    Create {
        /// Partitions of each new topic
        #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(i32).range(1..=100_000))]
        partitions: i32,
        /// Replicas of each new topic; default: the broker's
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=100))]
        replication: Option<i32>,
    },
    /// Tell what is missing or does not fit
    Check,
}

#[derive(Clone, Debug, Subcommand)]
enum SchemasVerb {
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
enum LogFormatArgument {
    /// For people
    Text,
    /// One object a line
    Json,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FramingArgument {
    /// One record a line
    #[default]
    Lines,
    /// Each record after its length, u32 big-endian
    Length,
}

fn duration(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).ok_or_else(|| "a time is a whole number with its unit: 500ms, 30s, 5m or 1h".to_owned())
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a time looks like 2026-11-01T09:00:00Z (RFC 3339)".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    match Format::from_name(text) {
        Some(Format::RawLead) => Err("raw_lead is not in this version yet".to_owned()),
        Some(format) => Ok(format),
        None => {
            let names: Vec<_> = Format::ALL.iter().filter(|format| **format != Format::RawLead).map(|format| format.name()).collect();
            Err(format!("no such format; there are {}", names.join(", ")))
        }
    }
}

fn position(text: &str) -> Result<Position, String> {
    let parse = || {
        let (partition, offset) = text.rsplit_once('/')?;
        let (topic, number) = partition.rsplit_once('/')?;
        let number = number.parse().ok().filter(|number: &i32| *number >= 0)?;
        let offset = offset.parse().ok().filter(|offset: &i64| *offset >= 0)?;
        (!topic.is_empty()).then(|| Position { partition: Partition { topic: topic.into(), number }, offset })
    };
    parse().ok_or_else(|| "a position looks like leads.raw/0/42".to_owned())
}

fn target(path: PathBuf) -> Target {
    if path.as_os_str() == "-" { Target::Stream } else { Target::Path(path) }
}

/// Parses the arguments, does what they say, and tells the exit code.
pub(crate) fn main(
    arguments: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (String, String)>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows which stream a message belongs to and whether colours are wanted; a closed pipe is no error.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    match dispatch(cli, environment, out, err) {
        Ok(exit) | Err(Ended::Told(exit)) => exit,
        Err(Ended::Failed(failure)) => {
            let _ = writeln!(err, "error: {failure}");
            failure.exit
        }
        // Whoever read the output has read enough.
        Err(Ended::Unwritten(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(Ended::Unwritten(error)) => {
            let _ = writeln!(err, "error: cannot write the output: {error}");
            75
        }
    }
}

/// How a verb ended early.
enum Ended {
    /// The reason is printed already.
    Told(u8),
    Failed(Failure),
    Unwritten(io::Error),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

fn dispatch(cli: Cli, environment: impl Iterator<Item = (String, String)>, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    let Cli { common, verb } = cli;
    let quiet = common.quiet;
    let (config, problems) = configuration(common, environment);
    match verb {
        Verb::Check { json } => {
            let good = run::check::check(&config, problems, json, out)?;
            Ok(if good { 0 } else { FOUND_PROBLEMS })
        }
        Verb::Process { inputs, output, now, format, framing, summary } => {
            let framing = match framing {
                FramingArgument::Lines => run::Framing::Lines,
                FramingArgument::Length => run::Framing::Length,
            };
            let inputs = inputs.into_iter().map(target).collect();
            let arguments = ProcessArguments { inputs, output: target(output), now, format, framing, summary, quiet };
            let pipeline = pipeline(&config, problems, true, err)?;
            let schemas = run::schema_source(&config.encoding)?;
            run::process::process(&config.topics, &pipeline, &*schemas, &arguments, out)?;
            Ok(0)
        }
        Verb::Explain { input, json, now, at } => {
            #[cfg(not(feature = "kafka"))]
            if at.is_some() {
                return Err(without_kafka("explain --at").into());
            }
            let input = match (at, input) {
                (Some(position), _) => ExplainInput::At(position),
                (None, Some(path)) => ExplainInput::Value(target(path)),
                (None, None) => ExplainInput::Value(Target::Stream),
            };
            let pipeline = pipeline(&config, problems, true, err)?;
            let schemas = run::schema_source(&config.encoding)?;
            run::explain::explain(&config, &pipeline, &*schemas, &ExplainArguments { input, json, now }, out)?;
            Ok(0)
        }
        Verb::Run { once, wait } => serve(&config, problems, &ServeArguments { once, wait, quiet }, err),
        Verb::Rules { verb: RulesVerb::Show } => {
            tell(&problems, true, err)?;
            match run::show_ruleset(config.rules.path.as_deref()) {
                Ok(shown) => write!(out, "{shown}")?,
                Err(found) => tell(&found, true, err)?,
            }
            Ok(0)
        }
        Verb::Doctor { json } => doctor(&config, problems, json, out, err),
        Verb::Topics { verb } => topics(&config, &problems, verb, out, err),
        Verb::Schemas { verb } => schemas(&config, &problems, verb, quiet, out, err),
        Verb::Demo { leads } => demo(&config, problems, &DemoArguments { leads, quiet }, out, err),
    }
}

/// The configuration as far as it can be read, with its problems.
fn configuration(common: Common, environment: impl Iterator<Item = (String, String)>) -> (Config, Vec<Problem>) {
    #[cfg(feature = "kafka")]
    let check: &config::PropertyCheck<'_> = &leadstream::kafka::check_property;
    #[cfg(not(feature = "kafka"))]
    let check: &config::PropertyCheck<'_> = &|_, _| Ok(());
    let (mut config, problems) = config::inspect(common.config.as_deref(), environment, &common.set, check);
    if let Some(path) = common.rules {
        config.rules.path = Some(path);
    }
    if let Some(dir) = common.tables {
        config.tables.dir = Some(dir);
    }
    match common.log_format {
        Some(LogFormatArgument::Text) => config.log.format = LogFormat::Text,
        Some(LogFormatArgument::Json) => config.log.format = LogFormat::Json,
        None => {}
    }
    (config, problems)
}

/// Rules and tables; all problems, the configuration's too, are told before giving up.
fn pipeline(config: &Config, mut problems: Vec<Problem>, quiet: bool, err: &mut dyn Write) -> Result<Pipeline, Ended> {
    let (pipeline, found) = run::inspect_pipeline(config);
    problems.extend(found);
    tell(&problems, quiet, err)?;
    pipeline.ok_or(Ended::Told(USAGE))
}

/// The same with the rulesets on trial, for what runs as a service.
#[cfg(feature = "kafka")]
fn live(
    config: &Config,
    mut problems: Vec<Problem>,
    quiet: bool,
    err: &mut dyn Write,
) -> Result<(Pipeline, leadstream::pipeline::Trials), Ended> {
    let (live, found) = run::inspect_live(config);
    problems.extend(found);
    tell(&problems, quiet, err)?;
    live.ok_or(Ended::Told(USAGE))
}

/// Shows problems; an error among them ends the command, warnings are for those who want them.
fn tell(problems: &[Problem], quiet: bool, err: &mut dyn Write) -> Result<(), Ended> {
    for problem in problems.iter().filter(|problem| problem.is_error() || !quiet) {
        let _ = writeln!(err, "{problem}");
    }
    if problems.iter().any(Problem::is_error) { Err(Ended::Told(USAGE)) } else { Ok(()) }
}

#[cfg(feature = "kafka")]
fn serve(config: &Config, problems: Vec<Problem>, arguments: &ServeArguments, err: &mut dyn Write) -> Result<u8, Ended> {
    let (pipeline, trials) = live(config, problems, arguments.quiet, err)?;
    run::serve::serve(config, pipeline, trials, arguments)?;
    Ok(0)
}

#[cfg(feature = "kafka")]
fn doctor(config: &Config, problems: Vec<Problem>, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    // Rules and tables with errors keep everything from starting, as everywhere; warnings are findings, or `check`'s.
    live(config, problems, true, err)?;
    Ok(run::doctor::doctor(config, json, out)?)
}

#[cfg(feature = "kafka")]
fn topics(config: &Config, problems: &[Problem], verb: TopicsVerb, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    tell(problems, true, err)?;
    let good = match verb {
        TopicsVerb::Create { partitions, replication } => {
            let arguments = run::topics::CreateArguments { partitions, replication: replication.unwrap_or(-1) };
            run::topics::create(config, arguments, out).map(|()| true)?
        }
        TopicsVerb::Check => run::topics::check(config, out)?,
    };
    Ok(if good { 0 } else { FOUND_PROBLEMS })
}

fn schemas(
    config: &Config,
    problems: &[Problem],
    verb: SchemasVerb,
    quiet: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Ended> {
    tell(problems, true, err)?;
    let subscription = run::schemas::Subscription::of(config);
    match verb {
        SchemasVerb::List { json } => run::schemas::list(&subscription, json, out)?,
        SchemasVerb::Export { folder } => run::schemas::export(&subscription, &folder, quiet, out)?,
        #[cfg(feature = "kafka")]
        SchemasVerb::Register { raw } => run::schemas::register(config, raw, out)?,
        #[cfg(feature = "kafka")]
        SchemasVerb::Check { raw } => return Ok(if run::schemas::check(config, raw, out)? { 0 } else { FOUND_PROBLEMS }),
        #[cfg(not(feature = "kafka"))]
        SchemasVerb::Register { .. } | SchemasVerb::Check { .. } => return Err(without_kafka("schemas register|check").into()),
    }
    Ok(0)
}

#[cfg(feature = "kafka")]
fn demo(config: &Config, problems: Vec<Problem>, arguments: &DemoArguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    let (pipeline, trials) = live(config, problems, true, err)?;
    run::demo::demo(config, pipeline, trials, arguments, out)?;
    Ok(0)
}

#[cfg(not(feature = "kafka"))]
fn serve(_: &Config, _: Vec<Problem>, _: &ServeArguments, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("run").into())
}

#[cfg(not(feature = "kafka"))]
fn doctor(_: &Config, _: Vec<Problem>, _: bool, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("doctor").into())
}

#[cfg(not(feature = "kafka"))]
fn topics(_: &Config, _: &[Problem], _: TopicsVerb, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("topics").into())
}

#[cfg(not(feature = "kafka"))]
fn demo(_: &Config, _: Vec<Problem>, _: &DemoArguments, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("demo").into())
}

#[cfg(not(feature = "kafka"))]
fn without_kafka(verb: &str) -> Failure {
    Failure::usage(format!("\"{verb}\" needs Kafka, and this leadstream was built without it: build it with the default features"))
}
