//! The command line: what each verb is handed, and the exit codes. Its definition is in `arguments`; no work is done here.

mod arguments;
mod dlq;
mod files;
mod kafka_verbs;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
};

use clap::Parser as _;
use leadstream::{
    config::{self, Config, LogFormat},
    lead::Position,
    pipeline::Pipeline,
    problem::Problem,
    run::{
        self, DemoArguments, ExplainArguments, ExplainInput, Failure, ServeArguments, Target,
        backtest::{BacktestArguments, Leads, NotCompared},
        rule_tests::{NotTested, TestArguments},
    },
};

use arguments::{Cli, Common, LogFormatArgument, RulesVerb, Verb, in_order, target};
#[cfg(not(feature = "kafka"))]
use kafka_verbs::without_kafka;
use kafka_verbs::{demo, doctor, replay, schemas, serve, topics, verify};

/// The work found problems.
const FOUND_PROBLEMS: u8 = 1;
/// Usage, configuration or rules.
const USAGE: u8 = 64;

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
        Verb::Process(options) => {
            let arguments = options.into_arguments(quiet);
            let pipeline = pipeline(&config, problems, true, err)?;
            let schemas = run::schema_source(&config.encoding)?;
            run::process::process(&config.topics, pipeline, &*schemas, &arguments, out)?;
            Ok(0)
        }
        Verb::Backtest {
            inputs,
            from,
            to,
            candidate,
            baseline,
            candidate_tables,
            now,
            reading,
            samples,
            with_personal_data,
            json,
            report,
            fail_if_changed,
        } => {
            tell(&problems, true, err)?;
            let inputs = inputs.into_iter().map(target).collect();
            let now = now.unwrap_or_else(run::now);
            let leads = match (from, to) {
                (Some(from), Some(to)) => {
                    in_order(from, to)?;
                    Leads::Range { from, to }
                }
                _ => Leads::Files { inputs, now, reading: reading.into() },
            };
            let samples = usize::from(samples);
            let arguments = BacktestArguments {
                candidate,
                baseline,
                candidate_tables,
                leads,
                samples,
                with_personal_data,
                json,
                report,
                fail_if_changed,
            };
            match run::backtest::backtest(&config, &arguments, out) {
                Ok(within) => Ok(if within { 0 } else { FOUND_PROBLEMS }),
                Err(NotCompared::Problems(found)) => {
                    tell(&found, true, err)?;
                    Ok(USAGE)
                }
                Err(NotCompared::Failed(failure)) => Err(failure.into()),
                Err(NotCompared::Unwritten(error)) => Err(error.into()),
            }
        }
        Verb::Explain { input, json, now, at } => {
            #[cfg(not(feature = "kafka"))]
            if at.is_some() {
                return Err(without_kafka("explain --at").into());
            }
            let input = explained(at, input);
            let pipeline = pipeline(&config, problems, true, err)?;
            let schemas = run::schema_source(&config.encoding)?;
            run::explain::explain(&config, &pipeline, &*schemas, &ExplainArguments { input, json, now }, out)?;
            Ok(0)
        }
        Verb::Replay(options) => replay(&config, problems, &options.into_arguments(quiet)?, out, err),
        Verb::Verify(options) => verify(&config, problems, &options.into_arguments()?, out, err),
        Verb::Run { once, wait } => serve(&config, problems, &ServeArguments { once, wait, quiet }, err),
        Verb::Test { paths, coverage, junit, json } => {
            tell(&problems, true, err)?;
            match run::rule_tests::test(&config, &TestArguments { paths, coverage, junit, json }, out) {
                Ok(passed) => Ok(if passed { 0 } else { FOUND_PROBLEMS }),
                Err(NotTested::Problems(found)) => {
                    tell(&found, true, err)?;
                    Ok(USAGE)
                }
                Err(NotTested::Unwritten(error)) => Err(error.into()),
            }
        }
        Verb::Rules { verb } => {
            tell(&problems, true, err)?;
            rules(&config, verb, quiet, out, err)
        }
        Verb::Doctor { json } => doctor(&config, problems, json, out, err),
        Verb::Dlq { verb } => dlq::dlq(&config, problems, verb, out, err),
        Verb::Topics { verb } => topics(&config, &problems, verb, out, err),
        Verb::Schemas { verb } => schemas(&config, &problems, verb, quiet, out, err),
        Verb::Demo { leads, to_kafka, rate } => {
            demo(&config, problems, &DemoArguments { leads, to_kafka: to_kafka.then_some(rate), quiet }, out, err)
        }
    }
}

/// Where the record to explain is.
fn explained(at: Option<Position>, input: Option<PathBuf>) -> ExplainInput {
    match (at, input) {
        (Some(position), _) => ExplainInput::At(position),
        (None, Some(path)) => ExplainInput::Value(target(path)),
        (None, None) => ExplainInput::Value(Target::Stream),
    }
}

fn rules(config: &Config, verb: RulesVerb, quiet: bool, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    match verb {
        RulesVerb::Diff { before, after, json } => match run::diff_rulesets(&before, &after, json) {
            Ok(told) => write!(out, "{told}")?,
            Err(found) => tell(&found, true, err)?,
        },
        RulesVerb::Schema { tests } => run::ruleset_schema(tests, out)?,
        RulesVerb::New { folder } => run::new_ruleset(&folder, quiet, out)?,
        RulesVerb::Show => match run::show_ruleset(config.rules.path.as_deref()) {
            Ok(shown) => write!(out, "{shown}")?,
            Err(found) => tell(&found, true, err)?,
        },
    }
    Ok(0)
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
fn pipeline(config: &Config, problems: Vec<Problem>, quiet: bool, err: &mut dyn Write) -> Result<Pipeline, Ended> {
    loaded(run::inspect_pipeline(config), problems, quiet, err)
}

/// What was loaded, unless something is wrong with it.
fn loaded<T>((found, told): (Option<T>, Vec<Problem>), mut problems: Vec<Problem>, quiet: bool, err: &mut dyn Write) -> Result<T, Ended> {
    problems.extend(told);
    tell(&problems, quiet, err)?;
    found.ok_or(Ended::Told(USAGE))
}

/// Shows problems; an error among them ends the command, warnings are for those who want them.
fn tell(problems: &[Problem], quiet: bool, err: &mut dyn Write) -> Result<(), Ended> {
    for problem in problems.iter().filter(|problem| problem.is_error() || !quiet) {
        let _ = writeln!(err, "{problem}");
    }
    if problems.iter().any(Problem::is_error) { Err(Ended::Told(USAGE)) } else { Ok(()) }
}
