//! `leadstream rules new`: a ruleset to begin with, and its tests. The texts are files of `deploy/rules/new`, which are checked and
//! tested as they are.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::Failure;

/// What is written, by its name in the folder.
const FILES: [(&str, &str); 2] = [
    ("ruleset.toml", include_str!("../../deploy/rules/new/ruleset.toml")),
    ("ruleset.test.toml", include_str!("../../deploy/rules/new/ruleset.test.toml")),
];
/// What the texts call the ruleset.
const NAME: &str = "acme";

/// Writes the files into `folder`, which is made where there is none; the ruleset is named after it.
///
/// # Errors
/// 64 where one of the files is there already (nothing is written then) or the folder cannot be written to.
pub fn new_ruleset(folder: &Path, quiet: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let failed = |what: &Path, error: &io::Error| Failure::usage(format!("writing a new ruleset to {}: {error}", what.display()));
    if let Some((there, _)) = FILES.iter().find(|(name, _)| folder.join(name).exists()) {
        let path = folder.join(there);
        return Err(Failure::usage(format!("{} is there already: name a folder without a ruleset", path.display())));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let name = named_after(folder);
    for (file, text) in FILES {
        let path = folder.join(file);
        let write = |mut file: File| file.write_all(text.replace(NAME, &name).as_bytes());
        // Never over a file of somebody who was quicker.
        File::create_new(&path).and_then(write).map_err(|error| failed(&path, &error))?;
    }
    if !quiet {
        let shown = folder.display();
        let argument = quoted(folder);
        let told = writeln!(
            out,
            "{shown}: the ruleset {name:?} with two tests. Next:\n  leadstream check --rules {argument}\n  leadstream test {argument} --coverage\n  \
             leadstream run --set rules.path={argument}"
        );
        told.map_err(|error| Failure::unavailable(format!("writing what was done: {error}")))?;
    }
    Ok(())
}

/// A path as a shell takes it for one argument.
fn quoted(path: &Path) -> String {
    let shown = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '/' | '.' | '-' | '_');
    if shown.chars().all(is_plain) { shown } else { format!("'{}'", shown.replace('\'', "'\\''")) }
}

/// A name of a ruleset that is like the folder's.
fn named_after(folder: &Path) -> String {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let written = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let name: String = written.chars().filter(fits).take(64).collect();
    if name.trim_matches('.').is_empty() { NAME.to_owned() } else { name }
}
