//! `leadstream dlq`: its definition, and what each of its verbs is handed.

use std::io::Write;

use clap::{Args, Subcommand};
use leadstream::{config::Config, io::Bound, lead::Position, problem::Problem};
#[cfg(feature = "kafka")]
use leadstream::{
    pipeline::Pipeline,
    run::{
        self, Failure,
        dead_letters::{ListArguments, RetryArguments, Selection, ShowArguments},
    },
};

#[cfg(not(feature = "kafka"))]
use super::kafka_verbs::without_kafka;
use super::{
    Ended,
    arguments::{bound, position},
};
#[cfg(feature = "kafka")]
use super::{in_order, loaded, tell};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum DlqVerb {
    /// The open ones, grouped by what is wrong with them; tells nobody's data
    Ls {
        #[command(flatten)]
        which: Which,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// One of them: why it is one, its bytes (masked), what would help
    Show {
        /// Where it is, or where its record stood
        #[arg(value_name = "TOPIC/PARTITION/OFFSET", value_parser = position)]
        at: Position,
        /// The topic of dead letters; default: that of the configuration
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
        /// Show what the record says of the customer
        #[arg(long)]
        with_personal_data: bool,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Decide their records again, by the rules and limits of now; tells what would come of it
    Retry {
        #[command(flatten)]
        which: Which,
        /// The one there, or the one whose record stood there
        #[arg(long, value_name = "TOPIC/PARTITION/OFFSET", value_parser = position)]
        at: Option<Position>,
        /// Write what comes of it, each once
        #[arg(long)]
        commit: bool,
        /// Park a record that is rejected more often than this
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
        max_attempts: u32,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Move them to the topic of those that nobody is to retry; tells which it would move
    Park {
        #[command(flatten)]
        which: Which,
        /// The one there, or the one whose record stood there
        #[arg(long, value_name = "TOPIC/PARTITION/OFFSET", value_parser = position)]
        at: Option<Position>,
        /// Move them, each once
        #[arg(long)]
        commit: bool,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
}

// Which dead letters are meant.
#[derive(Args, Clone, Debug)]
pub(super) struct Which {
    /// Only those of this code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Written from then on (RFC 3339), or "earliest"
    #[arg(long, value_name = "TIME", value_parser = bound, default_value = "earliest")]
    from: Bound,
    /// … and before then, or "latest": what is there now
    #[arg(long, value_name = "TIME", value_parser = bound, default_value = "latest")]
    to: Bound,
    /// The topic of dead letters; default: that of the configuration
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

#[cfg(feature = "kafka")]
impl Which {
    fn is_everything(&self) -> bool {
        self.code.is_none() && self.from == Bound::Earliest && self.to == Bound::Latest
    }

    /// Fails where the range is turned round.
    fn selection(self, at: Option<Position>) -> Result<Selection, Failure> {
        let Self { code, from, to, topic } = self;
        in_order(from, to)?;
        Ok(Selection { topic, from, to, code, at })
    }
}

#[cfg(feature = "kafka")]
pub(super) fn dlq(config: &Config, problems: Vec<Problem>, verb: DlqVerb, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Ended> {
    match verb {
        DlqVerb::Ls { which, json } => {
            tell(&problems, true, err)?;
            run::dead_letters::list(config, &ListArguments { selection: which.selection(None)?, json }, out)?;
        }
        DlqVerb::Show { at, topic, with_personal_data, json } => {
            let pipeline: Pipeline = loaded(run::inspect_pipeline(config), problems, true, err)?;
            let schemas = run::schema_source(&config.encoding)?;
            run::dead_letters::show(config, &pipeline, &*schemas, &ShowArguments { topic, at, with_personal_data, json }, out)?;
        }
        DlqVerb::Retry { which, at, commit, max_attempts, json } => {
            // What decides leads in `run` decides them here, and has passed its tests here too.
            let (pipeline, trials) = loaded(run::inspect_service(config), problems, true, err)?;
            let arguments = RetryArguments { selection: which.selection(at)?, commit, max_attempts, json };
            run::dead_letters::retry(config, pipeline, trials.canary.as_ref(), &arguments, out)?;
        }
        DlqVerb::Park { which, at, commit, json } => {
            if at.is_none() && which.is_everything() {
                let todo = "say which with --code, --at, --from or --to; `leadstream dlq ls` tells what there is";
                return Err(
                    Failure::usage(format!("dlq park: nobody retries what is parked, so not all are parked at once: {todo}")).into()
                );
            }
            tell(&problems, true, err)?;
            run::dead_letters::park(config, &which.selection(at)?, commit, json, out)?;
        }
    }
    Ok(0)
}

#[cfg(not(feature = "kafka"))]
pub(super) fn dlq(_: &Config, _: Vec<Problem>, _: DlqVerb, _: &mut dyn Write, _: &mut dyn Write) -> Result<u8, Ended> {
    Err(without_kafka("dlq").into())
}
