//! After the storm: reads all outputs as any subscriber would (`read_committed`), lets `leadstream process` decide the same
//! records from files, and shows both to the oracle.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
};

use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers as _},
};

use super::{
    clients,
    obligations::{self, Obligations},
    oracle::{Findings, Oracle, Sum, dead_letter},
    ruleset::ChangingRules,
    service::Scene,
};

/// What is wrong with the outputs of this scene.
pub(crate) fn findings(scene: &Scene, load: &Obligations, rules: &ChangingRules, timestamp: i64, avro: bool) -> Findings {
    rules.settle();
    let written = load.written();
    let mut oracle = Oracle::new(written.clone(), obligations::fate);
    for (number, topic) in scene.outputs().into_iter().enumerate() {
        clients::each_committed(&scene.brokers, topic, |record| {
            let place = (number, record.partition());
            if topic == scene.dead_letter {
                let header = |name| header(record, name);
                let at = (header("dlq-partition").parse().unwrap_or(-1), header("dlq-offset").parse().unwrap_or(-1));
                let original = oracle.number(at);
                let same =
                    |number| record.payload() == Some(&obligations::value(number)) && record.key() == Some(&obligations::key(number));
                oracle.see(place, at, &dead_letter(&header("dlq-code")), record.key(), None);
                if header("dlq-topic") != scene.raw || !original.is_some_and(same) {
                    oracle.altered(at, "the dead letter is not the original");
                }
            } else {
                let value = record.payload().unwrap_or_default();
                let (at, name) = event_of(value, &scene.raw).unwrap_or(((-1, -1), "no event of this input".to_owned()));
                let by_the_first = rules.as_by_the_first(value);
                if by_the_first.is_none() && !avro {
                    oracle.altered(at, "the event is by rules that were never in use");
                }
                oracle.see(place, at, &name, record.key(), by_the_first.as_deref().filter(|_| !avro));
            }
        });
    }
    // `process` writes JSON.
    for (partition, numbers) in written.iter().enumerate().filter(|_| !avro) {
        if !numbers.is_empty() {
            oracle.compare(partition, &processed(scene, rules, partition, numbers, timestamp));
        }
    }
    oracle.judge()
}

/// What the program itself finds, of the topics and of its ledger.
pub(crate) fn unverified(scene: &Scene) -> Vec<String> {
    let direct = format!("kafka.brokers={}", scene.brokers);
    let ways = [&["verify", "--set", &direct][..], &["verify", "--against-ledger", "--set", &direct]];
    let told = ways.into_iter().map(|way| scene.call(way)).filter(|output| !output.status.success());
    told.map(|output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()).collect()
}

/// Where the outputs of these positions stand, in which order, and since when: with the brokers' data, who wrote them can be found.
pub(crate) fn places(scene: &Scene, positions: &[(i32, i64)]) -> Vec<String> {
    let mut places = Vec::new();
    for topic in scene.outputs() {
        clients::each_committed(&scene.brokers, topic, |record| {
            let number = |name: &str| header(record, name).parse().ok();
            let at = if topic == scene.dead_letter {
                number("dlq-partition")
                    .zip(number("dlq-offset"))
                    .map(|(partition, offset)| (i32::try_from(partition).unwrap_or(-1), offset))
            } else {
                event_of(record.payload().unwrap_or_default(), &scene.raw).map(|(at, _)| at)
            };
            if let Some(at) = at.filter(|at| positions.contains(at)) {
                let written = record.timestamp().to_millis().unwrap_or(-1);
                places.push(format!("{at:?} at {topic}/{} offset {}, written {written}", record.partition(), record.offset()));
            }
        });
    }
    places
}

/// A header of a dead letter.
fn header(record: &BorrowedMessage<'_>, name: &str) -> String {
    let found = record.headers().and_then(|headers| headers.iter().find(|header| header.key == name)?.value);
    std::str::from_utf8(found.unwrap_or_default()).expect("text").to_owned()
}

/// Where an event's record stood in the input, and the rest of its id.
fn event_of(value: &[u8], topic: &str) -> Option<((i32, i64), String)> {
    let id = id_of(value)?;
    let mut parts = std::str::from_utf8(id).ok()?.strip_prefix(topic)?.strip_prefix('/')?.splitn(3, '/');
    let at = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((at, parts.next()?.to_owned()))
}

/// The event's id, its first field: in JSON, or in Avro behind the registry's frame of five bytes.
fn id_of(value: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = value.strip_prefix(b"{\"event_id\":\"") {
        return rest.split(|byte| *byte == b'"').next();
    }
    let rest = value.strip_prefix(&[0])?.get(4..)?;
    // Avro's length: seven bits a byte, the lowest first, and doubled; an id has one or two such bytes.
    let (length, at) = match *rest.first()? {
        low @ 0..0x80 => (usize::from(low) / 2, 1),
        low => ((usize::from(low & 0x7f) | usize::from(*rest.get(1)?) << 7) / 2, 2),
    };
    rest.get(at..at + length)
}

/// The events that `leadstream process` makes of the same records, by offset.
fn processed(scene: &Scene, rules: &ChangingRules, partition: usize, numbers: &[u32], timestamp: i64) -> HashMap<i64, Sum> {
    let folder = scene.path(&format!("partition-{partition}"));
    fs::create_dir_all(&folder).expect("a folder");
    // Named as the topic, so that only the partition's number differs.
    let input = folder.join(&scene.raw);
    let mut file = BufWriter::new(File::create(&input).expect("a file"));
    for number in numbers {
        let value = obligations::value(*number);
        file.write_all(&u32::try_from(value.len()).expect("small").to_be_bytes()).expect("written");
        file.write_all(&value).expect("written");
    }
    file.into_inner().expect("written");
    let output = folder.join("out");
    let now = jiff::Timestamp::from_millisecond(timestamp).expect("a time").to_string();
    let (input, out) = (input.to_str().expect("text"), output.to_str().expect("text"));
    let done = scene.call(&["process", input, "--framing", "length", "--now", &now, "--output", out, "--quiet", "--rules", rules.file()]);
    assert!(done.status.success(), "process: {}", String::from_utf8_lossy(&done.stderr));
    let mut sums: HashMap<i64, Sum> = HashMap::new();
    for name in ["qualified", "unqualified", "routing"] {
        let lines = BufReader::new(File::open(output.join(format!("{name}.ndjson"))).expect("process wrote it"));
        for line in lines.lines() {
            let line = line.expect("text");
            let topic = &scene.raw;
            let line = line.replacen(&format!("\"{topic}/0/"), &format!("\"{topic}/{partition}/"), 1).replacen(
                &format!("{{\"topic\":\"{topic}\",\"partition\":0,"),
                &format!("{{\"topic\":\"{topic}\",\"partition\":{partition},"),
                1,
            );
            let ((_, offset), _) = event_of(line.as_bytes(), topic).expect("an event of this input");
            sums.entry(offset).or_default().add(line.as_bytes());
        }
    }
    fs::remove_dir_all(&folder).expect("removed");
    sums
}
