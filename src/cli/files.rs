//! How files of raw leads are named and read on the command line, and `leadstream process`: its definition, and what it is handed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use leadstream::{
    lead::{Format, Timestamp},
    run::{FileReading, Framing, OutputForm, ProcessArguments},
};

use super::arguments::{format, target, timestamp};

// What is told of them are the verb's words. (A doc comment here would take their place.)
#[derive(Args, Debug)]
pub(super) struct ReadingOptions {
    /// The format of the records, if it must not be told from their structure
    #[arg(long, value_name = "NAME", value_parser = format)]
    format: Option<Format>,
    /// How records stand in inputs that are no Avro container files
    #[arg(long, value_enum, default_value_t)]
    framing: FramingArgument,
    /// The column of Avro container files that holds raw leads; default: "value", or the whole row
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Name inputs, and so their leads' event ids, by their path from this folder on; default: by their file's name
    #[arg(long, value_name = "FOLDER")]
    name_from: Option<PathBuf>,
}

impl From<ReadingOptions> for FileReading {
    fn from(options: ReadingOptions) -> Self {
        let ReadingOptions { format, framing, column, name_from } = options;
        Self { format, framing: framing.into(), column, name_from }
    }
}

// What is told of it is the verb's. (A doc comment here would take that one's place.)
#[derive(Args, Debug)]
pub(super) struct ProcessOptions {
    /// Files of raw leads, or patterns such as 'leads/**/*.ndjson.gz'; "-" is standard input. gzip, zstd and Avro container files are
    /// told by their content; anything else has one record a line
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The folder for qualified, unqualified, routing and dead-letter .ndjson; "-": all to standard output
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// How events are written in that folder; dead letters are always lines
    #[arg(long, value_enum, default_value_t)]
    output_format: FormArgument,
    /// When the records were received (RFC 3339); default: now, or with --resume as it was
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    now: Option<Timestamp>,
    #[command(flatten)]
    reading: ReadingOptions,
    /// Threads that decide; the outputs are the same with any number. Default: as many as there are cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Go on where a run of the same was stopped or killed, if one was; the outputs are as if it never had been
    #[arg(long)]
    resume: bool,
    /// Write the counts to this file, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

impl ProcessOptions {
    pub(super) fn into_arguments(self, quiet: bool) -> ProcessArguments {
        let Self { inputs, output, output_format, now, reading, threads, resume, summary } = self;
        let form = match output_format {
            FormArgument::Ndjson => OutputForm::Ndjson,
            FormArgument::Avro => OutputForm::Avro,
        };
        ProcessArguments {
            inputs: inputs.into_iter().map(target).collect(),
            output: target(output),
            form,
            now,
            reading: reading.into(),
            threads: threads.map(usize::from),
            resume,
            summary,
            quiet,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FormArgument {
    /// One JSON value a line
    #[default]
    Ndjson,
    /// Avro container files by the released schemas
    Avro,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FramingArgument {
    /// One record a line
    #[default]
    Lines,
    /// Each record after its length, u32 big-endian
    Length,
}

impl From<FramingArgument> for Framing {
    fn from(argument: FramingArgument) -> Self {
        match argument {
            FramingArgument::Lines => Self::Lines,
            FramingArgument::Length => Self::Length,
        }
    }
}
