//! Reads the files of a ruleset: the one that is named, the one it extends, and so on. Follows paths and holds them to bounds;
//! what stands in the files, `rules` tells.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::load::text_of;
use crate::{
    problem::Problem,
    rules::{self, Extended, Extends, RulesetFile},
};

/// All files of a ruleset together. Two thousand rules take a tenth of it.
const MOST_BYTES: u64 = 4 << 20;
/// Files of one ruleset.
const MOST_FILES: usize = 100;
/// What a folder's ruleset is called.
pub(super) const IN_A_FOLDER: &str = "ruleset.toml";

/// The files of the ruleset at `path`, a file or a folder with `ruleset.toml`, which `key` names: itself first, then what it
/// extends, and so on. Without a path the built-in ruleset.
///
/// # Errors
/// What could not be read, or cannot be extended, with where it is named.
pub(super) fn read_ruleset(path: Option<&Path>, key: &str) -> Result<Vec<RulesetFile>, Vec<Problem>> {
    let Some(path) = path else { return Ok(vec![rules::built_in()]) };
    let mut chain = Chain::default();
    let mut next = path.to_owned();
    let mut named: Option<Extended> = None;
    loop {
        if next.is_dir() {
            next.push(IN_A_FOLDER);
        }
        if let Err(why) = chain.read(&next) {
            return Err(vec![why.told(&next, key, named.as_ref())]);
        }
        let Some(extended) = chain.files.last().and_then(rules::extends) else { break };
        match &extended.what {
            Extends::BuiltIn => {
                chain.files.push(rules::built_in());
                break;
            }
            Extends::File(written) => {
                let beside = chain.paths.last().and_then(|path| path.parent()).unwrap_or(Path::new(""));
                next = beside.join(written);
            }
        }
        named = Some(extended);
    }
    Ok(chain.files)
}

/// One file that stands beside a ruleset.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read_file(path: &Path) -> Result<RulesetFile, Box<Problem>> {
    let mut chain = Chain::default();
    chain.read(path).map_err(|why| Box::new(why.told(path, "the path", None)))?;
    let empty = || RulesetFile { name: path.display().to_string(), text: String::new() };
    Ok(chain.files.pop().unwrap_or_else(empty))
}

/// The files read so far.
#[derive(Default)]
struct Chain {
    files: Vec<RulesetFile>,
    paths: Vec<PathBuf>,
    /// The same without symbolic links: what tells a circle.
    real: Vec<PathBuf>,
    bytes: u64,
}

/// Why a file of the chain cannot be one.
enum Refused {
    Unreadable(io::Error),
    NotAFile,
    Changed,
    TooLarge,
    TooMany,
    Circle(Vec<String>),
    NotText(Box<Problem>),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Chain {
    fn read(&mut self, path: &Path) -> Result<(), Refused> {
        let real = fs::canonicalize(path)?;
        if let Some(first) = self.real.iter().position(|known| *known == real) {
            let circle = self.paths.get(first..).unwrap_or_default().iter().map(PathBuf::as_path).chain([path]);
            return Err(Refused::Circle(circle.map(|path| path.display().to_string()).collect()));
        }
        if self.files.len() == MOST_FILES {
            return Err(Refused::TooMany);
        }
        let bytes = read_whole(path, MOST_BYTES - self.bytes)?;
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let name = path.display().to_string();
        let text = text_of(bytes, "ruleset").map_err(|problem| Refused::NotText(Box::new(problem.in_file(name.clone()))))?;
        self.files.push(RulesetFile { name, text });
        self.paths.push(path.to_owned());
        self.real.push(real);
        Ok(())
    }
}

/// All bytes of a file that tests name, at most so many.
///
/// # Errors
/// Why it cannot be read, in a few words.
pub(super) fn read_named(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    read_whole(path, most).map_err(|why| match why {
        Refused::Unreadable(error) => error.to_string(),
        Refused::NotAFile => "it is no regular file".to_owned(),
        Refused::Changed => "it was being written while it was read".to_owned(),
        _ => format!("it has more than {most} bytes"),
    })
}

/// All bytes of a file, at most so many. What is being written while it is read is nobody's ruleset.
fn read_whole(path: &Path, most: u64) -> Result<Vec<u8>, Refused> {
    // Asked before it is opened: opening a pipe waits for whoever writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(Refused::NotAFile);
    }
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    if before.len() > most {
        return Err(Refused::TooLarge);
    }
    let mut bytes = Vec::new();
    file.by_ref().take(most + 1).read_to_end(&mut bytes)?;
    let after = file.metadata()?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > most {
        return Err(Refused::TooLarge);
    }
    if length != before.len() || length != after.len() || before.modified()? != after.modified()? {
        return Err(Refused::Changed);
    }
    Ok(bytes)
}

impl Refused {
    /// The problem: of `path` itself, which `key` names, or of the `extends` that names it.
    fn told(self, path: &Path, key: &str, named: Option<&Extended>) -> Problem {
        let file = path.display();
        let (code, message, hint) = match self {
            // What the file says is told in the file.
            Self::NotText(problem) => return *problem,
            Self::Unreadable(error) => {
                let hint = if named.is_some() {
                    "write \"default\" for the built-in ruleset, or a path relative to this file".to_owned()
                } else {
                    format!("check {key}")
                };
                ("unreadable_file", format!("cannot read the ruleset: {error}"), hint)
            }
            Self::NotAFile => {
                let hint = "name a file, or a folder with ruleset.toml";
                ("unreadable_file", "cannot read the ruleset: it is no regular file".to_owned(), hint.to_owned())
            }
            Self::Changed => {
                let hint = "write it under another name, then rename it; or try again";
                ("unreadable_file", "the ruleset was being written while it was read".to_owned(), hint.to_owned())
            }
            Self::TooLarge => {
                let message = format!("the files of a ruleset have at most {} MiB together", MOST_BYTES >> 20);
                ("too_large", message, "move long lists into the reference tables (docs/tables.md)".to_owned())
            }
            Self::TooMany => {
                let message = format!("a ruleset is built upon at most {} others", MOST_FILES - 1);
                ("too_many_files", message, "merge some of them: leadstream rules show".to_owned())
            }
            Self::Circle(files) => {
                let message = format!("rulesets extend one another in a circle: {}", files.join(" -> "));
                ("circle", message, "take `extends` out of one of them".to_owned())
            }
        };
        match named {
            None => Problem::error(code, message).in_file(file.to_string()),
            Some(named) if code == "circle" || code == "too_many_files" => named.problem(code, message),
            Some(named) => named.problem(code, format!("{file}: {message}")),
        }
        .hint(hint)
    }
}
