//! The files of `deploy/kubernetes`, judged by those who take them: kustomize builds them, the schemas of Kubernetes, KEDA, Strimzi
//! and the Prometheus operator take what comes out, and leadstream itself takes the configuration its pods are given. No cluster
//! has run them.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use leadstream::{config::Config, run::topics::largest_output};
use serde_json::{Value, json};

use crate::python;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a command says, given `input`.
fn asked(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("piped");
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()));
        child.wait_with_output().expect("it ends")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The objects in some YAML.
fn objects(yaml: &str) -> Vec<Value> {
    serde_json::from_str(&python::run(&["manifests.py", "json"], yaml)).expect("JSON")
}

/// The objects of a folder of `deploy/kubernetes`, as kustomize builds them.
fn built(folder: &str) -> Vec<Value> {
    objects(&kustomize(&root().join("deploy/kubernetes").join(folder), &["build"]))
}

/// What kustomize says, run in a folder.
fn kustomize(folder: &Path, arguments: &[&str]) -> String {
    let mut kustomize = Command::new("sh");
    kustomize.arg(root().join("tests/foreign/go.sh")).args(["run", "kustomize"]).args(arguments);
    good(&asked(kustomize.current_dir(folder), ""))
}

fn all<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = all(objects, kind);
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

fn items<'a>(of: &'a Value, pointer: &str) -> &'a [Value] {
    of.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn judged(objects: &[Value]) -> (bool, String) {
    python::judged(&["manifests.py", "judge"], &Value::from(objects.to_vec()).to_string())
}

/// Strimzi's own classes on its own objects.
fn judged_by_strimzi(objects: &[Value]) -> Output {
    let own = objects.iter().filter(|object| object["apiVersion"].as_str().is_some_and(|api| api.starts_with("kafka.strimzi.io/")));
    let lines: String = own.map(|object| object.to_string() + "\n").collect();
    let folder = root().join("tests/foreign");
    let mut java = Command::new("sh");
    java.arg(folder.join("java.sh")).arg("run").arg(folder.join("strimzi/Strimzi.java"));
    asked(java.env("POM", folder.join("strimzi/pom.xml")), &lines)
}

/// The first object of this kind, with `member` of what is at `pointer` put in.
fn changed(objects: &[Value], kind: &str, pointer: &str, member: &str, value: Value) -> Vec<Value> {
    let mut object = objects.iter().find(|object| object["kind"] == kind).expect("the kind").clone();
    object.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))[member] = value;
    vec![object]
}

#[test]
fn those_who_take_the_objects_know_all_that_stands_in_them() {
    let (base, strimzi) = (built("base"), built("strimzi"));
    assert_eq!(judged(&base), (true, "{\"kubernetes\": 8}\n".to_owned()));
    let (is_good, told) = judged(&strimzi);
    let expected = "{\"elsewhere\": 9, \"keda.sh/v1alpha1\": 2, \"kubernetes\": 9, \"monitoring.coreos.com/v1\": 1}\n";
    assert_eq!((is_good, told.as_str()), (true, expected));
    assert_eq!(good(&judged_by_strimzi(&strimzi)).trim(), "9");

    for (kind, pointer, member, value) in [
        ("StatefulSet", "/spec/template/spec/securityContext", "runAsNonRot", json!(true)),
        ("StatefulSet", "/spec", "replicas", json!("two")),
        ("NetworkPolicy", "/spec/egress/0", "prots", json!([])),
        ("ScaledObject", "/spec", "maxReplicas", json!(6)),
        ("PodMonitor", "/spec/podMetricsEndpoints/0", "prot", json!("http")),
    ] {
        let (is_good, told) = judged(&changed(&strimzi, kind, pointer, member, value));
        assert!(!is_good && told.contains(kind), "{kind} {member}: {told}");
    }
    for (kind, pointer, member, value) in [
        ("KafkaTopic", "/spec", "partition", json!(6)),
        ("KafkaUser", "/spec/authorization/acls/0", "operations", json!(["Reed"])),
        ("KafkaUser", "/spec/authorization/acls/6/resource", "patternType", json!("prefixed")),
        ("KafkaUser", "/spec/authentication", "type", json!("scram-sha-1")),
    ] {
        let judged = judged_by_strimzi(&changed(&strimzi, kind, pointer, member, value));
        assert!(!judged.status.success(), "{kind} {member} was taken");
    }
}

#[test]
fn what_belongs_together_finds_each_other() {
    let objects = built("strimzi");
    let set = one(&objects, "StatefulSet");
    let labels = set.pointer("/spec/template/metadata/labels").expect("labels").as_object().expect("an object");
    let selects = |selector: &Value| {
        let selector = selector.as_object().expect("a selector");
        assert!(!selector.is_empty());
        selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    assert!(selects(&set["spec"]["selector"]["matchLabels"]));
    assert!(selects(&one(&objects, "Service")["spec"]["selector"]));
    assert!(selects(&one(&objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]));
    for kind in ["PodDisruptionBudget", "PodMonitor"] {
        assert!(selects(&one(&objects, kind)["spec"]["selector"]["matchLabels"]), "{kind}");
    }
    for spread in items(set, "/spec/template/spec/topologySpreadConstraints") {
        assert!(selects(&spread["labelSelector"]["matchLabels"]));
    }
    assert_eq!(set["spec"]["serviceName"], one(&objects, "Service")["metadata"]["name"]);
    assert_eq!(one(&objects, "ScaledObject")["spec"]["scaleTargetRef"]["name"], set["metadata"]["name"]);
    assert_eq!(one(&objects, "ScaledObject")["spec"]["scaleTargetRef"]["kind"], "StatefulSet");
    assert!(set["spec"].get("replicas").is_none(), "the autoscaler says how many");
    assert_eq!(one(&built("base"), "StatefulSet")["spec"]["replicas"], 2);
    for object in objects.iter().filter(|object| !["Namespace", "KafkaTopic", "KafkaUser"].map(Value::from).contains(&object["kind"])) {
        assert_eq!(object["metadata"]["namespace"], "leadstream", "{}", object["kind"]);
    }
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 9464);
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], container["ports"][0]["name"]);
    }
    let served = fs::read_to_string(root().join("src/telemetry/http.rs")).expect("readable");
    for path in [
        &container["livenessProbe"]["httpGet"]["path"],
        &container["readinessProbe"]["httpGet"]["path"],
        &one(&objects, "PodMonitor")["spec"]["podMetricsEndpoints"][0]["path"],
    ] {
        assert!(served.contains(&path.to_string()), "nothing serves {path}");
    }
}

/// What a panel's line is called stays when a pod is replaced, and two installations in one Prometheus have no line in common: the
/// rules match series by it.
#[test]
fn an_instance_is_the_pod_by_name() {
    let objects = built("strimzi");
    let relabelled = items(one(&objects, "PodMonitor"), "/spec/podMetricsEndpoints/0/relabelings");
    let instance = relabelled.iter().find(|step| step["targetLabel"] == "instance").expect("else it is an address and a port");
    assert_eq!(instance["sourceLabels"], json!(["__meta_kubernetes_namespace", "__meta_kubernetes_pod_name"]));
    assert_eq!(instance["separator"], "/");
    let changes_nothing_else = ["action", "regex", "replacement"].iter().all(|key| instance.get(key).is_none());
    assert!(changes_nothing_else, "{instance}");
}

/// The command of the documents, as it stands there, in an overlay of somebody's own.
#[test]
fn the_image_is_set_as_the_documents_say() {
    let page = fs::read_to_string(root().join("docs/deployment.md")).expect("readable");
    let command = page.lines().find_map(|line| line.strip_prefix("kustomize ")).expect("a command");
    let words: Vec<_> = command.split(' ').collect();
    let image = words.last().and_then(|word| word.split_once('=')).expect("NAME=IMAGE").1;
    for below in ["base", "strimzi"] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        // Kustomize wants its way to others relative.
        symlink(root(), folder.path().join("leadstream")).expect("linked");
        let overlay = folder.path().join("my-overlay");
        fs::create_dir(&overlay).expect("made");
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [\"../leadstream/deploy/kubernetes/{below}\"]\n"
        );
        fs::write(overlay.join("kustomization.yaml"), text).expect("written");
        kustomize(&overlay, &words);
        let built = kustomize(&overlay, &["build"]);
        assert!(!built.contains("OWNER"), "{below}");
        assert_eq!(one(&objects(&built), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["image"], image, "{below}");
    }
}

#[test]
fn pods_ask_for_nothing_that_the_strictest_profile_refuses() {
    let objects = built("strimzi");
    assert_eq!(one(&objects, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    let pod = &one(&objects, "StatefulSet")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert!(pod["securityContext"]["runAsUser"].as_u64().is_some_and(|user| user > 0));
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!((&pod["automountServiceAccountToken"], &pod["enableServiceLinks"]), (&json!(false), &json!(false)));
    assert!(pod["terminationGracePeriodSeconds"].as_u64().is_some_and(|seconds| seconds > 10), "longer than it drains");
    for name in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(pod.get(name).is_none());
    }
    for container in items(pod, "/containers") {
        let rights = &container["securityContext"];
        assert_eq!((&rights["allowPrivilegeEscalation"], &rights["readOnlyRootFilesystem"]), (&json!(false), &json!(true)));
        assert_eq!(rights["capabilities"], json!({ "drop": ["ALL"] }));
        assert!(container["resources"]["limits"]["memory"].is_string() && container["resources"]["requests"]["cpu"].is_string());
    }
    for volume in items(pod, "/volumes") {
        let is_restricted = ["configMap", "projected", "secret"].iter().any(|kind| volume.get(kind).is_some());
        assert!(is_restricted && volume.get("hostPath").is_none(), "{volume}");
    }
}

/// Files as the kubelet lays them: links to a folder of links that is swapped at once.
fn laid(folder: &Path, files: &[(String, String)]) {
    let real = folder.join("..2026_11_01_09_00_00.1");
    fs::create_dir_all(&real).expect("made");
    symlink("..2026_11_01_09_00_00.1", folder.join("..data")).expect("linked");
    for (name, text) in files {
        fs::write(real.join(name), text).expect("written");
        symlink(Path::new("..data").join(name), folder.join(name)).expect("linked");
    }
}

/// What a volume of the pod holds; secrets with made-up values.
fn held(objects: &[Value], volume: &Value) -> Vec<(String, String)> {
    if let Some(name) = volume.pointer("/configMap/name") {
        let map = all(objects, "ConfigMap").into_iter().find(|map| map["metadata"]["name"] == *name);
        let data = map.unwrap_or_else(|| panic!("no ConfigMap {name}"))["data"].as_object().expect("data");
        return data.iter().map(|(name, text)| (name.clone(), text.as_str().expect("text").to_owned())).collect();
    }
    let secrets = items(volume, "/projected/sources").iter().flat_map(|source| items(source, "/secret/items"));
    let secrets = secrets.chain(items(volume, "/secret/items"));
    let made_up = |name: &str| match name.strip_suffix(".crt") {
        Some(_) => python::run(&["authority.py"], ""),
        None => "zq-made-up-secret-of-a-test\n".to_owned(),
    };
    secrets.map(|item| item["path"].as_str().expect("a path")).map(|name| (name.to_owned(), made_up(name))).collect()
}

/// The file system of a pod, under `folder`, as its manifest says.
fn lay(objects: &[Value], folder: &Path) {
    let pod = &one(objects, "StatefulSet")["spec"]["template"]["spec"];
    let mounts = items(pod, "/containers/0/volumeMounts");
    assert_eq!(mounts.len(), items(pod, "/volumes").len());
    for mount in mounts {
        let volume = items(pod, "/volumes").iter().find(|volume| volume["name"] == mount["name"]).expect("a volume");
        let files = held(objects, volume);
        assert!(!files.is_empty(), "{volume}");
        laid(&folder.join(mount["mountPath"].as_str().expect("a path").trim_start_matches('/')), &files);
    }
}

/// `leadstream`, with the environment and the configuration file of the pod whose file system lies under `folder`.
fn in_the_pod(objects: &[Value], folder: &Path, arguments: &[&str]) -> Output {
    let container = &one(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0];
    let told = items(container, "/args");
    assert_eq!((told.len(), &told[0], &told[1]), (3, &json!("run"), &json!("--config")));
    let config = folder.join(told[2].as_str().expect("a path").trim_start_matches('/'));
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadstream"));
    command.env_clear().args(arguments).arg("--config").arg(config);
    for variable in items(container, "/env") {
        let value = variable["value"].as_str().map_or("leadstream-0".to_owned(), |value| {
            if value.starts_with('/') { folder.join(value.trim_start_matches('/')).display().to_string() } else { value.to_owned() }
        });
        command.env(variable["name"].as_str().expect("a name"), value);
    }
    asked(&mut command, "")
}

#[test]
fn leadstream_takes_the_configuration_the_rules_and_the_secrets_of_its_pods() {
    for overlay in ["base", "strimzi"] {
        let objects = built(overlay);
        let folder = tempfile::tempdir().expect("a folder");
        lay(&objects, folder.path());
        let told = good(&in_the_pod(&objects, folder.path(), &["check", "--json"]));
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!((&told["problems"], &told["ruleset"]["name"]), (&json!([]), &json!("production")), "{overlay}");
        let rules = folder.path().join("etc/leadstream/rules").display().to_string();
        let tested = good(&in_the_pod(&objects, folder.path(), &["test", &rules]));
        assert!(tested.contains("2 passed"), "{tested}");

        // Without a secret that it names it is refused.
        fs::remove_file(folder.path().join("etc/leadstream/secrets/kafka-password")).expect("removed");
        let refused = in_the_pod(&objects, folder.path(), &["check"]);
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
        assert!(text(&refused.stdout).contains("kafka-password"), "{}", text(&refused.stdout));
    }
}

#[test]
fn topics_and_rights_are_those_that_leadstream_makes_and_asks_for() {
    let objects = built("strimzi");
    let config = Config::default();
    let mut wanted: BTreeSet<&str> = config.topics.raw.iter().map(String::as_str).collect();
    wanted.extend(config.topics.outputs().map(|(_, name)| name));
    let of_dlq = ["parked", "settled"].map(|kind| format!("{}.{kind}", config.topics.dead_letter));
    wanted.extend(of_dlq.iter().map(String::as_str));
    let topics = all(&objects, "KafkaTopic");
    assert_eq!(topics.iter().filter_map(|topic| topic["metadata"]["name"].as_str()).collect::<BTreeSet<_>>(), wanted);
    for topic in &topics {
        let name = topic["metadata"]["name"].as_str().expect("a name");
        let mut settings = json!({ "min.insync.replicas": 2 });
        if name == config.topics.ledger {
            settings["retention.ms"] = json!(-1);
            settings["retention.bytes"] = json!(-1);
        } else if name == of_dlq[1] {
            settings["cleanup.policy"] = json!("compact");
            assert_eq!(topic["spec"]["partitions"], 1, "{name}: its records are in one order");
        } else if !config.topics.raw.iter().any(|raw| raw == name) {
            settings["max.message.bytes"] = json!(largest_output(&config));
        }
        assert_eq!((&topic["spec"]["config"], &topic["spec"]["replicas"]), (&settings, &json!(3)), "{name}");
    }

    let mut shell = Command::new("sh");
    let script = good(&asked(shell.arg(root().join("deploy/kafka/acls.sh")).arg("print"), ""));
    let user = one(&objects, "KafkaUser");
    let granted: BTreeSet<String> = items(user, "/spec/authorization/acls").iter().flat_map(lines_of).collect();
    assert_eq!(granted, script.lines().map(str::to_owned).collect());

    // The name the pods say they have is the user's.
    let maps = all(&objects, "ConfigMap");
    let file = maps.iter().find_map(|map| map["data"]["leadstream.toml"].as_str()).expect("a configuration");
    assert!(file.contains(&format!("\"sasl.username\" = {}\n", user["metadata"]["name"])));
}

/// An access rule of Strimzi's in the words of `kafka-acls.sh`.
fn lines_of(rule: &Value) -> Vec<String> {
    let resource = &rule["resource"];
    let name = resource["name"].as_str().expect("a name");
    let kind = match resource["type"].as_str().expect("a type") {
        "transactionalId" => "transactional-id",
        kind => kind,
    };
    let pattern = if resource["patternType"] == "prefix" { " --resource-pattern-type prefixed" } else { "" };
    let operations = items(rule, "/operations").iter().map(|operation| operation.as_str().expect("an operation"));
    operations.map(|operation| format!("--operation {operation} --{kind} {name}{pattern}")).collect()
}

#[test]
fn scaling_looks_at_the_group_that_reads_and_stops_at_its_partitions() {
    let objects = built("strimzi");
    let config = Config::default();
    let scaled = &one(&objects, "ScaledObject")["spec"];
    let lag = &scaled["triggers"][0]["metadata"];
    assert_eq!(lag["consumerGroup"], config.kafka.group);
    assert_eq!(lag["topic"], config.topics.raw[0]);
    let maps = all(&objects, "ConfigMap");
    let file = maps.iter().find_map(|map| map["data"]["leadstream.toml"].as_str()).expect("a configuration");
    assert!(file.contains(&format!("brokers = {}\n", lag["bootstrapServers"])));
    assert!(!file.contains("lanes") && !file.contains("group"), "the defaults that this test reckons with");
    let raw = all(&objects, "KafkaTopic").into_iter().find(|topic| topic["metadata"]["name"] == lag["topic"]).expect("the topic");
    let lanes = scaled["maxReplicaCount"].as_u64().expect("a number") * u64::try_from(config.run.lanes).expect("few");
    assert_eq!(raw["spec"]["partitions"], lanes, "as many lanes as partitions, and no more");
}

#[test]
fn dashboards_and_rules_come_as_objects_that_hold_the_files_as_they_are() {
    let mut shell = Command::new("sh");
    let objects = objects(&good(&asked(shell.arg(root().join("deploy/kubernetes/monitoring.sh")), "")));
    let (is_good, told) = judged(&objects);
    assert!(is_good, "{told}");
    let files = |folder: &str, extension: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(root().join(folder)).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    };
    let boards = one(&objects, "ConfigMap")["data"].as_object().expect("data");
    let found = files("deploy/grafana/dashboards", "json");
    assert_eq!(boards.len(), found.len());
    for file in found {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let whole: Value = serde_json::from_str(&fs::read_to_string(&file).expect("readable")).expect("JSON");
        assert_eq!(serde_json::from_str::<Value>(boards[&name].as_str().expect("text")).expect("JSON"), whole, "{name}");
    }
    let rules = files("deploy/prometheus/rules", "yml");
    assert_eq!(all(&objects, "PrometheusRule").len(), rules.len());
    for file in rules {
        let read = python::run(&["manifests.py", "json"], &fs::read_to_string(&file).expect("readable"));
        let read: Vec<Value> = serde_json::from_str(&read).expect("JSON");
        assert!(objects.iter().any(|object| object["spec"] == read[0]), "{}", file.display());
    }
}
