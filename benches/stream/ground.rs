//! What a run stands on: the broker, the topic of raw leads that all read, and for each run a stage of its own with outputs,
//! a group and a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::{
    Options,
    broker::Broker,
    clients,
    contender::{Contender, Peers},
    corpus::Corpus,
    process::{self, Running},
    template::{Template, now},
};

/// The longest a record waits for its commit, everywhere.
pub(crate) const COMMIT_MS: u64 = 100;
/// The topic of raw leads.
const RAW: &str = "bench.raw";

/// What stays through all rounds.
pub(crate) struct Ground {
    pub(crate) options: Options,
    pub(crate) corpus: Corpus,
    pub(crate) template: Template,
    peers: Peers,
    broker: Broker,
    broker_id: u32,
    folder: tempfile::TempDir,
}

impl Ground {
    /// A broker with the leads on it.
    pub(crate) fn raised(options: &Options, peers: Peers) -> Self {
        let corpus = Corpus { fresh_phones: options.fresh_phones };
        let broker = Broker::started();
        let (guardian, _) = broker.traces();
        let of_broker = process::children(guardian);
        let &[broker_id] = of_broker.as_slice() else { panic!("one broker below its guardian, not {of_broker:?}") };
        let folder = tempfile::Builder::new().prefix("leadstream-bench-").tempdir().expect("a temporary folder");
        let template = Template::made(corpus, RAW, options.partitions, options.leads);
        template.write(&folder.path().join("template"));
        let ground = Self { options: options.clone(), corpus, template, peers, broker, broker_id, folder };
        let started = Instant::now();
        ground.fill(RAW, options.partitions, options.leads);
        eprintln!("{} leads written in {:.1} s", options.leads, started.elapsed().as_secs_f64());
        ground
    }

    /// Where the broker is.
    pub(crate) fn brokers(&self) -> &str {
        self.broker.address()
    }

    /// CPU-seconds the broker has used.
    pub(crate) fn broker_cpu(&self) -> f64 {
        process::cpu(self.broker_id)
    }

    /// A topic with so many leads, over its partitions in turn.
    pub(crate) fn fill(&self, topic: &str, partitions: i32, leads: u64) {
        clients::create_topics(self.brokers(), &[(topic, partitions, &[])]);
        let producer = writer(self.brokers(), "20");
        let (mut key, mut value, begun) = (String::new(), String::new(), now().millis());
        for number in 0..leads {
            Corpus::key(number, &mut key);
            self.corpus.lead(number, &mut value);
            let partition = i32::try_from(number % u64::from(partitions.unsigned_abs())).expect("small");
            // As if a hundred came each millisecond.
            let at = begun + i64::try_from(number / 100).expect("small");
            let record = BaseRecord::to(topic).partition(partition).key(&key).payload(&value).timestamp(at);
            send(&producer, record);
        }
        producer.flush(Duration::from_mins(2)).expect("the broker takes them");
    }

    /// A stage on the topic that all read.
    pub(crate) fn stage(&self) -> Stage {
        self.stage_on(RAW)
    }

    /// A stage that reads `raw`.
    pub(crate) fn stage_on(&self, raw: &str) -> Stage {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.path().join(&name);
        fs::create_dir(&folder).expect("a new folder");
        let stage = Stage {
            brokers: self.brokers().to_owned(),
            raw: raw.to_owned(),
            template: self.folder.path().join("template"),
            lanes: self.options.lanes,
            tables: None,
            name,
            folder,
        };
        let names = stage.outputs().map(|(_, name)| name);
        let more = [stage.topic("dead_letter"), stage.topic("ledger")];
        let partitions = self.options.partitions;
        let topics: Vec<clients::Topic<'_>> = names.iter().chain(&more).map(|name| (name.as_str(), partitions, &[][..])).collect();
        clients::create_topics(self.brokers(), &topics);
        stage
    }

    /// Starts a contender there.
    pub(crate) fn start(&self, contender: Contender, stage: &Stage) -> Running {
        let log = stage.folder().join(format!("{}.log", contender.name()));
        Running::start(contender.name(), &contender.command(stage, &self.peers), &log)
    }

    /// Takes the stage's topics away: the disk is not the broker's alone.
    pub(crate) fn clear(&self, stage: &Stage) {
        for (_, name) in stage.outputs() {
            clients::delete_topic(self.brokers(), &name);
        }
    }
}

/// What one run has to itself.
pub(crate) struct Stage {
    brokers: String,
    pub(crate) raw: String,
    template: PathBuf,
    lanes: usize,
    /// A folder of tables, for leadstream.
    pub(crate) tables: Option<PathBuf>,
    name: String,
    folder: PathBuf,
}

impl Stage {
    /// Its group.
    pub(crate) fn group(&self) -> &str {
        &self.name
    }

    /// Where its files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of an output topic.
    fn topic(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    /// The output topics that count: their kinds and names, in leadstream's order.
    pub(crate) fn outputs(&self) -> [(&'static str, String); 3] {
        ["qualified", "unqualified", "routing"].map(|kind| (kind, self.topic(kind)))
    }

    /// What every contender is told.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut told = vec![
            ("BROKERS", self.brokers.clone()),
            ("GROUP", self.name.clone()),
            ("RAW", self.raw.clone()),
            ("COMMIT_MS", COMMIT_MS.to_string()),
            ("LANES", self.lanes.to_string()),
            ("FOLDER", self.folder.display().to_string()),
            ("TEMPLATE", self.template.display().to_string()),
        ];
        told.extend([
            ("QUALIFIED", self.topic("qualified")),
            ("UNQUALIFIED", self.topic("unqualified")),
            ("ROUTING", self.topic("routing")),
        ]);
        told.into_iter().map(|(name, value)| (format!("BENCH_{name}"), value)).collect()
    }

    /// leadstream's configuration: what it has by default but for names, delivery, and the number of lanes.
    pub(crate) fn configured(&self, delivery: &str) -> PathBuf {
        let Self { brokers, raw, name, lanes, .. } = self;
        let topic = |kind: &str| format!("{kind} = \"{}\"\n", self.topic(kind));
        let topics: String = ["qualified", "unqualified", "routing", "dead_letter", "ledger"].into_iter().map(topic).collect();
        let tables = self.tables.as_ref().map_or_else(String::new, |folder| format!("[tables]\ndir = \"{}\"\n", folder.display()));
        let text = format!(
            "[kafka]\nbrokers = \"{brokers}\"\ngroup = \"{name}\"\n[topics]\nraw = [\"{raw}\"]\n{topics}[run]\nlanes = {lanes}\n\
             delivery = \"{delivery}\"\n[http]\nlisten = \"127.0.0.1:0\"\n{tables}"
        );
        let file = self.folder.join("leadstream.toml");
        fs::write(&file, text).expect("written");
        file
    }
}

/// A producer of raw leads.
pub(crate) fn writer(brokers: &str, linger: &str) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("compression.type", "lz4").set("linger.ms", linger).set("batch.size", "262144");
    config.create().expect("good settings")
}

/// Sends a record, and waits while the queue is full.
pub(crate) fn send(producer: &BaseProducer, record: BaseRecord<'_, String, String>) {
    let mut record = record;
    while let Err((error, again)) = producer.send(record) {
        assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
        producer.poll(Duration::from_millis(1));
        record = again;
    }
    producer.poll(Duration::ZERO);
}
