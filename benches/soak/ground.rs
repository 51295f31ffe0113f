//! What a soak stands on: topics, rules that change, the two processes' ports; how much load there is room for; and the proof.

use std::{path::PathBuf, process::Command, time::Instant};

use serde_json::Value;

use super::{
    Options,
    broker::{Broker, free_ports},
    ruleset::ChangingRules,
    service::{Scene, Service},
};

/// So much of the disk that is free may be filled.
const ROOM: f64 = 0.6;
/// Lanes of the process that comes and goes.
const GUEST_LANES: usize = 2;

/// What stays through a soak.
pub(crate) struct Ground {
    options: Options,
    pub(crate) scene: Scene,
    pub(crate) rules: ChangingRules,
    /// Of the process that is looked at, and of the one that comes and goes: Prometheus knows both beforehand.
    pub(crate) ports: [u16; 2],
    data: PathBuf,
}

/// What `leadstream verify` said.
pub(crate) struct Verified {
    pub(crate) report: Value,
    pub(crate) exit: i32,
    pub(crate) seconds: f64,
}

impl Ground {
    /// Topics on this broker.
    pub(crate) fn raised(options: &Options, broker: &Broker) -> Self {
        let scene = Scene::named("soak", broker.address());
        scene.create_topics(options.partitions, &[]);
        let rules = ChangingRules::of(&scene);
        let (_, data) = broker.traces();
        Self { options: options.clone(), scene, rules, ports: free_ports(), data }
    }

    /// Starts the process that is looked at.
    pub(crate) fn start_main(&self) -> Service {
        self.start(self.options.lanes, self.ports[0])
    }

    /// Starts the other one.
    pub(crate) fn start_guest(&self) -> Service {
        self.start(GUEST_LANES, self.ports[1])
    }

    fn start(&self, lanes: usize, port: u16) -> Service {
        let rules = format!("rules.path={}", self.rules.file());
        let (lanes, listen) = (format!("run.lanes={lanes}"), format!("http.listen=127.0.0.1:{port}"));
        self.scene.run(&["--set", &rules, "--set", &lanes, "--set", &listen])
    }

    /// Leads a second that are to come, where so many are borne and so many have been written, and the bytes that one takes on disk.
    pub(crate) fn load_for(&self, borne: f64, written: u64) -> (u64, f64) {
        let Options { minutes, share, most, .. } = self.options;
        let bytes = number_of(Command::new("du").args(["--summarize", "--block-size=1"]).arg(&self.data)) / written as f64;
        let free = number_of(Command::new("df").args(["--output=avail", "--block-size=1"]).arg(&self.data));
        let wanted = borne * share as f64 / 100.0;
        let held = ROOM * free / (bytes * minutes as f64 * 60.0);
        let load = wanted.min(most.map_or(f64::MAX, |most| most as f64));
        if held < load {
            eprintln!("{wanted:.0} leads/s were wanted; the disk holds the outputs of {held:.0}");
        }
        (load.min(held) as u64, bytes)
    }

    /// Holds all that was written against what was read.
    pub(crate) fn verified(&self) -> Verified {
        self.rules.settle();
        let started = Instant::now();
        let output = self.scene.call(&["verify", "--json", "--rules", self.rules.file()]);
        let told = || String::from_utf8_lossy(&output.stderr).into_owned().into();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| told());
        Verified { report, exit: output.status.code().unwrap_or(-1), seconds: started.elapsed().as_secs_f64() }
    }
}

/// The first number a program prints.
fn number_of(command: &mut Command) -> f64 {
    let output = command.output().expect("coreutils are there");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{command:?} printed no number: {text}"))
}
