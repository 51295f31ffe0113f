//! The brokers of a storm, one or three, each with a proxy before it: the program comes by the proxies, the storm itself goes
//! past them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, TryLockError},
    time::Duration,
};

use super::{
    broker::{self, Broker, Settings},
    clients,
    proxy::{Api, Proxy},
    waiting::wait_until,
};

/// Three nodes on a busy machine take their time.
const START: Duration = Duration::from_mins(2);

/// The cluster.
pub(crate) struct Ground {
    proxies: Vec<Proxy>,
    /// One of them is away at a time, or what is promised of a majority is not.
    nodes: Mutex<Vec<Broker>>,
    addresses: Vec<String>,
}

impl Ground {
    /// A cluster of so many nodes that runs.
    pub(crate) fn raised(nodes: usize) -> Self {
        let proxies: Vec<_> = (0..nodes).map(|_| Proxy::bind()).collect();
        let mut voters = Vec::new();
        let brokers: Vec<_> = proxies
            .iter()
            .enumerate()
            .map(|(node, proxy)| {
                Broker::with(|ports| {
                    voters.push(format!("{}@127.0.0.1:{}", node + 1, ports.controller));
                    Settings { properties: proxy.listeners(ports), ..Settings::default() }
                })
            })
            .collect();
        let majority = nodes.div_ceil(2);
        for (node, broker) in brokers.iter().enumerate() {
            broker.also(&format!(
                "node.id={}\ncontroller.quorum.voters={}\ndefault.replication.factor={nodes}\nmin.insync.replicas={majority}\n\
                 offsets.topic.replication.factor={nodes}\ntransaction.state.log.replication.factor={nodes}\n\
                 transaction.state.log.min.isr={majority}\n",
                node + 1,
                voters.join(","),
            ));
        }
        let addresses = brokers.iter().map(|broker| broker.address().to_owned()).collect();
        let ground = Self { proxies, nodes: Mutex::new(brokers), addresses };
        ground.nodes().iter_mut().for_each(Broker::begin);
        wait_until("all nodes answer", START, || ground.addresses.iter().all(|address| clients::answers(address)));
        ground
    }

    fn nodes(&self) -> MutexGuard<'_, Vec<Broker>> {
        self.nodes.lock().expect("not poisoned")
    }

    /// The nodes, for who is going to harm one; none while another does.
    pub(crate) fn take(&self) -> Option<MutexGuard<'_, Vec<Broker>>> {
        match self.nodes.try_lock() {
            Ok(nodes) => Some(nodes),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => panic!("a fault failed"),
        }
    }

    /// Where the storm itself goes.
    pub(crate) fn direct(&self) -> String {
        self.addresses.join(",")
    }

    /// Where the program goes.
    pub(crate) fn proxied(&self) -> String {
        self.proxies.iter().map(Proxy::address).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// The transactions that hang: open in a partition, though their coordinator has ended them or knows nothing of them. No
    /// broker should forget one, and no client can end it.
    pub(crate) fn hanging(&self) -> Vec<String> {
        let lines = broker::java("tests/storm/Transactions.java", &[&self.direct()]);
        lines.expect("the brokers tell of their transactions").lines().map(str::to_owned).collect()
    }

    /// Copies what the nodes hold into folders of this one, for whoever looks for the cause of something.
    pub(crate) fn keep_data(&self, folder: &Path) {
        for (number, node) in self.nodes().iter().enumerate() {
            node.keep_data(&folder.join(format!("broker-{}", number + 1)));
        }
    }

    /// What the proxies did, by request and action.
    pub(crate) fn disturbed(&self) -> BTreeMap<(Api, &'static str), u64> {
        let mut done = BTreeMap::new();
        for ((api, action), count) in self.proxies.iter().flat_map(Proxy::done) {
            *done.entry((api, action)).or_default() += count;
        }
        done
    }
}
