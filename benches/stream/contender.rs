//! Who is compared, and how each is started: a process of its own with the same settings in its environment. What a peer needs
//! beside (Java, Python, libraries) is fetched here, once.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use super::{ground::Stage, template};

/// One way of doing the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Contender {
    /// The pass-through as a plain loop whose wait spins.
    Plain,
    /// The same with a wait that sleeps.
    Sleeping,
    /// The pass-through by leadstream's own lane.
    OwnLane,
    /// `leadstream run`, exactly once.
    Run,
    /// `leadstream run`, at least once.
    RunAlo,
    /// Kafka Streams, `exactly_once_v2`.
    Streams,
    /// Kafka Streams, at least once.
    StreamsAlo,
    /// Python, transactional.
    Python,
}

impl Contender {
    /// In the order of their turns.
    pub(crate) const ALL: [Self; 8] =
        [Self::Plain, Self::Sleeping, Self::OwnLane, Self::Run, Self::RunAlo, Self::Streams, Self::StreamsAlo, Self::Python];

    /// As it is named in figures and options.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sleeping => "sleeping",
            Self::OwnLane => "own-lane",
            Self::Run => "run",
            Self::RunAlo => "run-alo",
            Self::Streams => "streams",
            Self::StreamsAlo => "streams-alo",
            Self::Python => "python",
        }
    }

    /// For a person.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Plain => "pass-through, plain loop that spins (transactions)",
            Self::Sleeping => "pass-through, a wait that sleeps (transactions)",
            Self::OwnLane => "pass-through, leadstream's own lane (transactions)",
            Self::Run => "`leadstream run`, exactly once",
            Self::RunAlo => "`leadstream run`, at least once",
            Self::Streams => "Kafka Streams 4.3.1, exactly_once_v2",
            Self::StreamsAlo => "Kafka Streams 4.3.1, at least once",
            Self::Python => "Python, confluent-kafka and orjson (transactions)",
        }
    }

    /// It copies; the others decide.
    pub(crate) fn only_copies(self) -> bool {
        matches!(self, Self::Plain | Self::Sleeping | Self::OwnLane)
    }

    /// How it is started on this stage.
    pub(crate) fn command(self, stage: &Stage, peers: &Peers) -> Command {
        let mut command = match self {
            Self::Plain | Self::Sleeping | Self::OwnLane => Command::new(std::env::current_exe().expect("this program")),
            Self::Run | Self::RunAlo => Command::new(&peers.leadstream),
            Self::Streams | Self::StreamsAlo => Command::new("java"),
            Self::Python => Command::new(&peers.python),
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stream/peers");
        match self {
            Self::Plain => command.args(["pass-through", "spinning"]),
            Self::Sleeping => command.args(["pass-through", "sleeping"]),
            Self::OwnLane => command.arg("own-lane"),
            Self::Run => command.args(["run", "--config"]).arg(stage.configured("exactly-once")),
            Self::RunAlo => command.args(["run", "--config"]).arg(stage.configured("at-least-once")),
            Self::Streams | Self::StreamsAlo => {
                command.env("BENCH_GUARANTEE", if self == Self::Streams { "exactly_once_v2" } else { "at_least_once" });
                command.args(["-Xmx512m", "-XX:+UseSerialGC", "-cp", &peers.class_path, "Decide"])
            }
            Self::Python => command.arg(here.join("decide.py")),
        };
        command.envs(stage.environment()).env("BENCH_RULESET_HASH", &template::ruleset().hash);
        command
    }
}

/// Where the contenders' programs are.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    leadstream: PathBuf,
    class_path: String,
    python: String,
}

impl Peers {
    /// Fetches what these contenders need; `leadstream` is the program that is measured, if it is not the one that was built with this.
    pub(crate) fn fetched(chosen: &[Contender], leadstream: Option<PathBuf>) -> Self {
        let of = |what: &str, needed: &[Contender]| {
            if !chosen.iter().any(|one| needed.contains(one)) {
                return String::new();
            }
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stream/peers/peers.sh");
            let target = super::machine::target();
            let done = Command::new("sh").arg(script).args(["fetch", what]).env("CARGO_TARGET_DIR", target).output().expect("a shell");
            assert!(done.status.success(), "fetching what {what} needs: {}", String::from_utf8_lossy(&done.stderr));
            let text = String::from_utf8(done.stdout).expect("a path");
            text.lines().last().expect("one line").to_owned()
        };
        let leadstream = leadstream.unwrap_or_else(|| env!("CARGO_BIN_EXE_leadstream").into());
        Self {
            leadstream,
            class_path: of("java", &[Contender::Streams, Contender::StreamsAlo]),
            python: of("python", &[Contender::Python]),
        }
    }
}

/// What stands in a contender's environment, read back.
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Of this process.
    pub(crate) fn of_environment() -> Self {
        Self(std::env::vars().filter(|(name, _)| name.starts_with("BENCH_")).collect())
    }

    /// One of them.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(&format!("BENCH_{name}")).unwrap_or_else(|| panic!("BENCH_{name} is not set"))
    }

    /// One that is a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> T {
        self.text(name).parse().unwrap_or_else(|_| panic!("BENCH_{name} is no number"))
    }
}
