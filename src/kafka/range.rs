//! A range of the input topics whose end is fixed when it is looked up, read outside any group: no offset is committed, and nobody
//! notices. What the records mean is not known here.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    ops::Range,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    topic_partition_list::Offset,
};

use super::{
    Unavailable, properties,
    quiet::{self, Quiet},
    record,
};
use crate::{
    config::KafkaConfig,
    io::{Batch, Bound},
    lead::Partition,
};

/// What a range has in one partition: the offsets from `from` on, and before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where.
    pub partition: Partition,
    /// First offset.
    pub from: i64,
    /// The offset after the last.
    pub to: i64,
    /// What the broker held when it was looked up.
    pub held: Range<i64>,
}

impl Span {
    /// Whether records of a range that was asked for from then on may have been deleted before it was looked up: where it is asked for
    /// by a time, the first record there is does not tell what was before it. That a partition is empty, neither: there nothing is
    /// missed. Who asks for the earliest gets what he asked for.
    #[must_use]
    pub fn may_lack_its_start(&self, from: Bound) -> bool {
        matches!(from, Bound::At(_)) && self.held.start > 0 && !self.held.is_empty() && self.from == self.held.start
    }
}

/// One call on the broker.
pub(super) const CALL: Duration = Duration::from_secs(10);
/// So long nothing may come while something is there to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks the range up in every partition of the topics; its end stays what it is now, whatever is written later.
///
/// # Errors
/// The broker does not answer, or a topic is not there.
pub fn spans(kafka: &KafkaConfig, topics: &[String], from: Bound, to: Bound) -> Result<Vec<Span>, Unavailable> {
    let consumer = client(kafka)?;
    let mut found = Vec::new();
    for topic in topics {
        let failed = |error: KafkaError| quiet::failed(&consumer, &format!("looking up the range in {topic}: {error}"));
        let numbers = partitions(&consumer, topic)?;
        let ends = held(&consumer, topic, &numbers)?;
        let offsets = |bound: Bound| -> Result<BTreeMap<i32, i64>, Unavailable> {
            let whole = ends.iter().map(|(number, held)| match bound {
                Bound::Earliest => (*number, held.start),
                Bound::Latest | Bound::At(_) => (*number, held.end),
            });
            let mut offsets: BTreeMap<i32, i64> = whole.collect();
            if let Bound::At(time) = bound {
                let mut list = TopicPartitionList::new();
                for number in &numbers {
                    list.add_partition_offset(topic, *number, Offset::Offset(time.micros().div_euclid(1000))).map_err(failed)?;
                }
                let looked_up = once_led(|| {
                    let found = consumer.offsets_for_times(list.clone(), CALL)?;
                    found.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)?;
                    Ok(found)
                });
                for element in looked_up.map_err(failed)?.elements() {
                    // After the last record's time there is no offset: the end stands.
                    if let Offset::Offset(offset) = element.offset() {
                        offsets.insert(element.partition(), offset);
                    }
                }
            }
            Ok(offsets)
        };
        let (starts, stops) = (offsets(from)?, offsets(to)?);
        let name: Arc<str> = topic.as_str().into();
        found.extend(numbers.iter().filter_map(|number| {
            let partition = Partition { topic: Arc::clone(&name), number: *number };
            let (from, to) = (*starts.get(number)?, *stops.get(number)?);
            Some(Span { partition, from, to: to.max(from), held: ends.get(number)?.clone() })
        }));
    }
    Ok(found)
}

/// The same from an offset on in each of these partitions, up to and without another, or up to what is there now.
///
/// # Errors
/// The broker does not answer, or a topic is not there.
pub fn spans_from(kafka: &KafkaConfig, wanted: &[(Partition, i64, Option<i64>)]) -> Result<Vec<Span>, Unavailable> {
    let consumer = client(kafka)?;
    let mut known: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    let mut found = Vec::with_capacity(wanted.len());
    for (partition, from, to) in wanted {
        let numbers = match known.entry(&partition.topic) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(partitions(&consumer, &partition.topic)?),
        };
        if !numbers.contains(&partition.number) {
            return Err(Unavailable(format!("there is no partition {partition}")));
        }
        let ends = held(&consumer, &partition.topic, &[partition.number])?;
        let held = ends.get(&partition.number).cloned().unwrap_or_default();
        found.push(Span { partition: partition.clone(), from: *from, to: to.unwrap_or(held.end), held });
    }
    Ok(found)
}

/// Where each partition of the topics ends, transactions that are still open and all.
///
/// # Errors
/// The broker does not answer, or a topic is not there.
pub fn written_ends(kafka: &KafkaConfig, topics: &[String]) -> Result<Vec<(Partition, i64)>, Unavailable> {
    let created = properties::observer(kafka).set("isolation.level", "read_uncommitted").create_with_context(Quiet::default());
    let consumer: BaseConsumer<Quiet> = created.map_err(|error| Unavailable(format!("making a client for {}: {error}", kafka.brokers)))?;
    let mut found = Vec::new();
    for topic in topics {
        let name: Arc<str> = topic.as_str().into();
        for (number, held) in held(&consumer, topic, &partitions(&consumer, topic)?)? {
            found.push((Partition { topic: Arc::clone(&name), number }, held.end));
        }
    }
    Ok(found)
}

/// A partition that was just made, or whose broker went, has a leader after a moment.
const LED_WITHIN: Duration = Duration::from_secs(10);

/// Asks again while partitions have no leader, or another than the client knows, or a group has no coordinator.
pub(super) fn once_led<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    let started = Instant::now();
    loop {
        match ask() {
            Err(error) if moves(&error) && started.elapsed() < LED_WITHIN => thread::sleep(Duration::from_millis(100)),
            answer => return answer,
        }
    }
}

fn moves(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition, UnknownTopicOrPartition};
    let moves = |code| matches!(code, LeaderNotAvailable | NotLeaderForPartition | UnknownTopicOrPartition) || coordinator_moves(code);
    error.rdkafka_error_code().is_some_and(moves)
}

/// Whether a group's coordinator has just come or gone: another answers a moment later.
pub(super) fn coordinator_moves(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
    matches!(code, NotCoordinator | CoordinatorNotAvailable | CoordinatorLoadInProgress)
}

/// The numbers of a topic's partitions.
pub(super) fn partitions(consumer: &BaseConsumer<Quiet>, topic: &str) -> Result<Vec<i32>, Unavailable> {
    let failed = |error: KafkaError| quiet::failed(consumer, &format!("asking for the partitions of {topic}: {error}"));
    let metadata = consumer.fetch_metadata(Some(topic), CALL).map_err(failed)?;
    let numbers: Vec<i32> = metadata
        .topics()
        .iter()
        .flat_map(rdkafka::metadata::MetadataTopic::partitions)
        .map(rdkafka::metadata::MetadataPartition::id)
        .collect();
    if numbers.is_empty() {
        return Err(Unavailable(format!("there is no topic {topic}: check [topics] in the configuration")));
    }
    Ok(numbers)
}

/// The offsets that can be read of each of these partitions now.
fn held(consumer: &BaseConsumer<Quiet>, topic: &str, numbers: &[i32]) -> Result<BTreeMap<i32, Range<i64>>, Unavailable> {
    let failed = |error: KafkaError| quiet::failed(consumer, &format!("looking up the range in {topic}: {error}"));
    let mut held = BTreeMap::new();
    for number in numbers {
        let (low, high) = once_led(|| consumer.fetch_watermarks(topic, *number, CALL)).map_err(failed)?;
        held.insert(*number, low..high);
    }
    Ok(held)
}

/// Hands on all records of the spans, in batches of about so many bytes; those of one partition in their order. `take` tells whether
/// anybody still listens.
///
/// # Errors
/// The broker does not answer for half a minute, or records were deleted while the range was read.
pub fn read_range(kafka: &KafkaConfig, spans: &[Span], bytes: usize, take: &mut dyn FnMut(Batch) -> bool) -> Result<(), Unavailable> {
    // Topic by topic: the end of a partition is told by its number alone.
    let topics: BTreeSet<&Arc<str>> = spans.iter().map(|span| &span.partition.topic).collect();
    for topic in topics {
        let of_topic = spans.iter().filter(|span| span.partition.topic == *topic && span.from < span.to);
        let mut waiting: BTreeMap<i32, &Span> = of_topic.map(|span| (span.partition.number, span)).collect();
        if !read_topic(kafka, topic, &mut waiting, bytes, take)? {
            break;
        }
    }
    Ok(())
}

/// Reads until nothing is waited for any more; `false` when nobody listens.
fn read_topic(
    kafka: &KafkaConfig,
    topic: &str,
    waiting: &mut BTreeMap<i32, &Span>,
    bytes: usize,
    take: &mut dyn FnMut(Batch) -> bool,
) -> Result<bool, Unavailable> {
    let consumer = client(kafka)?;
    let failed = |error: KafkaError| quiet::failed(&consumer, &format!("reading {topic} from {}: {error}", kafka.brokers));
    let mut list = TopicPartitionList::new();
    for (number, span) in &*waiting {
        list.add_partition_offset(topic, *number, Offset::Offset(span.from)).map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    let mut batch = Batch::default();
    let mut heard = Instant::now();
    while !waiting.is_empty() {
        let done = match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let number = message.partition();
                match waiting.get(&number) {
                    Some(span) if message.offset() < span.to => {
                        record::push(&mut batch, span.partition.clone(), &message);
                        (message.offset() + 1 >= span.to).then_some(number)
                    }
                    _ => Some(number),
                }
            }
            // What is left before the end are markers of transactions, or records that were taken back.
            Some(Err(KafkaError::PartitionEOF(number))) => Some(number),
            Some(Err(KafkaError::MessageConsumption(code @ (RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset)))) => {
                let gone = "records of the range are gone: the topic's retention has deleted them; begin later";
                return Err(Unavailable(format!("reading {topic}: {code}: {gone}")));
            }
            Some(Err(error @ KafkaError::MessageConsumption(_))) => return Err(failed(error)),
            Some(Err(_)) | None if heard.elapsed() < PATIENCE => continue,
            Some(Err(error)) => return Err(failed(error)),
            None => return Err(quiet::failed(&consumer, &format!("reading {topic} from {}: no record within 30 s", kafka.brokers))),
        };
        heard = Instant::now();
        if let Some(number) = done.filter(|number| waiting.remove(number).is_some()) {
            let mut rest = TopicPartitionList::new();
            rest.add_partition(topic, number);
            consumer.pause(&rest).map_err(failed)?;
        }
        if batch.bytes() >= bytes && !take(std::mem::take(&mut batch)) {
            return Ok(false);
        }
    }
    Ok(batch.is_empty() || take(batch))
}

fn client(kafka: &KafkaConfig) -> Result<BaseConsumer<Quiet>, Unavailable> {
    // At the end of a partition the broker answers only after this, in milliseconds, and every range comes to an end.
    let mut config = properties::observer(kafka);
    // Several ranges may be read at once; this is more than is handed on at a time.
    config.set("fetch.wait.max.ms", "20").set("queued.max.messages.kbytes", "16384");
    // By itself a client whose queue is full takes a second before it asks for more.
    config.set("fetch.queue.backoff.ms", "5");
    let created = config.create_with_context(Quiet::default());
    created.map_err(|error| Unavailable(format!("making a client for {}: {error}", kafka.brokers)))
}
