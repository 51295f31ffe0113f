//! The consumers that `schemas export` writes, run on real topics: what they print is what leadstream wrote, whatever it wrote it
//! in, each event once, and nothing that was not committed.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    broker,
    clients::{self, Kept, Open, Raw},
    leads::records,
    registry,
    service::{SOON, Scene},
};

/// The consumers of the bundle.
#[derive(Clone, Copy, Debug)]
enum Language {
    Java,
    Python,
}

/// Exports the bundle and runs one of its consumers to the end of these topics.
fn consumed(language: Language, scene: &Scene, topics: &[&str], registry: Option<&str>) -> Vec<Value> {
    let bundle = scene.path("bundle");
    let exported = scene.call(&["schemas", "export", bundle.to_str().expect("UTF-8")]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let (script, consumer) = match language {
        Language::Java => ("tests/foreign/java.sh", "java/Consumer.java"),
        Language::Python => ("tests/foreign/python.sh", "python/consumer.py"),
    };
    let output = Command::new("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .arg("run")
        .arg(bundle.join(consumer))
        .args(["--brokers", &scene.brokers, "--topic", &topics.join(","), "--until-end"])
        .args(["--group", &format!("{}-{language:?}", topics[0])])
        .args(registry.into_iter().flat_map(|url| ["--registry", url]))
        .stdin(Stdio::null())
        .output()
        .expect("a shell is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Events by their ids; none twice.
fn by_id(events: Vec<Value>) -> BTreeMap<String, Value> {
    let count = events.len();
    let found: BTreeMap<_, _> = events.into_iter().map(|event| (event["event_id"].as_str().expect("an id").to_owned(), event)).collect();
    assert_eq!(found.len(), count, "an event twice");
    found
}

/// Java's `Utils.murmur2` (Apache Kafka), written anew from its description.
fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(key.len()).expect("short");
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mixed = u32::from_le_bytes(word.try_into().expect("four bytes")).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (mixed ^ (mixed >> 24)).wrapping_mul(M);
    }
    if !words.remainder().is_empty() {
        let rest = words.remainder().iter().rev().fold(0, |rest, byte| (rest << 8) | u32::from(*byte));
        hash = (hash ^ rest).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[test]
fn events_lie_in_the_partition_where_a_java_producer_puts_their_key() {
    // Of Kafka's own tests (`UtilsTest.testMurmur2`).
    let known = [("21", -973_932_308_i32), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536)];
    assert!(known.iter().all(|(key, hash)| murmur2(key.as_bytes()) == hash.cast_unsigned()));
    let scene = Scene::with_topics("partitioner", broker::shared(), 2);
    scene.write(&records(0..40, 2, 1_793_523_600_000));
    decide(&scene, &[]);
    let events: Vec<_> = [&scene.qualified, &scene.unqualified, &scene.routing].iter().flat_map(|topic| scene.read(topic)).collect();
    for event in &events {
        let key = event.key.as_deref().expect("events have keys");
        assert_eq!(event.partition.cast_unsigned(), (murmur2(key) & 0x7fff_ffff) % 3, "{}", String::from_utf8_lossy(key));
    }
    assert!((0..3).all(|partition| events.iter().any(|event| event.partition == partition)), "all in one partition prove nothing");
}

/// Decides all there is, under a group of its own.
fn decide(scene: &Scene, more: &[&str]) {
    let mut service = scene.run(&[&["--once"], more].concat());
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
}

#[test]
fn the_exported_consumers_print_each_committed_event_once_in_json_and_in_avro() {
    let scene = Scene::with_topics("subscribers", broker::shared(), 2);
    scene.write(&records(0..40, 2, 1_793_523_600_000));
    decide(&scene, &[]);
    let written = |topic: &str| by_id(scene.read(topic).iter().map(Kept::json).collect());
    let mut expected = written(&scene.qualified);
    expected.extend(written(&scene.unqualified));
    expected.extend(written(&scene.routing));
    assert!(expected.len() > 60, "{}", expected.len());
    // An event again, as a service that is not read with read_committed might see it; and one that is not committed.
    let again = scene.read(&scene.qualified).swap_remove(0).value;
    clients::write(&scene.brokers, &scene.qualified, &[Raw { value: again, ..Raw::default() }]);
    let uncommitted = Raw { value: Some(br#"{"event_id":"not yet"}"#.to_vec()), ..Raw::default() };
    let open = Open::write(&scene.brokers, &scene.qualified, &[uncommitted]);
    let topics = [scene.qualified.as_str(), &scene.unqualified, &scene.routing];
    for language in [Language::Java, Language::Python] {
        assert_eq!(by_id(consumed(language, &scene, &topics, None)), expected, "{language:?}");
    }
    drop(open);

    // The same leads as Avro, to topics of their own: the same lines, with and without a registry.
    for registry in [None, Some(registry::shared().url())] {
        let avro = Scene::with_topics("subscribers-avro", broker::shared(), 1);
        as_avro(&scene, &avro, registry.as_deref());
        let first = avro.read(&avro.qualified).swap_remove(0).value.expect("a value");
        assert_eq!(first[..2], if registry.is_some() { [0, 0] } else { [0xC3, 1] });
        let topics = [avro.qualified.as_str(), &avro.unqualified, &avro.routing];
        for language in [Language::Java, Language::Python] {
            assert_eq!(by_id(consumed(language, &avro, &topics, registry.as_deref())), expected, "{language:?}");
        }
    }
}

/// Decides the leads of one scene into the topics of another, as Avro.
fn as_avro(scene: &Scene, avro: &Scene, registry: Option<&str>) {
    let config = fs::read_to_string(scene.config_file()).expect("text");
    let config = config.replace(&scene.qualified, &avro.qualified).replace(&scene.unqualified, &avro.unqualified);
    let config = config.replace(&scene.routing, &avro.routing).replace(&scene.dead_letter, &avro.dead_letter);
    let config = config.replace(&format!("group = \"{}\"", scene.group), &format!("group = \"{}\"", avro.group));
    let registry = registry.map(|url| format!("registry = \"{url}\"\n")).unwrap_or_default();
    fs::write(avro.config_file(), config + "[encoding]\nformat = \"avro\"\n" + &registry).expect("written");
    decide(avro, &[]);
}
