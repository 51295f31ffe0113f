//! How far a run is, kept beside its outputs, so that one that was killed is gone on with: as if it had never been stopped, or not
//! at all. What is kept is behind what is on the disk, never ahead of it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Summary, sink::Sink};
use crate::{
    config::Topics,
    lead::{Timestamp, Vocabulary as _},
    pipeline::Pipeline,
    run::{
        Failure, ProcessArguments, Target,
        inputs::{FileState, Input, Place},
    },
};

/// The file's name.
pub(super) const NAME: &str = "progress.json";
/// So often it is written at most: as much work may be done twice …
const EVERY: Duration = Duration::from_secs(1);
/// … or so much more where a disk is slow, of the time that it takes to have the outputs on it.
const TIMES: u32 = 20;

/// What is kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Progress {
    job: Job,
    /// The first record that is not decided.
    pub(super) place: Place,
    /// Lengths of the outputs there, in bytes.
    pub(super) outputs: BTreeMap<String, u64>,
    /// The counts until there.
    pub(super) summary: Summary,
}

/// All that outputs hang on: where any of it differs, what is left would not fit what is there.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Job {
    /// When the records were received.
    #[serde(with = "micros")]
    pub(super) now: Timestamp,
    /// Names, sizes and times of the inputs, in their order.
    inputs: Vec<JobInput>,
    /// Rules, tables and settings, each by what a person calls it.
    settings: BTreeMap<String, String>,
}

/// A file that is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct JobInput {
    name: String,
    size: u64,
    modified: u64,
}

mod micros {
    //! A time as microseconds since 1970.
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::lead::Timestamp;

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.micros())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_micros)
    }
}

impl Job {
    /// What a run is asked to do.
    pub(super) fn of(inputs: &[Input], pipeline: &Pipeline, topics: &Topics, arguments: &ProcessArguments) -> Self {
        let Pipeline { rules, tables, limits, person_key, encoding } = pipeline;
        let reading = &arguments.reading;
        let settings = [
            ("leadstream", env!("CARGO_PKG_VERSION").to_owned()),
            ("the ruleset", format!("{}/{}/{}", rules.name, rules.version, rules.hash)),
            ("the tables", format!("{:?}", tables.versions)),
            ("identity.key", person_key.check_value()),
            ("limits", format!("{limits:?}")),
            ("the encoding", format!("{encoding:?}")),
            ("the topics", format!("{topics:?}")),
            ("--format", reading.format.map_or("", |format| format.name()).to_owned()),
            ("--framing", format!("{:?}", reading.framing)),
            ("--column", reading.column.clone().unwrap_or_default()),
        ];
        let inputs = inputs.iter().map(|input| {
            let FileState { size, modified } = input.file.unwrap_or(FileState { size: 0, modified: 0 });
            JobInput { name: input.name.to_string(), size, modified }
        });
        Self {
            now: arguments.now.unwrap_or_else(crate::run::now),
            inputs: inputs.collect(),
            settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// In what it differs from the job before, for a person.
    fn differs(&self, before: &Self) -> Option<String> {
        if let Some((name, _)) = self.settings.iter().find(|(name, value)| before.settings.get(*name) != Some(value)) {
            return Some(format!("{name} had another value"));
        }
        if self.inputs.len() != before.inputs.len() {
            return Some(format!("it had {} inputs, and now there are {}", before.inputs.len(), self.inputs.len()));
        }
        let mut pairs = self.inputs.iter().zip(&before.inputs);
        if let Some((now, then)) = pairs.find(|(now, then)| now != then) {
            let (name, other) = (&now.name, &then.name);
            return Some(if name == other {
                format!("the input {name} has been written since")
            } else {
                format!("in place of {name} it read {other}")
            });
        }
        (self.now != before.now).then(|| format!("its --now was {}", before.now))
    }
}

/// The run to go on with, if there was one in the folder; without `--now`, `job` takes its time.
///
/// # Errors
/// 64: what is read or written cannot be gone on with, or the run there was another.
pub(super) fn before(arguments: &ProcessArguments, inputs: &[Input], job: &mut Job) -> Result<Option<Progress>, Failure> {
    let Target::Path(folder) = &arguments.output else {
        return Err(Failure::usage("a stream cannot be gone on with: --resume needs --output DIR"));
    };
    if let Some(input) = inputs.iter().find(|input| input.file.is_none()) {
        return Err(Failure::usage(format!(
            "{} cannot be read again, so the run could not be gone on with: --resume needs files",
            input.shown
        )));
    }
    let path = folder.join(NAME);
    let failed = |what: String| Failure::usage(format!("going on with the run in {} (--resume): {what}", folder.display()));
    let start_over = "run without --resume to start over, or into another folder";
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(format!("{}: {error}", path.display()))),
    };
    let before: Progress =
        serde_json::from_slice(&text).map_err(|_| failed(format!("{} is none of this version; {start_over}", path.display())))?;
    if arguments.now.is_none() {
        job.now = before.job.now;
    }
    match job.differs(&before.job) {
        Some(how) => Err(failed(format!("it was another run: {how}; {start_over}"))),
        None => Ok(Some(before)),
    }
}

/// Forgets how far a run was: its outputs are about to go.
pub(super) fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Keeps how far a run is.
pub(super) struct Kept {
    /// Where, if the run can be gone on with.
    path: Option<PathBuf>,
    job: Job,
    /// Not before then.
    next: Instant,
    /// A run that is to be gone on with is remembered when it is finished, so that it is not done again.
    stays: bool,
    is_there: bool,
}

impl Kept {
    /// Nothing is kept of a run whose inputs cannot be read again, or whose outputs are a stream.
    pub(super) fn begin(arguments: &ProcessArguments, inputs: &[Input], job: Job) -> Self {
        let path = match &arguments.output {
            Target::Path(folder) if inputs.iter().all(|input| input.file.is_some()) => Some(folder.join(NAME)),
            _ => None,
        };
        Self { path, job, next: Instant::now(), stays: arguments.resume, is_there: false }
    }

    /// All before `place` is decided and written.
    pub(super) fn at(&mut self, place: Place, summary: &Summary, sink: &mut Sink<'_>) -> Result<(), Failure> {
        let began = Instant::now();
        // What is at its end is finished at once.
        if self.path.is_none() || began < self.next || place.input == self.job.inputs.len() {
            return Ok(());
        }
        self.keep(place, summary, sink)?;
        self.next = Instant::now() + EVERY.max(began.elapsed() * TIMES);
        Ok(())
    }

    /// All is done.
    pub(super) fn finish(mut self, summary: &Summary, mut sink: Sink<'_>) -> Result<(), Failure> {
        let end = Place { input: self.job.inputs.len(), record: 0 };
        if self.stays {
            return self.keep(end, summary, &mut sink);
        }
        match &self.path {
            Some(path) if self.is_there => fs::remove_file(path).map_err(|error| super::unwritable(&path.display().to_string(), &error)),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, place: Place, summary: &Summary, sink: &mut Sink<'_>) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let progress = Progress { job: self.job.clone(), place, outputs: sink.settle()?, summary: summary.clone() };
        let written = serde_json::to_vec(&progress).map_err(io::Error::from).and_then(|json| replace(path, &json));
        written.map_err(|error| super::unwritable(&path.display().to_string(), &error))?;
        self.is_there = true;
        Ok(())
    }
}

/// Writes a file anew: whatever happens, the old or the new one is there, and whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("json.new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
