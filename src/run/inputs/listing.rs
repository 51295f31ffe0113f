//! Which inputs there are: patterns to files, in a fixed order, each with the name its records are known by. Opens no file.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::Metadata,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use globset::GlobBuilder;
use walkdir::{DirEntry, WalkDir};

use super::super::{Failure, FileReading, Target};

/// One file, or standard input.
#[derive(Clone, Debug)]
pub(in crate::run) struct Input {
    pub(in crate::run) target: Target,
    /// What its records are known by: the topic of their positions.
    pub(in crate::run) name: Arc<str>,
    /// What people are told.
    pub(in crate::run) shown: String,
    /// What a file's system says of it, if it is one.
    pub(in crate::run) file: Option<FileState>,
}

impl Input {
    /// Where it is, if it is no stream.
    pub(in crate::run) fn path(&self) -> Option<&Path> {
        match &self.target {
            Target::Path(path) => Some(path),
            Target::Stream => None,
        }
    }
}

/// Tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) struct FileState {
    /// Bytes.
    pub(in crate::run) size: u64,
    /// When it was last written, nanoseconds since 1970.
    pub(in crate::run) modified: u64,
}

impl FileState {
    /// As it is now.
    pub(super) fn of(found: &Metadata) -> Self {
        let modified = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        Self { size: found.len(), modified }
    }
}

/// All inputs, in the order they were given; those of a pattern in the order of their paths' bytes.
///
/// # Errors
/// 64 for an input that is not there, a folder, a pattern that is none or matches nothing, or two inputs of one name.
pub(in crate::run) fn listed(targets: &[Target], reading: &FileReading) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for target in targets {
        match target {
            Target::Stream => {
                inputs.push(Input { target: Target::Stream, name: "-".into(), shown: "standard input".to_owned(), file: None });
            }
            // A file of that very name is meant, whatever signs are in it.
            Target::Path(path) if path.symlink_metadata().is_err() && is_pattern(path.as_os_str()) => {
                for path in matching(path)? {
                    inputs.push(input(path, reading.name_from.as_deref())?);
                }
            }
            Target::Path(path) => inputs.push(input(path.clone(), reading.name_from.as_deref())?),
        }
    }
    distinct(&inputs, reading)?;
    Ok(inputs)
}

fn input(path: PathBuf, root: Option<&Path>) -> Result<Input, Failure> {
    let shown = path.display().to_string();
    let state = path.metadata().map_err(|error| Failure::usage(format!("reading {shown}: {error}")))?;
    if state.is_dir() {
        let pattern = path.join("**").join("*.ndjson");
        return Err(Failure::usage(format!(
            "reading {shown}: it is a folder; name the files in it, or give a pattern such as '{}'",
            pattern.display()
        )));
    }
    let name = match root {
        None => path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned()),
        Some(root) => name_below(root, &path)?,
    };
    let file = state.is_file().then(|| FileState::of(&state));
    Ok(Input { target: Target::Path(path), name: name.into(), shown, file })
}

/// The path from a folder on, the same wherever the folder stands.
fn name_below(root: &Path, path: &Path) -> Result<String, Failure> {
    let below = || {
        let (root, path) = (std::path::absolute(root).ok()?, std::path::absolute(path).ok()?);
        let below = path.strip_prefix(root).ok()?;
        let names: Option<Vec<_>> = below
            .components()
            .map(|component| match component {
                Component::Normal(name) => Some(name.to_string_lossy()),
                _ => None,
            })
            .collect();
        names.filter(|names| !names.is_empty()).map(|names| names.join("/"))
    };
    below().ok_or_else(|| {
        Failure::usage(format!("naming {} from {} (--name-from): the file is not below that folder", path.display(), root.display()))
    })
}

/// A record is named after its input: two of one name would give two leads one event id.
fn distinct(inputs: &[Input], reading: &FileReading) -> Result<(), Failure> {
    let mut known = BTreeMap::new();
    for input in inputs {
        let Some(other) = known.insert(&*input.name, input) else { continue };
        let (name, one, two) = (&input.name, &other.shown, &input.shown);
        let what = if other.target == input.target {
            format!("the input {one} is given twice")
        } else if reading.name_from.is_some() {
            format!(
                "the inputs {one} and {two} are both called {name:?}, and their leads would have the same event ids: process them apart"
            )
        } else {
            format!(
                "the inputs {one} and {two} are both called {name:?}, and their leads would have the same event ids: name them by their \
                 path from a folder above both, --name-from FOLDER, or process them apart"
            )
        };
        return Err(Failure::usage(what));
    }
    Ok(())
}

fn is_pattern(text: &OsStr) -> bool {
    text.as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'{'))
}

/// The files a pattern means, as a shell would have it: `*` and `?` within a name, `**` over folders, `[ab]`, `{a,b}`; names that
/// begin with a dot only where the pattern has the dot.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = pattern.display();
    let failed = |what: String| Failure::usage(format!("looking for {shown}: {what}"));
    let plain = pattern.components().take_while(|part| !is_pattern(part.as_os_str())).count();
    let root: PathBuf = pattern.components().take(plain).collect();
    let rest: PathBuf = pattern.components().skip(plain).collect();
    let text = rest.to_str().ok_or_else(|| failed("a pattern is UTF-8".to_owned()))?;
    let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| failed(error.kind().to_string()))?.compile_matcher();
    let deepest = if text.contains("**") { usize::MAX } else { rest.components().count() };
    let hidden_too = text.starts_with('.') || text.contains("/.");
    let is_hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().as_encoded_bytes().first() == Some(&b'.');
    let start = if root.as_os_str().is_empty() { Path::new(".") } else { &root };
    let walk = WalkDir::new(start).follow_links(true).max_depth(deepest).sort_by_file_name();
    let mut found = Vec::new();
    for entry in walk.into_iter().filter_entry(|entry| hidden_too || !is_hidden(entry)) {
        // What cannot be looked into might hold what is looked for.
        let entry = entry.map_err(|error| failed(error.to_string()))?;
        let Ok(below) = entry.path().strip_prefix(start) else { continue };
        if !entry.file_type().is_dir() && glob.is_match(below) {
            found.push(root.join(below));
        }
    }
    if found.is_empty() { Err(failed("no file matches".to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, pattern: &str) -> Result<Vec<String>, String> {
        let found = matching(&folder.join(pattern)).map_err(|failure| failure.message)?;
        Ok(found.iter().map(|path| path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn a_pattern_finds_files_in_a_fixed_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["b/1.ndjson", "a/2.ndjson", "a/10.ndjson", "a/deep/er/3.ndjson.gz", "a/.hidden.ndjson", "0.ndjson", "x[1].ndjson"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        let found = |pattern| names(folder.path(), pattern).expect("found");
        assert_eq!(found("*.ndjson"), ["0.ndjson", "x[1].ndjson"]);
        assert_eq!(found("*/*.ndjson"), ["a/10.ndjson", "a/2.ndjson", "b/1.ndjson"]);
        assert_eq!(found("a/**/*.ndjson*"), ["a/10.ndjson", "a/2.ndjson", "a/deep/er/3.ndjson.gz"]);
        assert_eq!(found("{b,a}/[0-9].ndjson"), ["a/2.ndjson", "b/1.ndjson"]);
        assert_eq!(found("a/.*.ndjson"), ["a/.hidden.ndjson"]);
        assert!(names(folder.path(), "*.avro").is_err_and(|why| why.ends_with("/*.avro: no file matches")));
        assert!(names(folder.path(), "none/*.avro").is_err());
        assert!(names(folder.path(), "[a.ndjson").is_err_and(|why| why.contains("[a.ndjson: ")));
        let literal = listed(&[Target::Path(folder.path().join("x[1].ndjson"))], &FileReading::default()).expect("it is there");
        assert_eq!(literal.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_found_and_a_folder_that_cannot_be_read_is_told() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(OsStr::from_bytes(b"\xff.ndjson")), "").expect("written");
        assert_eq!(names(folder.path(), "*.ndjson"), Ok(vec!["\u{fffd}.ndjson".to_owned()]));
        std::os::unix::fs::symlink(folder.path(), folder.path().join("round")).expect("linked");
        assert!(names(folder.path(), "**/*.ndjson").is_err_and(|why| why.contains("loop")));
    }

    #[test]
    fn a_name_from_a_folder_is_the_same_wherever_the_folder_stands() {
        assert_eq!(name_below(Path::new("/data"), Path::new("/data/day=01/part.avro")), Ok("day=01/part.avro".to_owned()));
        assert_eq!(name_below(Path::new("leads/"), Path::new("./leads/a//b")), Ok("a/b".to_owned()));
        for (root, path) in [("/data", "/date/a"), ("/data", "/data/../b"), ("/data", "/data")] {
            assert!(name_below(Path::new(root), Path::new(path)).is_err(), "{root} {path}");
        }
    }
}
