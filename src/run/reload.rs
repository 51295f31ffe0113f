//! Changed rules and tables, taken into use while lanes work: read, checked, and swapped between two batches. What is not good
//! is told once and left; what was in use stays. When files have changed tells `watched`, how they become a snapshot `load`.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::Config,
    pipeline::{Live, Pipeline, Trials},
    problem::Problem,
    rules::Ruleset,
};

use super::{
    Failure,
    canary::stop_canary,
    candidates::{CANARY, SHADOW, mistakable, new_canary, repeated},
    load::{inspect_pipeline, ruleset},
    report::RulesReport,
    rule_tests::failing,
    watched::Watched,
};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What the watching thread is woken by.
enum Wake {
    /// SIGHUP: read everything, changed or not.
    Asked,
}

/// The watching threads; they end when dropped.
pub(super) struct Reloader {
    _wake: Sender<Wake>,
}

/// Hears SIGHUP from now on, which would end the process otherwise.
pub(super) struct Hangups {
    runtime: tokio::runtime::Runtime,
    signals: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Begins to listen.
    ///
    /// # Errors
    /// 70 when the system lets nobody listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::bug(format!("listening for SIGHUP: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let signals = {
            let _context = runtime.enter();
            signal(SignalKind::hangup()).map_err(failed)?
        };
        Ok(Self { runtime, signals })
    }
}

impl Reloader {
    /// Begins to watch the rulesets and tables of `config` for changes (`rules.watch`) and for SIGHUP; `live` is what lanes ask
    /// once a batch.
    ///
    /// # Errors
    /// 75 when the system gives no thread.
    pub(super) fn start(config: &Config, live: &Arc<ArcSwap<Live>>, report: RulesReport, hangups: Hangups) -> Result<Self, Failure> {
        let no_thread = |error: std::io::Error| Failure::unavailable(format!("starting a thread: {error}"));
        let (wake, woken) = channel();
        let asks = wake.clone();
        let Hangups { runtime, mut signals } = hangups;
        let listen = move || runtime.block_on(async { while signals.recv().await.is_some() && asks.send(Wake::Asked).is_ok() {} });
        thread::Builder::new().name("hangups".to_owned()).spawn(listen).map_err(no_thread)?;
        let mut rulesets = Rulesets::new(config.clone(), Arc::clone(live), report);
        let watch = move || {
            loop {
                let asked = match woken.recv_timeout(LOOK) {
                    Ok(Wake::Asked) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if asked || rulesets.config.rules.watch {
                    rulesets.look(asked);
                }
            }
        };
        thread::Builder::new().name("rules".to_owned()).spawn(watch).map_err(no_thread)?;
        Ok(Self { _wake: wake })
    }
}

/// The ruleset that decides and those on trial, each with its files.
struct Rulesets {
    config: Config,
    live: Arc<ArcSwap<Live>>,
    report: RulesReport,
    /// With the tables.
    deciding: Watched,
    canary: Option<Watched>,
    shadows: Vec<Watched>,
}

impl Rulesets {
    fn new(config: Config, live: Arc<ArcSwap<Live>>, report: RulesReport) -> Self {
        let tried = |role: &str, path: &PathBuf| Watched::new(format!("rules of the {role} {}", path.display()), Some(path.clone()), None);
        let rules = &config.rules;
        Self {
            deciding: Watched::new("rules", rules.path.clone(), config.tables.dir.clone()),
            canary: rules.canary.path.as_ref().map(|path| tried("canary", path)),
            shadows: rules.shadow.iter().map(|path| tried("shadow", path)).collect(),
            config,
            live,
            report,
        }
    }

    /// Reads what changed; `asked`: also what did not. Each is taken or refused by itself.
    fn look(&mut self, asked: bool) {
        match self.deciding.look(asked, || inspect_tested(&self.config)) {
            None => {}
            Some(Ok(pipeline)) => self.take(pipeline, asked),
            Some(Err(problems)) => self.deciding.refuse(&problems, &self.report),
        }
        self.look_at_canary(asked);
        self.look_at_shadows(asked);
    }

    fn take(&mut self, mut pipeline: Pipeline, asked: bool) {
        let current = self.live.load_full();
        let mended = self.deciding.accept();
        if pipeline.rules.hash == current.pipeline.rules.hash && pipeline.tables.versions == current.pipeline.tables.versions {
            if mended || asked {
                tracing::info!("rules and tables are as they were");
            }
            self.report.unchanged(self.deciding.what());
            return;
        }
        // What was settled with brokers and registry at the start is no matter of rules.
        pipeline.encoding = current.pipeline.encoding.clone();
        tracing::info!(
            ruleset = pipeline.rules.label(),
            hash = pipeline.rules.hash,
            tables = ?pipeline.tables.versions,
            "changed rules are in use from the next batch on"
        );
        self.report.taken(self.deciding.what(), &pipeline);
        let mistaken = current.trials.canary.as_ref().and_then(|canary| mistakable(&canary.rules, &pipeline.rules));
        let pipeline = Arc::new(pipeline);
        self.live.rcu(|live| Live { pipeline: Arc::clone(&pipeline), ..Live::clone(live) });
        if let Some(problem) = mistaken {
            stop_canary(&self.live, &self.report, &problem.message);
        }
    }

    /// One that is as it was stays as it is: stopped, if it was.
    fn look_at_canary(&mut self, asked: bool) {
        let Some(watched) = &mut self.canary else { return };
        let path = self.config.rules.canary.path.as_ref();
        let current = self.live.load_full();
        let tested = |path: &Path| {
            let (rules, mut problems) = read(path, CANARY);
            let own = rules.iter().filter(|_| self.config.rules.test).flat_map(|rules| failing(Some(path), rules, &current.pipeline));
            problems.extend(own);
            (rules.filter(|_| !problems.iter().any(Problem::is_error)), problems)
        };
        let Some(found) = path.and_then(|path| watched.look(asked, || tested(path))) else { return };
        let live = self.live.load_full();
        let is_known = |rules: &Arc<Ruleset>| live.trials.canary.as_ref().is_some_and(|canary| canary.rules.hash == rules.hash);
        let unlike = |rules: Arc<Ruleset>| match mistakable(&rules, &live.pipeline.rules) {
            Some(problem) => Err(vec![problem]),
            None => Ok(rules),
        };
        match found {
            Ok(rules) if is_known(&rules) => unchanged(watched, asked, &self.report),
            found => match found.and_then(unlike) {
                Err(problems) => watched.refuse(&problems, &self.report),
                Ok(rules) => {
                    let canary = new_canary(&self.config, rules);
                    let change = |trials: &mut Trials| trials.canary = Some(canary.clone());
                    taken(watched, &canary.rules, change, &self.live, &self.report);
                }
            },
        }
    }

    /// All that changed are read before any is judged: two may have changed names.
    fn look_at_shadows(&mut self, asked: bool) {
        let watched = self.shadows.iter_mut().zip(&self.config.rules.shadow);
        let found: Vec<_> = watched.map(|(watched, path)| watched.look(asked, || read(path, SHADOW))).collect();
        let current = self.live.load_full();
        let mut next = current.trials.shadows.clone();
        for (rules, found) in next.iter_mut().zip(&found) {
            if let Some(Ok(new)) = found {
                rules.clone_from(new);
            }
        }
        for (at, (watched, found)) in self.shadows.iter_mut().zip(found).enumerate() {
            let (Some(found), Some(old)) = (found, current.trials.shadows.get(at)) else { continue };
            let others = || next.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, rules)| &**rules);
            let unlike = |rules: Arc<Ruleset>| match repeated(&rules, others()) {
                Some(problem) => Err(vec![problem]),
                None => Ok(rules),
            };
            match found {
                Ok(rules) if rules.hash == old.hash => unchanged(watched, asked, &self.report),
                found => match found.and_then(unlike) {
                    Ok(rules) => {
                        let change =
                            |trials: &mut Trials| trials.shadows.get_mut(at).into_iter().for_each(|place| place.clone_from(&rules));
                        taken(watched, &rules, change, &self.live, &self.report);
                    }
                    Err(problems) => {
                        watched.refuse(&problems, &self.report);
                        next.get_mut(at).into_iter().for_each(|place| place.clone_from(old));
                    }
                },
            }
        }
    }
}

/// The rules that decide, with the tables, once they have passed their own tests.
fn inspect_tested(config: &Config) -> (Option<Pipeline>, Vec<Problem>) {
    let (pipeline, mut problems) = inspect_pipeline(config);
    if let Some(pipeline) = pipeline.as_ref().filter(|_| config.rules.test) {
        problems.extend(failing(config.rules.path.as_deref(), &pipeline.rules, pipeline));
    }
    (pipeline.filter(|_| !problems.iter().any(Problem::is_error)), problems)
}

fn read(path: &Path, key: &str) -> (Option<Arc<Ruleset>>, Vec<Problem>) {
    let mut problems = Vec::new();
    let rules = ruleset(Some(path), key, &mut problems);
    (rules.map(Arc::new), problems)
}

fn unchanged(watched: &mut Watched, asked: bool, report: &RulesReport) {
    if watched.accept() || asked {
        tracing::info!("{} are as they were", watched.what());
    }
    report.unchanged(watched.what());
}

/// Changed rules on trial are in use from the next batch on.
fn taken(watched: &mut Watched, rules: &Ruleset, change: impl Fn(&mut Trials), live: &ArcSwap<Live>, report: &RulesReport) {
    watched.accept();
    tracing::info!(ruleset = rules.label(), hash = rules.hash, "changed {} are in use from the next batch on", watched.what());
    live.rcu(|live| {
        let mut next = Live::clone(live);
        change(&mut next.trials);
        next
    });
    report.tried(watched.what(), live);
}
