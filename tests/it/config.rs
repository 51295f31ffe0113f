//! The configuration from outside: bytes in, typed values or the whole list of problems out.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use leadstream::{
    config::{self, CanaryConfig, Config, Delivery, From, LogFormat, OnLostPosition},
    pipeline::EventHeaders,
    problem::{Problem, Severity},
};

type Loaded = Result<(Config, Vec<Problem>), Vec<Problem>>;

fn environment(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into_iter()
}

fn load_file(file: Option<&Path>, variables: &[(&str, &str)], sets: &[&str]) -> Loaded {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    config::load(file, environment(variables), &sets)
}

/// Loads `toml` from a folder of its own as `leadstream.toml`.
fn load(toml: &str, variables: &[(&str, &str)], sets: &[&str]) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("leadstream.toml");
    fs::write(&file, toml).expect("written");
    load_file(Some(&file), variables, sets)
}

fn good(toml: &str, variables: &[(&str, &str)], sets: &[&str]) -> Config {
    let (config, _) = load(toml, variables, sets).unwrap_or_else(|problems| panic!("{}", listed(&problems)));
    config
}

fn bad(toml: &str, variables: &[(&str, &str)], sets: &[&str]) -> Vec<Problem> {
    load(toml, variables, sets).expect_err("there are problems")
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().flat_map(|problem| [problem.to_string(), "\n".to_owned()]).collect()
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().filter(|problem| problem.is_error()).map(|problem| problem.code).collect()
}

#[test]
fn each_bad_configuration_is_told_in_full() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("fixtures") {
        let file = entry.expect("an entry").path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let problems = load_file(Some(&file), &[], &[]).expect_err("a bad configuration");
        let told = listed(&problems).replace(&format!("{}/", folder.display()), "");
        let expected = fs::read_to_string(file.with_extension("problems")).unwrap_or_default();
        assert!(told == expected, "{} is told otherwise than its .problems file says:\n{told}", file.display());
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} fixtures were found");
}

#[test]
fn nothing_written_is_a_laptops_configuration_with_a_warning() {
    let (config, problems) = load_file(None, &[], &[]).expect("the defaults");
    assert_eq!(config, Config::default());
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].severity, problems[0].code), (Severity::Warning, "identity_key_unset"));
}

#[test]
fn every_key_reaches_its_field() {
    let config = good(
        r#"
        [kafka]
        brokers = "a:1, [::1]:2"
        group = "g"
        instance = "pod-0"
        [kafka.client]
        "linger.ms" = 5
        "socket.keepalive.enable" = true
        [kafka.consumer]
        "fetch.max.bytes" = "1000"
        [kafka.producer]
        "compression.codec" = "zstd"
        [topics]
        raw = ["r1", "r2"]
        qualified = "q"
        unqualified = "u"
        routing = "o"
        dead_letter = "d"
        [encoding]
        format = "json"
        headers = "cloudevents"
        register = false
        [rules]
        path = "/r.toml"
        watch = false
        shadow = ["/a", "/b"]
        shadow_share = 1
        canary = { path = "/c.toml", percent = 0.5, band = 10, after = 50 }
        [tables]
        dir = "/t"
        [identity]
        key = "k"
        [limits]
        record_bytes = 10
        depth = 3
        leads = 2
        field_bytes = 0x64
        extra_bytes = 1_000
        [run]
        lanes = 3
        memory = "1GiB"
        commit_interval = "2s"
        from = "latest"
        on_lost_position = "earliest"
        delivery = "at-least-once"
        halt_on_dead_letters = { ratio = 0.5, over_records = 100 }
        [http]
        listen = "[::]:0"
        [log]
        format = "json"
        level = "debug"
        "#,
        &[],
        &[],
    );
    let exposed = |properties: &std::collections::BTreeMap<String, config::Secret>| {
        properties.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect::<Vec<_>>()
    };
    assert_eq!((config.kafka.brokers.as_str(), config.kafka.group.as_str(), config.kafka.instance.as_str()), ("a:1,[::1]:2", "g", "pod-0"));
    assert_eq!(exposed(&config.kafka.client), ["linger.ms=5", "socket.keepalive.enable=true"]);
    assert_eq!(exposed(&config.kafka.consumer), ["fetch.max.bytes=1000"]);
    assert_eq!(exposed(&config.kafka.producer), ["compression.codec=zstd"]);
    assert_eq!(config.topics.raw, ["r1", "r2"]);
    let topics = &config.topics;
    assert_eq!([&topics.qualified, &topics.unqualified, &topics.routing, &topics.dead_letter], ["q", "u", "o", "d"]);
    assert_eq!(config.encoding.headers, EventHeaders::CloudEvents);
    assert_eq!((config.rules.path.as_deref(), config.rules.watch), (Some(Path::new("/r.toml")), false));
    let (shadow, canary) = (&config.rules.shadow, CanaryConfig { path: Some("/c.toml".into()), percent: 0.5, band: 10.0, after: 50 });
    assert_eq!((shadow.as_slice(), config.rules.shadow_share), (&["/a".into(), "/b".into()][..], 1.0));
    assert_eq!(config.rules.canary, canary);
    assert_eq!(config.tables.dir.as_deref(), Some(Path::new("/t")));
    assert_eq!(config.identity_key.as_ref().map(config::Secret::expose), Some("k"));
    let limits = &config.limits;
    assert_eq!((limits.record_bytes, limits.depth, limits.leads, limits.field_bytes, limits.extra_bytes), (10, 3, 2, 100, 1000));
    assert_eq!((config.run.lanes, config.run.commit_interval), (3, Duration::from_secs(2)));
    assert_eq!((config.run.from, config.run.delivery), (From::Latest, Delivery::AtLeastOnce));
    assert_eq!((config.run.lanes, config.run.memory), (3, 1 << 30));
    assert_eq!(config.run.on_lost_position, OnLostPosition::Earliest);
    assert!((config.run.halt_on_dead_letters.ratio - 0.5).abs() < f64::EPSILON);
    assert_eq!(config.run.halt_on_dead_letters.over_records, 100);
    assert_eq!(config.http.listen, "[::]:0".parse::<SocketAddr>().expect("an address"));
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, tracing::Level::DEBUG));
}

#[test]
fn a_flag_beats_the_environment_and_the_environment_the_file() {
    let toml = "[run]\nlanes = 3\n[topics]\nrouting = \"from-file\"\n[http]\nlisten = \"127.0.0.1:1\"\n";
    let variables = [("LEADSTREAM__RUN__LANES", "4"), ("LEADSTREAM__TOPICS__ROUTING", "from-environment")];
    let config = good(toml, &variables, &["run.lanes=5", "run.lanes=6"]);
    assert_eq!(config.run.lanes, 6, "the last flag wins");
    assert_eq!(config.topics.routing, "from-environment");
    assert_eq!(config.http.listen.port(), 1);
}

#[test]
fn the_type_of_a_key_decides_how_text_is_read() {
    let variables = [
        ("LEADSTREAM__TOPICS__RAW", "a, b,c"),
        ("LEADSTREAM__TOPICS__DEAD_LETTER", "dlq"),
        ("LEADSTREAM__RULES__WATCH", "false"),
        ("LEADSTREAM__RUN__HALT_ON_DEAD_LETTERS__OVER_RECORDS", "1_000"),
        ("LEADSTREAM__KAFKA__CLIENT__SASL_OAUTHBEARER_CLIENT_ID", "me"),
        ("LEADSTREAM__KAFKA__PRODUCER__LINGER_MS", "7"),
        ("LEADSTREAM_KEY", "not one of these"),
    ];
    let config =
        good("", &variables, &["kafka.consumer.fetch.max.bytes=1000", "kafka.client.sasl.password=a=b,c", "run.commit_interval=250ms"]);
    assert_eq!(config.topics.raw, ["a", "b", "c"]);
    assert_eq!(config.topics.dead_letter, "dlq");
    assert!(!config.rules.watch);
    assert_eq!(config.run.halt_on_dead_letters.over_records, 1000);
    assert_eq!(config.kafka.client["sasl.oauthbearer.client.id"].expose(), "me");
    assert_eq!(config.kafka.producer["linger.ms"].expose(), "7");
    assert_eq!(config.kafka.consumer["fetch.max.bytes"].expose(), "1000");
    assert_eq!(config.kafka.client["sasl.password"].expose(), "a=b,c");
    assert_eq!(config.run.commit_interval, Duration::from_millis(250));
}

#[test]
fn problems_of_variables_and_flags_name_them() {
    let problems = bad(
        "",
        &[("LEADSTREAM__RUN__LANE", "2"), ("LEADSTREAM__RUN__LANES", "many"), ("LEADSTREAM__TOPICS", "x")],
        &["run.lanes=0", "topic.raw=x", "sasl.password hunter2", "kafka.client.acks=1", "kafka.client.=1"],
    );
    let told = listed(&problems);
    let expected = r#"error: LEADSTREAM__RUN__LANE: unknown key "run.lane"
  = did you mean LEADSTREAM__RUN__LANES?
error: LEADSTREAM__RUN__LANES: run.lanes is "many"; it must be a whole number from 1 to 64
error: LEADSTREAM__TOPICS: "topics" is a section, not a key
  = name a key in it
error: --set run.lanes: run.lanes is "0"; it must be a whole number from 1 to 64
error: --set topic.raw: unknown key "topic.raw"
  = did you mean "topics.raw"?
error: --set sasl.password: there is no "="
  = write --set KEY=VALUE
error: --set kafka.client.acks: "acks" is leadstream's to set: a transaction needs idempotence and the acknowledgement of all replicas
  = set run.delivery if the brokers allow no transactions
error: --set kafka.client.: unknown key "kafka.client."
  = did you mean "kafka.client"?
"#;
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn secrets_come_from_variables_and_files() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("secrets")).expect("a folder");
    fs::write(folder.path().join("secrets/key"), "from a file\r\n").expect("written");
    let toml = "[identity]\nkey = { file = \"secrets/key\" }\n[kafka.client]\n\"sasl.password\" = { env = \"PASSWORD\" }\n";
    let file = folder.path().join("leadstream.toml");
    fs::write(&file, toml).expect("written");
    let (config, problems) = load_file(Some(&file), &[("PASSWORD", "from a variable ")], &[]).expect("good");
    assert_eq!(config.identity_key.as_ref().map(config::Secret::expose), Some("from a file"), "the last newline is not part of it");
    assert_eq!(config.kafka.client["sasl.password"].expose(), "from a variable ");
    assert!(problems.is_empty(), "{}", listed(&problems));

    let reference = format!("{{ file = \"{}\" }}", folder.path().join("secrets/key").display());
    let variables = [("LEADSTREAM__IDENTITY__KEY", reference.as_str())];
    let (config, _) = load_file(None, &variables, &[]).expect("good");
    assert_eq!(config.identity_key.as_ref().map(config::Secret::expose), Some("from a file"), "a variable may refer too");
}

#[test]
fn a_missing_or_empty_secret_is_a_problem_that_names_it() {
    let toml = "[identity]\nkey = { file = \"nowhere\" }\n[kafka.client]\n\"sasl.password\" = { env = \"EMPTY\" }\n\"ssl.key.password\" = { env = \"UNSET\" }\n";
    let problems = bad(toml, &[("EMPTY", "")], &[]);
    assert_eq!(codes(&problems), ["missing_secret"; 3], "{}", listed(&problems));
    let told = listed(&problems);
    for name in ["nowhere", "EMPTY", "UNSET"] {
        assert!(told.contains(name), "{told}");
    }
}

#[test]
fn a_slip_of_the_pen_is_no_secret() {
    for text in ["{ env = \"X\" ", "{env=X}", " { file = \"x\", }}", "{ env =\"X\", file = \"x\" }"] {
        let problems = bad("", &[("X", "hunter2")], &[&format!("identity.key={text}")]);
        assert_eq!(codes(&problems), ["wrong_type"], "{}", listed(&problems));
    }
    for text in ["{", "{environment}", "{\"env\": 1}"] {
        good("", &[], &[&format!("identity.key={text}")]);
    }
}

#[test]
fn a_secret_is_shown_nowhere() {
    let (config, _) = load_file(
        None,
        &[("PASSWORD", "hunter2")],
        &["identity.key=hunter2", "kafka.client.sasl.password={ env = \"PASSWORD\" }", "kafka.client.sasl.username=hunter2"],
    )
    .expect("good");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.kafka.client["sasl.password"].to_string(), "[redacted]");

    // Wherever a secret is written wrongly, the line is not quoted with it.
    for toml in [
        "[identity]\nkey = hunter2\n",
        "[identity]\nkey = \"hunter2\n",
        "identity.key = [\"hunter2\"]\n",
        "identity = { key = [\"hunter2\"] }\n",
        "[kafka.client]\n\"sasl.password\" = [\"hunter2\"]\n",
        "[kafka.client]\nsasl.password = \"hunter2\"\n",
        "[kafka.client]\n\"ssl.key.pem\" = \"\"\"\nhunter2\n",
        "[kafka.client]\n\"ssl.key.pem\" = '''\nhunter2\n''' x\n",
        "[kafka]\nclient = { \"sasl.password\" = \"hunter2\" \n",
        "[kafka.client]\n\"sasl.password\" \"hunter2\"\n",
        "[kafka.client]\n\"sasl.password\" = { env = \"A\", value = \"hunter2\" }\n",
        "[kafka.client]\n\"sasl.jaas.config\" = [\"x password=hunter2\"]\n",
    ] {
        let told = listed(&bad(toml, &[], &[]));
        assert!(!told.contains("hunter2"), "{toml}\n{told}");
    }

    // Nor does the client's own complaint show it.
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), "[kafka.client]\n\"sasl.password\" = \"hunter2\"\n\"other\" = { env = \"PASSWORD\" }\n").expect("written");
    let echo = |name: &str, value: &str| Err(format!("{name} does not like {value:?}"));
    let (_, problems) = config::inspect(Some(file.path()), environment(&[("PASSWORD", "hunter2")]), &[], &echo);
    assert_eq!(codes(&problems), ["invalid_property"; 2]);
    assert!(!listed(&problems).contains("hunter2"), "{}", listed(&problems));
}

#[test]
fn the_client_is_asked_about_each_property_that_is_not_refused() {
    let asked = std::cell::RefCell::new(Vec::new());
    let check = |name: &str, value: &str| {
        asked.borrow_mut().push(format!("{name}={value}"));
        if name == "linger" { Err("no such property".to_owned()) } else { Ok(()) }
    };
    let sets = ["kafka.client.linger=5", "kafka.producer.acks=0", "kafka.consumer.client.rack=r1"].map(str::to_owned);
    let (config, problems) = config::inspect(None, environment(&[]), &sets, &check);
    assert_eq!(*asked.borrow(), ["linger=5", "client.rack=r1"]);
    assert_eq!(codes(&problems), ["invalid_property", "refused_property"]);
    assert!(config.kafka.client.is_empty(), "a refused property is not kept");
}

#[test]
fn a_random_partitioner_is_refused_and_another_is_not() {
    assert_eq!(codes(&bad("", &[], &["kafka.producer.partitioner=random"])), ["refused_property"]);
    assert_eq!(good("", &[], &["kafka.producer.partitioner=murmur2_random"]).kafka.producer.len(), 1);
}

#[test]
fn paths_in_a_file_are_relative_to_it_and_others_to_the_working_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("leadstream.toml");
    fs::write(&file, "[rules]\npath = \"rules/acme.toml\"\n[tables]\ndir = \"tables\"\n").expect("written");
    let (config, _) = load_file(Some(&file), &[], &["tables.dir=here"]).expect("good");
    assert_eq!(config.rules.path, Some(folder.path().join("rules/acme.toml")));
    assert_eq!(config.tables.dir.as_deref(), Some(Path::new("here")));
}

#[test]
fn a_file_that_is_away_or_no_text_is_told_with_all_the_rest() {
    let problems = load_file(Some(Path::new("/nowhere/leadstream.toml")), &[], &["run.lanes=0"]).expect_err("bad");
    assert_eq!(codes(&problems), ["unreadable_file", "out_of_range"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), b"[run]\nlanes = \xff\n").expect("written");
    let problems = load_file(Some(file.path()), &[], &[]).expect_err("bad");
    assert_eq!((problems[0].code, problems[0].line, problems[0].column), ("not_utf8", 2, 9));
}

#[test]
fn a_byte_order_mark_is_skipped_and_moves_no_column() {
    assert_eq!(good("\u{feff}[run]\nlanes = 3\n", &[], &[]).run.lanes, 3);
    let problems = bad("\u{feff}lanes = 3\n", &[], &[]);
    assert_eq!((problems[0].line, problems[0].column), (1, 1));
}

#[test]
fn each_topic_may_have_a_format_and_the_registry_is_known_by_its_keys() {
    use leadstream::{config::ValueFormat, pipeline::OutputTopic};
    let formats = |config: &Config| OutputTopic::ALL.map(|topic| config.encoding.format_of(topic) == ValueFormat::Avro);
    let table = "[encoding]\nformat = { qualified = \"avro\", routing = \"json\" }";
    assert_eq!(formats(&good(table, &[], &[])), [true, false, false, false, false]);
    assert_eq!(formats(&good(table, &[], &["encoding.format=avro"])), [true, true, false, false, false], "a topic's own format wins");
    let variable = [("LEADSTREAM__ENCODING__FORMAT__UNQUALIFIED", "json")];
    assert_eq!(formats(&good("[encoding]\nformat = \"avro\"", &variable, &[])), [true, false, true, false, false]);
    assert_eq!(codes(&bad("[encoding]\nformat = { raw = \"avro\" }", &[], &[])), ["unknown_key"]);

    let registry = "registry = \"https://registry.example:8081/apis/ccompat/v7/\"\n";
    let config = good(&format!("[encoding]\n{registry}registry_user = \"u\"\nregistry_password = \"p\""), &[], &[]);
    assert_eq!(config.encoding.registry().expect("a registry").url, "https://registry.example:8081/apis/ccompat/v7");
    for (keys, wanted) in [
        ("registry_user = \"u\"", vec!["invalid_value"]),
        ("registry_user = \"u\"\nregistry_password = \"p\"\nregistry_token = \"t\"", vec!["invalid_value"]),
        ("registry_certificate = \"c.pem\"", vec!["invalid_value"]),
        ("registry_compatibility = \"full\"", vec!["invalid_value"]),
    ] {
        assert_eq!(codes(&bad(&format!("[encoding]\n{registry}{keys}"), &[], &[])), wanted, "{keys}");
    }
    let problems = bad("[encoding]\nregistry = \"http://user:hush-hush@registry.example\"", &[], &[]);
    assert_eq!(codes(&problems), ["invalid_value"]);
    assert!(!listed(&problems).contains("hush-hush"), "{}", listed(&problems));
    let (_, problems) = load("[encoding]\nregistry_token = \"t\"", &[], &[]).expect("a warning only");
    assert!(problems.iter().any(|problem| problem.code == "no_effect"), "{}", listed(&problems));
}

#[test]
fn topics_must_not_meet() {
    let one = |sets: &[&str]| listed(&bad("", &[], sets)).lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        one(&["topics.raw=leads.qualified"]),
        "error: --set topics.raw: \"leads.qualified\" is both read (topics.raw) and written (topics.qualified)"
    );
    assert_eq!(
        one(&["topics.dead_letter=leads.raw"]),
        "error: --set topics.dead_letter: \"leads.raw\" is both read (topics.raw) and written (topics.dead_letter)"
    );
    assert_eq!(
        one(&["topics.routing=leads.qualified"]),
        "error: --set topics.routing: topics.routing and topics.qualified are both \"leads.qualified\""
    );
    let problems = bad("", &[], &[&format!("topics.raw=a,,a,{},b b,.,__consumer_offsets", "x".repeat(250))]);
    assert_eq!(
        codes(&problems),
        ["invalid_topic", "duplicate_topic", "invalid_topic", "invalid_topic", "invalid_topic", "invalid_topic"],
        "{}",
        listed(&problems)
    );
}

#[test]
fn brokers_are_hosts_with_ports() {
    for brokers in ["a", "a:9092", "a:1,b:2", "SASL_SSL://a:9093", "[::1]:9092", "10.0.0.1:1"] {
        assert_eq!(good("", &[], &[&format!("kafka.brokers={brokers}")]).kafka.brokers, brokers);
    }
    for brokers in ["", "a:0", "a:b", "a:1,,b:2", "a b:1", "::1:9092", "a:70000", "http://a/b", ":9092"] {
        assert_eq!(codes(&bad("", &[], &[&format!("kafka.brokers={brokers}")])), ["invalid_value"], "{brokers:?}");
    }
    // A user and a password stand elsewhere; written here, they are not shown.
    let told = listed(&bad("", &[], &["kafka.brokers=user:hunter2@host:9092"]));
    assert!(told.contains("sasl.password") && !told.contains("hunter2"), "{told}");
}

#[test]
fn the_minimal_file_needs_its_secrets_and_nothing_else() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config/minimal.toml");
    let variables = [("KAFKA_PASSWORD", "p"), ("LEADSTREAM_KEY", "k")];
    let (config, problems) = load_file(Some(&file), &variables, &[]).expect("good");
    assert!(problems.is_empty(), "{}", listed(&problems));
    assert_eq!(config.kafka.client.len(), 4);
    assert_eq!(codes(&load_file(Some(&file), &[], &[]).expect_err("bad")), ["missing_secret", "missing_secret"]);
}

/// A line of the reference file; where it shows an example (`#key = …`), the example.
fn example(line: &str) -> &str {
    line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line)
}

#[test]
fn the_reference_file_is_the_default_and_its_examples_are_good() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config/reference.toml");
    let (config, problems) = load_file(Some(&file), &[], &[]).expect("good");
    assert_eq!(config, Config::default());
    assert_eq!(problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), ["identity_key_unset"]);

    let text = fs::read_to_string(&file).expect("the reference");
    let with_examples = text.lines().map(example).collect::<Vec<_>>().join("\n");
    let config = good(
        &with_examples,
        &[("KAFKA_PASSWORD", "p"), ("LEADSTREAM_KEY", "k"), ("REGISTRY_PASSWORD", "r"), ("OTLP_AUTHORIZATION", "o")],
        &[],
    );
    assert!(config.identity_key.is_some() && config.rules.path.is_some() && config.tables.dir.is_some());

    let table: toml::Table = with_examples.parse().expect("TOML");
    for key in config::keys() {
        let found = key.split('.').try_fold(&toml::Value::Table(table.clone()) as &toml::Value, |value, name| value.get(name)).is_some();
        // Some exclude each other, and are shown in words.
        let shown = text.contains(&format!("{} = ", key.rsplit('.').next().unwrap_or_default()));
        assert!(found || shown, "{key} is not in deploy/config/reference.toml");
    }
}

#[test]
fn the_reference_page_names_every_key_and_every_refused_property() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).expect("the page");
    for key in config::keys() {
        assert!(page.contains(&format!("`{key}`")), "{key} is not in docs/configuration.md");
    }
    for name in config::refused_properties() {
        assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/configuration.md");
    }
}
