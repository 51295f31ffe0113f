//! Where the outputs of `process` go: a file a topic, or one stream. Takes bytes in order; what is in them is not known here.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{container, decide::Laid, kept};
use crate::{
    pipeline::OutputTopic,
    run::{Failure, OutputForm, ProcessArguments, Target, inputs::Input, written},
};

/// Takes outputs.
pub(super) enum Sink<'o> {
    /// One file a topic, by `OutputTopic as usize`.
    Files { files: Vec<Output>, folder: String },
    /// All in one stream.
    Stream(&'o mut dyn Write),
}

/// One file that is written.
pub(super) struct Output {
    name: String,
    file: File,
    /// Bytes.
    length: u64,
}

/// Why something was not written.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// The reader of the stream has gone.
    ReaderGone,
    Failed(Failure),
}

impl Unwritten {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::ReaderGone => Failure::unavailable("writing standard output: its reader has gone"),
            Self::Failed(failure) => failure,
        }
    }
}

/// The name of a topic's file.
fn file_name(topic: OutputTopic, form: OutputForm) -> String {
    let name = match topic {
        OutputTopic::Qualified => "qualified",
        OutputTopic::Unqualified => "unqualified",
        OutputTopic::Routing => "routing",
        OutputTopic::DeadLetter => "dead-letter",
        // Never written: files keep no ledger.
        OutputTopic::Ledger => "ledger",
    };
    let ending = if form == OutputForm::Avro && topic != OutputTopic::DeadLetter { "avro" } else { "ndjson" };
    format!("{name}.{ending}")
}

impl<'o> Sink<'o> {
    /// Opens the outputs, empty; or, to go on, at the lengths they had.
    ///
    /// # Errors
    /// 64: nothing was read yet, so a place that cannot be written to is a mistake in the command.
    pub(super) fn open(
        arguments: &ProcessArguments,
        inputs: &[Input],
        lengths: Option<&BTreeMap<String, u64>>,
        out: &'o mut dyn Write,
    ) -> Result<Self, Failure> {
        let folder = match &arguments.output {
            Target::Stream if arguments.form == OutputForm::Avro => {
                return Err(Failure::usage("Avro container files are several, and one stream holds but one: name a folder (--output DIR)"));
            }
            Target::Stream => {
                summary_apart(arguments, inputs, &[])?;
                return Ok(Self::Stream(out));
            }
            Target::Path(folder) => folder,
        };
        let shown = folder.display().to_string();
        let failed = |error: &dyn std::fmt::Display| {
            Failure::usage(match lengths {
                None => format!("creating the output in {shown}: {error}"),
                Some(_) => format!("going on with the output in {shown}: {error}; without --resume all of it is decided anew"),
            })
        };
        std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        let names = OutputTopic::OUTCOMES.map(|topic| file_name(topic, arguments.form));
        let outputs: Vec<_> = names.iter().map(String::as_str).chain([kept::NAME]).map(|name| folder.join(name)).collect();
        written::not_read(inputs, &outputs)?;
        summary_apart(arguments, inputs, &outputs)?;
        let mut files = Vec::new();
        for (topic, name) in OutputTopic::OUTCOMES.into_iter().zip(names) {
            let length = lengths.map(|lengths| lengths.get(&name).copied().unwrap_or_default());
            let file = open(&folder.join(&name), length).map_err(|error| failed(&format!("{name}: {error}")))?;
            files.push((topic, Output { name, file, length: length.unwrap_or_default() }));
        }
        // All are ours; only now anything of them goes.
        if lengths.is_none() {
            kept::forget(folder).map_err(|error| failed(&error))?;
        }
        for (topic, output) in &mut files {
            let begun = output.begin(lengths.is_some(), container::schema(*topic).filter(|_| arguments.form == OutputForm::Avro));
            begun.map_err(|error| failed(&format!("{}: {error}", output.name)))?;
        }
        Ok(Self::Files { files: files.into_iter().map(|(_, output)| output).collect(), folder: shown })
    }

    /// How bytes stand in it.
    pub(super) fn laid(&self, form: OutputForm) -> Laid {
        match self {
            Self::Files { .. } => Laid::Files(form),
            Self::Stream(_) => Laid::Stream,
        }
    }

    /// Writes the bytes of each topic, by `OutputTopic as usize`.
    pub(super) fn write(&mut self, bytes: &[Vec<u8>; 4]) -> Result<(), Unwritten> {
        match self {
            Self::Stream(out) => bytes.iter().try_for_each(|bytes| out.write_all(bytes)).and_then(|()| out.flush()).map_err(|error| {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    return Unwritten::ReaderGone;
                }
                Unwritten::Failed(super::unwritable("standard output", &error))
            }),
            Self::Files { files, folder } => {
                for (output, bytes) in files.iter_mut().zip(bytes) {
                    let written = output.file.write_all(bytes);
                    written.map_err(|error| Unwritten::Failed(super::unwritable(&format!("{folder}/{}", output.name), &error)))?;
                    output.length += bytes.len() as u64;
                }
                Ok(())
            }
        }
    }

    /// Has all that was written on the disk, and tells how long each file is there.
    pub(super) fn settle(&mut self) -> Result<BTreeMap<String, u64>, Failure> {
        let Self::Files { files, folder } = self else { return Ok(BTreeMap::new()) };
        let mut lengths = BTreeMap::new();
        for output in files {
            output.file.sync_data().map_err(|error| super::unwritable(&format!("{folder}/{}", output.name), &error))?;
            lengths.insert(output.name.clone(), output.length);
        }
        Ok(lengths)
    }
}

impl Output {
    /// Empties the file, or cuts off what was written behind the place where it is gone on with.
    fn begin(&mut self, goes_on: bool, schema: Option<&crate::schemas::Released>) -> io::Result<()> {
        // A device has no length.
        if self.file.metadata()?.is_file() {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        if let (Some(schema), false) = (schema, goes_on) {
            let header = container::header(schema);
            self.file.write_all(&header)?;
            self.length = header.len() as u64;
        }
        Ok(())
    }
}

/// Opens a file and keeps every other run out of it. To go on, it has to have a length at least.
fn open(path: &Path, length: Option<u64>) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(length.is_none()).truncate(false).open(path)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(io::Error::other("another run is writing it"));
    }
    match length {
        Some(length) if file.metadata()?.len() < length => Err(io::Error::other("it is shorter than the run before had left it")),
        _ => Ok(file),
    }
}

/// That the counts, which are written last, go to a file of their own.
fn summary_apart(arguments: &ProcessArguments, inputs: &[Input], outputs: &[PathBuf]) -> Result<(), Failure> {
    let Some(path) = &arguments.summary else { return Ok(()) };
    written::writable("--summary", path, inputs.iter().filter_map(Input::path).chain(outputs.iter().map(PathBuf::as_path)))
}
