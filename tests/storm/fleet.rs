//! The processes of a storm: a few that are always there, and guests. Whoever harms one holds it meanwhile; who watches needs
//! to hold none. What a process counted last, and how much memory it took, is kept beyond its end.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    sync::{Arc, Mutex, MutexGuard, TryLockError},
    time::Duration,
};

use super::{
    metrics::Counted,
    schedule::PROCESSES,
    service::{Scene, Service, address_in, page_at},
    waiting::{Enough, let_pass, wait_until},
};

/// Between two looks at every process.
const LOOK: Duration = Duration::from_millis(250);
/// SIGTERM to the end, also while no broker answers.
const LEAVE: Duration = Duration::from_secs(20);

/// A process, as long as it lives.
pub(crate) struct Process {
    service: Service,
    life: usize,
}

impl Process {
    /// SIGSTOP for so long.
    pub(crate) fn freeze(&self, hold: Duration) {
        self.service.pause();
        let_pass(hold);
        self.service.resume();
    }
}

/// What is kept of every process that ever ran.
struct Life {
    id: u32,
    lines: Arc<Mutex<String>>,
    address: Option<SocketAddr>,
    counted: Counted,
    peak_kib: u64,
    ended: bool,
}

/// All processes.
pub(crate) struct Fleet<'a> {
    scene: &'a Scene,
    arguments: Vec<String>,
    processes: Vec<Mutex<Process>>,
    lives: Mutex<Vec<Life>>,
    deaths: Mutex<Vec<String>>,
}

impl<'a> Fleet<'a> {
    /// Starts those that are always there; `arguments` go to each.
    pub(crate) fn launched(scene: &'a Scene, arguments: Vec<String>) -> Self {
        let mut fleet = Self { scene, arguments, processes: Vec::new(), lives: Mutex::default(), deaths: Mutex::default() };
        fleet.processes = (0..PROCESSES).map(|number| Mutex::new(fleet.begin(number, 2))).collect();
        fleet
    }

    /// Every other one has a name that lasts, as a stable replica has; the others are new at each start, and small.
    fn begin(&self, number: usize, lanes: usize) -> Process {
        let mut arguments = self.arguments.clone();
        arguments.extend(["--set".to_owned(), format!("run.lanes={lanes}")]);
        if number.is_multiple_of(2) {
            arguments.extend(["--set".to_owned(), format!("kafka.instance=pod-{number}")]);
        } else {
            // As little memory as there may be: what they have to make up for is written in parts.
            arguments.extend(["--set".to_owned(), format!("run.memory={}MiB", 4 * lanes)]);
        }
        let service = self.scene.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let mut lives = self.lives();
        lives.push(Life {
            id: service.id(),
            lines: service.shared_lines(),
            address: None,
            counted: Counted::default(),
            peak_kib: 0,
            ended: false,
        });
        Process { service, life: lives.len() - 1 }
    }

    fn lives(&self) -> MutexGuard<'_, Vec<Life>> {
        self.lives.lock().expect("not poisoned")
    }

    /// The process with this number, or the next that nobody holds.
    pub(crate) fn take(&self, number: usize) -> Option<(usize, MutexGuard<'_, Process>)> {
        (0..PROCESSES).map(|step| (number + step) % PROCESSES).find_map(|number| match self.processes[number].try_lock() {
            Ok(process) => Some((number, process)),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => panic!("a fault failed"),
        })
    }

    /// A process that is not among those that are always there.
    pub(crate) fn guest(&self, lanes: usize) -> Process {
        self.begin(1, lanes)
    }

    /// Starts it anew.
    pub(crate) fn restart(&self, number: usize, process: &mut Process) {
        *process = self.begin(number, 2);
    }

    /// SIGKILL.
    pub(crate) fn kill(&self, process: &mut Process) {
        process.service.kill();
        self.lives()[process.life].ended = true;
    }

    /// SIGTERM, and waits for its end; one that does not come, or comes with a complaint, is told at the end of the storm.
    pub(crate) fn stop(&self, process: &mut Process) {
        process.service.terminate();
        let ended = process.service.try_exit_within(LEAVE);
        // One that was told to end before it had begun ends as the kernel does it.
        let before_it_began = ended.is_some_and(|status| status.signal().is_some()) && process.service.lines().is_empty();
        if ended.and_then(|status| status.code()) != Some(0) && !before_it_began {
            self.died(process, &format!("ended on SIGTERM with {ended:?}"));
            process.service.kill();
        }
        self.lives()[process.life].ended = true;
    }

    fn died(&self, process: &Process, how: &str) {
        let lines = process.service.lines();
        let last: Vec<_> = lines.lines().rev().take(12).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        self.deaths.lock().expect("not poisoned").push(format!("{how}:\n{}", last.join("\n")));
    }

    /// Starts those anew that have ended by themselves, which none should.
    pub(crate) fn mend(&self) {
        for (number, process) in self.processes.iter().enumerate() {
            if let Ok(mut process) = process.try_lock()
                && process.service.has_ended()
            {
                let ended = process.service.try_exit_within(LEAVE);
                self.died(&process, &format!("ended by itself with {ended:?}"));
                self.lives()[process.life].ended = true;
                self.restart(number, &mut process);
            }
        }
    }

    /// The ends that nobody asked for.
    pub(crate) fn deaths(&self) -> Vec<String> {
        self.deaths.lock().expect("not poisoned").clone()
    }

    /// Looks at every process, again and again, until it is enough.
    pub(crate) fn watch(&self, enough: &Enough) {
        while !enough.said() {
            self.look();
            let_pass(LOOK);
        }
    }

    /// Reads what every living process has counted, and its memory.
    pub(crate) fn look(&self) {
        let alive: Vec<_> = {
            let mut lives = self.lives();
            for life in lives.iter_mut().filter(|life| life.address.is_none()) {
                life.address = address_in(&life.lines.lock().expect("not poisoned"));
            }
            lives.iter().enumerate().filter(|(_, life)| !life.ended).map(|(number, life)| (number, life.id, life.address)).collect()
        };
        for (number, id, address) in alive {
            let peak = memory_peak(id);
            // One that is frozen does not answer, and keeps what it counted.
            let page = address.and_then(|address| page_at(address, "/metrics", Duration::from_millis(500)));
            let mut lives = self.lives();
            lives[number].peak_kib = lives[number].peak_kib.max(peak.unwrap_or(0));
            if let Some((200, page)) = page {
                lives[number].counted = Counted::read(&page);
            }
        }
    }

    /// What all processes, those that are gone too, have counted as far as it was seen.
    pub(crate) fn counted(&self) -> Counted {
        let mut sum = Counted::default();
        self.lives().iter().for_each(|life| sum.add(&life.counted));
        sum
    }

    /// The most memory that any of them took, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.lives().iter().map(|life| life.peak_kib).max().unwrap_or(0) / 1024
    }

    /// What every living process tells of itself.
    pub(crate) fn statuses(&self) -> Vec<String> {
        let addresses: Vec<_> = self.lives().iter().filter(|life| !life.ended).filter_map(|life| life.address).collect();
        let pages = addresses.into_iter().filter_map(|address| page_at(address, "/status", Duration::from_secs(1)));
        pages.map(|(_, page)| page).collect()
    }

    /// How many were ever started.
    pub(crate) fn started(&self) -> usize {
        self.lives().len()
    }

    /// What they counted of their own mending, by metric and label.
    pub(crate) fn recycles(&self) -> BTreeMap<String, u64> {
        self.counted().of("leadstream_producer_recycles_total")
    }

    /// Changed rules that they took or refused.
    pub(crate) fn reloads(&self) -> BTreeMap<String, u64> {
        self.counted().of("leadstream_ruleset_reloads_total")
    }

    /// Waits until all that are always there are ready.
    pub(crate) fn wait_ready(&self) {
        for process in &self.processes {
            let process = process.lock().expect("not poisoned");
            wait_until("a process of the storm is ready", Duration::from_mins(2), || process.service.is_ready());
        }
    }

    /// What every process wrote, into files of this folder.
    pub(crate) fn keep_lines(&self, folder: &std::path::Path) {
        fs::create_dir_all(folder).expect("a folder");
        for (number, life) in self.lives().iter().enumerate() {
            let lines = life.lines.lock().expect("not poisoned");
            fs::write(folder.join(format!("process-{number}.log")), lines.as_bytes()).expect("written");
        }
    }

    /// Ends all in good order.
    pub(crate) fn dock(&self) {
        for process in &self.processes {
            self.stop(&mut process.lock().expect("not poisoned"));
        }
    }
}

/// The most memory that a process has had, in KiB.
fn memory_peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
