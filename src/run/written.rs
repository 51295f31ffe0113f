//! Files that a command is about to write, before it does anything: none of them may be one that it reads or writes otherwise,
//! under whatever name, and each can be written. Writes nothing.

use std::{
    fs::{self, Metadata, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::{Failure, inputs::Input};

/// What a path means: two of one meaning are one file, as links are.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    /// A file that is there, by its number and its device's.
    #[cfg(unix)]
    There(u64, u64),
    /// A file by its one full path: it may not be there yet.
    Path(PathBuf),
}

impl Meant {
    /// `None`: no file, or one that cannot come to be.
    fn by(path: &Path) -> Option<Self> {
        match path.metadata() {
            Ok(found) if found.is_file() => Self::found(path, &found),
            // Devices and pipes take what they are given.
            Ok(_) => None,
            Err(_) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                Some(Self::Path(folder.canonicalize().ok()?.join(path.file_name()?)))
            }
        }
    }

    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps)] // as where files have no numbers
    fn found(_: &Path, found: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self::There(found.dev(), found.ino()))
    }

    #[cfg(not(unix))]
    fn found(path: &Path, _: &Metadata) -> Option<Self> {
        path.canonicalize().ok().map(Self::Path)
    }
}

/// The first of the paths that is one file with `path`.
fn same<'p>(path: &Path, others: impl Iterator<Item = &'p Path>) -> Option<&'p Path> {
    let meant = Meant::by(path)?;
    { others }.find(|other| Meant::by(other).as_ref() == Some(&meant))
}

/// That no input is among the files that are about to be written.
///
/// # Errors
/// 64: it would be emptied before it is read.
pub(super) fn not_read(inputs: &[Input], outputs: &[PathBuf]) -> Result<(), Failure> {
    for input in inputs {
        let Some(path) = input.path() else { continue };
        if same(path, outputs.iter().map(PathBuf::as_path)).is_some() {
            return Err(Failure::usage(format!(
                "{} is an input, and would be written over as an output: name another folder",
                input.shown
            )));
        }
    }
    Ok(())
}

/// That a file which is written in the end, by `option`, is none of `others` and can be written.
///
/// # Errors
/// 64, before any work is done for nothing.
pub(super) fn writable<'p>(option: &str, path: &Path, others: impl Iterator<Item = &'p Path>) -> Result<(), Failure> {
    let shown = path.display();
    if let Some(other) = same(path, others) {
        let other = other.display();
        return Err(Failure::usage(format!(
            "{shown} ({option}) is one file with {other}, which is read or written as well: name another file"
        )));
    }
    can_write(path).map_err(|error| Failure::usage(format!("creating {shown} ({option}): {error}")))
}

/// Opens it as it is; one that was not there is taken away again.
fn can_write(path: &Path) -> io::Result<()> {
    // A pipe would be at its end once it is closed.
    if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Ok(());
    }
    let is_new = path.symlink_metadata().is_err();
    OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if is_new { fs::remove_file(path) } else { Ok(()) }
}
