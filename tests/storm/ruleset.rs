//! Two rulesets that decide alike and have other hashes: so the outcome of a lead is known whichever is in use, and an event tells
//! which it was.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::service::Scene;

/// The file that the processes read, and what it may hold.
pub(crate) struct ChangingRules {
    file: PathBuf,
    texts: [String; 2],
    hashes: [String; 2],
    changes: Mutex<usize>,
}

impl ChangingRules {
    /// The built-in rules, in a file of this scene.
    pub(crate) fn of(scene: &Scene) -> Self {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rules/default/ruleset.toml"));
        let text = text.expect("the built-in rules");
        let other = format!("{text}\n# The same, and other bytes.\n");
        let file = scene.path("ruleset.toml");
        let mut rules = Self { file, texts: [text, other], hashes: Default::default(), changes: Mutex::new(0) };
        for number in [1, 0] {
            rules.put(number);
            let checked = scene.call(&["check", "--json", "--rules", rules.file()]);
            let report: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("check writes JSON");
            report["ruleset"]["hash"].as_str().expect("a hash").clone_into(&mut rules.hashes[number]);
        }
        rules
    }

    pub(crate) fn file(&self) -> &str {
        self.file.to_str().expect("text")
    }

    /// The other one takes the place of the one that is there; now and then it is written into the file itself.
    pub(crate) fn change(&self) {
        let mut changes = self.changes.lock().expect("not poisoned");
        *changes += 1;
        self.put(*changes);
    }

    /// The first of the two, and it stays.
    pub(crate) fn settle(&self) {
        self.put(0);
    }

    fn put(&self, number: usize) {
        let text = &self.texts[number % 2];
        if number % 5 == 4 {
            fs::write(&self.file, text).expect("written");
            return;
        }
        let new = self.file.with_extension("new");
        fs::write(&new, text).expect("written");
        fs::rename(new, &self.file).expect("renamed");
    }

    /// The event as if the first of the two had decided it; `None`: it names neither.
    pub(crate) fn as_by_the_first(&self, event: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(event).ok()?;
        let [first, second] = &self.hashes;
        (text.contains(first) != text.contains(second)).then(|| text.replacen(second, first, 1).into_bytes())
    }
}
