//! The verbs that need Kafka, and what is said of them in a build without it. `schemas` needs it in part.

use std::io::Write;

use leadstream::{
    config::Config,
    problem::Problem,
    run::{self, DemoArguments, ReplayArguments, ServeArguments, VerifyArguments},
};

#[cfg(not(feature = "kafka"))]
use leadstream::run::Failure;

use super::{
    Ended,
    arguments::{SchemasVerb, TopicsVerb},
    tell,
};
#[cfg(feature = "kafka")]
use super::{FOUND_PROBLEMS, loaded};
#[cfg(feature = "kafka")]
use leadstream::rules::Condition;

#[cfg(feature = "kafka")]
pub(super) fn serve(config: &Config, problems: Vec<Problem>, arguments: &ServeArguments, err: &mut dyn Write) -> Result<u8, Ended> {
    let (pipeline, trials) = loaded(run::inspect_service(config), problems, arguments.quiet, err)?;
    run::serve::serve(config, pipeline, trials, arguments)?;
    Ok(0)
}

#[cfg(feature = "kafka")]
pub(super) fn replay(
    config: &Config,
    problems: Vec<Problem>,
    arguments: &ReplayArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Ended> {
    // What is on trial has no part in a replay; what is wrong with it is told all the same.
    let (pipeline, _) = loaded(run::inspect_service(config), problems, arguments.quiet, err)?;
    let only = match arguments.only.as_deref().map(Condition::of_route).transpose() {
        Ok(only) => only,
        Err(found) => {
            let found: Vec<_> = found.into_iter().map(|problem| problem.in_file("--where")).collect();
            tell(&found, true, err)?;
            None
        }
    };
    run::replay::replay(config, pipeline, only, arguments, out)?;
    Ok(0)
}

#[cfg(feature = "kafka")]
pub(super) fn verify(
    config: &Config,
    problems: Vec<Problem>,
    arguments: &VerifyArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Ended> {
    let pipeline = loaded(run::inspect_pipeline(config), problems, true, err)?;
    let schemas = run::schema_source(&config.encoding)?;
    let good = run::verify::verify(config, pipeline, &*schemas, arguments, out)?;
    Ok(if good { 0 } else { FOUND_PROBLEMS })
}

#[cfg(feature = "kafka")]
pub(super) fn doctor(config: &Config, problems: Vec<Problem>, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    // Rules and tables with errors keep everything from starting, as everywhere; warnings are findings, or `check`'s.
    loaded(run::inspect_live(config), problems, true, err)?;
    Ok(run::doctor::doctor(config, json, out)?)
}

#[cfg(feature = "kafka")]
pub(super) fn topics(
    config: &Config,
    problems: &[Problem],
    verb: TopicsVerb,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Ended> {
    tell(problems, true, err)?;
    let good = match verb {
        TopicsVerb::Create { partitions, replication, dlq } => {
            let arguments = run::topics::CreateArguments { partitions, replication: replication.unwrap_or(-1), dlq };
            run::topics::create(config, arguments, out).map(|()| true)?
        }
        TopicsVerb::Check => run::topics::check(config, out)?,
    };
    Ok(if good { 0 } else { FOUND_PROBLEMS })
}

pub(super) fn schemas(
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
pub(super) fn demo(
    config: &Config,
    problems: Vec<Problem>,
    arguments: &DemoArguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Ended> {
    if let Some(rate) = arguments.to_kafka {
        tell(&problems, true, err)?;
        run::demo::feed(config, arguments, rate, out)?;
        return Ok(0);
    }
    let (pipeline, trials) = loaded(run::inspect_live(config), problems, true, err)?;
    run::demo::demo(config, pipeline, trials, arguments, out)?;
    Ok(0)
}

#[cfg(not(feature = "kafka"))]
pub(super) fn serve(_: &Config, _: Vec<Problem>, _: &ServeArguments, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("run").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn replay(_: &Config, _: Vec<Problem>, _: &ReplayArguments, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("replay").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn verify(_: &Config, _: Vec<Problem>, _: &VerifyArguments, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("verify").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn doctor(_: &Config, _: Vec<Problem>, _: bool, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("doctor").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn topics(_: &Config, _: &[Problem], _: TopicsVerb, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("topics").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn demo(_: &Config, _: Vec<Problem>, _: &DemoArguments, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("demo").into())
}

#[cfg(not(feature = "kafka"))]
pub(super) fn without_kafka(verb: &str) -> Failure {
    Failure::usage(format!("\"{verb}\" needs Kafka, and this leadstream was built without it: build it with the default features"))
}
