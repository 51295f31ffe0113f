//! Two rulesets that decide alike and have other hashes, and a canary that does so too: so the outcome of a lead is known
//! whichever is in use, and an event tells which it was. A shadow that decides otherwise must leave no trace.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::service::Scene;

/// The file that the processes read, and what it may hold; and what is on trial beside it.
pub(crate) struct ChangingRules {
    file: PathBuf,
    texts: [String; 2],
    hashes: [String; 2],
    canary: PathBuf,
    canary_hash: String,
    shadow: PathBuf,
    changes: Mutex<usize>,
}

impl ChangingRules {
    /// The built-in rules, in a file of this scene.
    pub(crate) fn of(scene: &Scene) -> Self {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rules/default/ruleset.toml"));
        let text = text.expect("the built-in rules");
        let other = format!("{text}\n# The same, and other bytes.\n");
        let put = |name: &str, text: &str| {
            let file = scene.path(name);
            fs::write(&file, text).expect("written");
            file
        };
        let file = put("ruleset.toml", &text);
        let canary = put("canary.toml", &text.replacen("version = \"1\"", "version = \"canary\"", 1));
        let gate = "[[gate]]\nid = \"all\"\nwhen = 'true'\nreason = \"closed_today\"\n";
        let shadow = put("shadow.toml", &format!("[ruleset]\nname = \"shadow\"\nversion = \"1\"\nextends = \"default\"\n{gate}"));
        let hash = |file: &Path| {
            let checked = scene.call(&["check", "--json", "--rules", file.to_str().expect("text")]);
            let report: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("check writes JSON");
            report["ruleset"]["hash"].as_str().expect("a hash").to_owned()
        };
        let hashes = [hash(&file), hash(&put("other.toml", &other))];
        let canary_hash = hash(&canary);
        Self { file, texts: [text, other], hashes, canary, canary_hash, shadow, changes: Mutex::new(0) }
    }

    /// What tells the processes of them.
    pub(crate) fn settings(&self) -> Vec<String> {
        let set = |key: &str, path: &Path| format!("rules.{key}={}", path.display());
        let trial = [set("canary.path", &self.canary), set("shadow", &self.shadow)];
        // They decide alike; but the storm's few persons come again and again, and chance is not what is tried here.
        let canary = ["rules.canary.percent=20", "rules.canary.band=100"].map(str::to_owned);
        [set("path", &self.file)].into_iter().chain(trial).chain(canary).collect()
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

    /// The event as if the first of the two had decided it; `None`: it names neither of them, nor the canary.
    pub(crate) fn as_by_the_first(&self, event: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(event).ok()?;
        let by = |version: &str, hash: &str| format!("\"version\":\"{version}\",\"hash\":\"{hash}\"");
        let [first, second] = &self.hashes;
        let names = [by("1", first), by("1", second), by("canary", &self.canary_hash)];
        let [name] = names.iter().filter(|name| text.contains(*name)).collect::<Vec<_>>()[..] else { return None };
        Some(text.replacen(name, &names[0], 1).into_bytes())
    }
}
