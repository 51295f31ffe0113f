//! Where outputs go: a topic whose partitions are known, with the outputs that wait for each. They are placed as the client
//! would place them, but here, so that each partition's records are handed over together (ADR 27). What cannot be placed here
//! goes one by one, and the client places it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    error::RDKafkaErrorCode as Code,
    producer::{BaseProducer, Producer as _},
};

use crate::{
    lead::key_hash,
    pipeline::{OutputBuffer, OutputTopic},
};

use super::{
    super::{
        OutputNames,
        native::{Handed, TopicHandle},
    },
    Reports,
};

/// Partitions are counted again after so long: as often as the client itself does.
const COUNTED: Duration = Duration::from_secs(10);
/// How long the broker may take to tell them; where it takes longer, it will take longer for the outputs too.
const ANSWER: Duration = Duration::from_secs(1);

/// How the outputs for each topic of a buffer go: by partition, at this place among the destinations, or one by one.
pub(super) type Ways = [Option<usize>; OutputTopic::COUNT];

/// All topics that were written to by partition.
pub(super) struct Destinations {
    /// Whether keys are placed by `key_hash`: a person may have chosen another partitioner.
    by_key_hash: bool,
    known: Vec<Destination>,
}

struct Destination {
    name: String,
    topic: TopicHandle<Reports>,
    /// 0: not known.
    partitions: u32,
    counted: Option<Instant>,
    /// Outputs of the buffer at hand, by partition.
    waiting: Vec<Vec<usize>>,
}

impl Destinations {
    pub(super) fn new(config: &ClientConfig) -> Self {
        let by_key_hash = config.get("partitioner").is_some_and(|name| name.starts_with("murmur2"));
        Self { by_key_hash, known: Vec::new() }
    }

    /// From now on every topic is counted anew before it is written to: something was wrong with one of them.
    pub(super) fn forget(&mut self) {
        for destination in &mut self.known {
            (destination.partitions, destination.counted) = (0, None);
        }
    }

    /// How this buffer's outputs go. Those of a topic go by partition only if all do, since what the client places itself must
    /// not overtake what is placed here: one without a key, or with headers, for which the call has no room. A broker is asked for
    /// partitions that are not known only where that may take a moment: not while a transaction is open.
    pub(super) fn ways(&mut self, client: &Arc<BaseProducer<Reports>>, out: &OutputBuffer, topics: &OutputNames, may_ask: bool) -> Ways {
        let (mut used, mut alone) = ([false; OutputTopic::COUNT], [!self.by_key_hash; OutputTopic::COUNT]);
        for output in out.iter() {
            let topic = output.topic as usize;
            used[topic] = true;
            alone[topic] |= output.key.is_none() || !output.headers.is_empty();
        }
        std::array::from_fn(|topic| if used[topic] && !alone[topic] { self.known(client, &topics[topic], may_ask) } else { None })
    }

    /// Its place, once its partitions are known.
    fn known(&mut self, client: &Arc<BaseProducer<Reports>>, name: &str, may_ask: bool) -> Option<usize> {
        let place = self.known.iter().position(|known| known.name == name).unwrap_or(self.known.len());
        if place == self.known.len() {
            let topic = TopicHandle::open(client, name)?;
            self.known.push(Destination { name: name.to_owned(), topic, partitions: 0, counted: None, waiting: Vec::new() });
        }
        let destination = self.known.get_mut(place)?;
        if may_ask && destination.counted.is_none_or(|counted| counted.elapsed() > COUNTED) {
            destination.partitions = count(client, name);
            // Where nobody tells, it is not asked before each transaction.
            destination.counted = Some(Instant::now());
            destination.waiting.resize_with(destination.partitions as usize, Vec::new);
        }
        (destination.partitions > 0).then_some(place)
    }

    /// Lets an output wait for the others of its partition. `false`: it does not wait anywhere, and has to go by itself.
    pub(super) fn wait(&mut self, place: usize, output: usize, key: &[u8]) -> bool {
        let Some(destination) = self.known.get_mut(place) else { return false };
        let partition = key_hash(key) % destination.partitions.max(1);
        let waiting = destination.waiting.get_mut(partition as usize);
        waiting.map(|waiting| waiting.push(output)).is_some()
    }

    /// Hands the next outputs over that wait at `place`, of one partition: how many were taken, and which was not, and why.
    /// Nothing taken and nothing refused: none waits there.
    pub(super) fn hand_over(&mut self, place: usize, out: &OutputBuffer, first: usize) -> (usize, Option<(usize, Code)>) {
        let Some(destination) = self.known.get_mut(place) else { return (0, None) };
        let Destination { topic, waiting, .. } = destination;
        let Some((partition, outputs)) = waiting.iter_mut().enumerate().find(|(_, waiting)| !waiting.is_empty()) else { return (0, None) };
        let handed =
            |index: &usize| out.get(*index).map(|output| Handed { output: first + index, key: output.key, value: out.value_at(*index) });
        let partition = i32::try_from(partition).unwrap_or(i32::MAX);
        let (taken, refused) = topic.produce(partition, out.arena(), &mut outputs.iter().filter_map(handed));
        outputs.drain(..taken);
        (taken, refused)
    }

    /// Drops what waits: its transaction is lost.
    pub(super) fn clear(&mut self) {
        for waiting in self.known.iter_mut().flat_map(|known| &mut known.waiting) {
            waiting.clear();
        }
    }
}

/// How many partitions a topic has; 0: nobody tells.
fn count(client: &BaseProducer<Reports>, name: &str) -> u32 {
    let Ok(metadata) = client.client().fetch_metadata(Some(name), ANSWER) else { return 0 };
    let found = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
    found.and_then(|topic| u32::try_from(topic.partitions().len()).ok()).unwrap_or(0)
}
