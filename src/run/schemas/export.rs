//! `schemas export`: the bundle into a folder. A folder that holds anything else is left alone; the list of what was written,
//! with digests, tells the bundle's own files when it is written again.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Subscription, files};
use crate::run::Failure;

/// Written last: each file's SHA-256 and path, as `sha256sum` writes them.
const MANIFEST: &str = "bundle.sha256";

/// Writes the bundle to `folder`, which is made if it is not there.
///
/// # Errors
/// 64 when the folder holds what is not the bundle's own, or cannot be made; 75 when writing fails.
pub fn export(subscription: &Subscription, folder: &Path, quiet: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let shown = folder.display();
    let files = files(subscription);
    fs::create_dir_all(folder).map_err(|error| Failure::usage(format!("creating the folder {shown}: {error}")))?;
    let (stale, foreign) = survey(folder, &files).map_err(|error| Failure::usage(format!("looking at what is in {shown}: {error}")))?;
    if let Some(first) = foreign.first() {
        let others = if foreign.len() > 1 { format!(" and {} more", foreign.len() - 1) } else { String::new() };
        return Err(Failure::usage(format!(
            "writing the bundle to {shown}: it holds {first}{others}, not as the bundle wrote it; name an empty folder, or take that away"
        )));
    }
    write(folder, &files, &stale).map_err(|error| Failure::unavailable(format!("writing the bundle to {shown}: {error}")))?;
    if !quiet {
        let told = writeln!(
            out,
            "wrote {} files to {shown}; {} tells how to read the topics",
            files.len() + 1,
            folder.join("README.md").display()
        );
        told.map_err(|error| Failure::unavailable(format!("writing to standard output: {error}")))?;
    }
    Ok(())
}

/// Files of an earlier bundle that this one does not have, and files that are not the bundle's own.
fn survey(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<(Vec<String>, Vec<String>)> {
    let manifest = match fs::read_to_string(folder.join(MANIFEST)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let earlier: BTreeMap<&str, &str> =
        manifest.lines().filter_map(|line| line.split_once("  ")).map(|(digest, path)| (path, digest)).collect();
    let (mut stale, mut foreign) = (Vec::new(), Vec::new());
    for path in present(folder, folder)? {
        if path == MANIFEST {
            continue;
        }
        let file = folder.join(&path);
        if !file.symlink_metadata()?.is_file() {
            foreign.push(path);
            continue;
        }
        let text = fs::read(file)?;
        let ours = files.get(&path).is_some_and(|file| file.as_bytes() == text.as_slice());
        let written = earlier.get(path.as_str()).is_some_and(|known| *known == digest(&text));
        match (ours || written, files.contains_key(&path)) {
            (false, _) => foreign.push(path),
            (true, false) => stale.push(path),
            (true, true) => {}
        }
    }
    Ok((stale, foreign))
}

/// Every file below `folder`, its path from `root`, in order.
fn present(root: &Path, folder: &Path) -> io::Result<Vec<String>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        // A link is no file of the bundle, wherever it leads.
        if entry.is_dir() && !entry.is_symlink() {
            found.extend(present(root, &entry)?);
        } else {
            let path = entry.strip_prefix(root).unwrap_or(&entry);
            found.push(path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(found)
}

fn write(folder: &Path, files: &BTreeMap<String, String>, stale: &[String]) -> io::Result<()> {
    let mut manifest = String::new();
    for (path, text) in files {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, text)?;
        // Writing to a String cannot fail.
        let _ = writeln!(manifest, "{}  {path}", digest(text.as_bytes()));
    }
    for path in stale {
        fs::remove_file(folder.join(path))?;
    }
    fs::write(folder.join(MANIFEST), manifest)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
