//! Alerts and the runbook belong together: each alert has its section and its panel, each section its alert, and the commands in
//! it are ones that the program has. That alerts fire, and do not, is shown by promtool in `tests/foreign`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use super::{dashboards, promql};

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rules of a file, each as its fields: `alert` or `record`, `expr`, and what else it has. Reads our own plain form only.
fn rules(path: &str) -> Vec<BTreeMap<String, String>> {
    let mut found: Vec<BTreeMap<String, String>> = Vec::new();
    let mut block = None;
    for line in read(path).lines() {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        if let Some((key, deeper)) = &block
            && depth > *deeper
        {
            let rule = found.last_mut().expect("a rule has begun");
            let entry: &mut String = rule.entry(String::clone(key)).or_default();
            entry.push_str(text);
            entry.push(' ');
            continue;
        }
        block = None;
        let begins = text.strip_prefix("- ");
        let Some((key, value)) = begins.unwrap_or(text).split_once(':') else { continue };
        if begins.is_some() && ["alert", "record"].contains(&key) {
            found.push(BTreeMap::new());
        }
        let Some(rule) = found.last_mut() else { continue };
        match value.trim() {
            "|" => block = Some((key.to_owned(), depth)),
            "" => {}
            value => {
                rule.insert(key.to_owned(), value.trim_matches('"').to_owned());
            }
        }
    }
    found
}

const ALERTS: &str = "deploy/prometheus/rules/alerts.yml";

fn recorded() -> BTreeSet<String> {
    rules("deploy/prometheus/rules/recording.yml").into_iter().map(|rule| rule["record"].clone()).collect()
}

#[test]
fn every_rule_asks_for_what_there_is() {
    let recorded = recorded();
    assert!(recorded.len() >= 9, "{recorded:?}");
    let mut asked = BTreeSet::new();
    for rule in rules("deploy/prometheus/rules/recording.yml").iter().chain(&rules(ALERTS)) {
        let name = rule.get("alert").or(rule.get("record")).expect("a name");
        promql::check(&rule["expr"], &recorded, name);
        asked.extend(promql::selectors(&rule["expr"]).into_iter().map(|(name, _)| name));
    }
    let idle: Vec<_> = recorded.difference(&asked).collect();
    assert!(idle.is_empty(), "recorded, and asked for by nobody: {idle:?}");
}

#[test]
fn every_alert_tells_what_a_person_needs() {
    let alerts = rules(ALERTS);
    assert!(alerts.len() >= 19, "{alerts:?}");
    for alert in alerts {
        let name = &alert["alert"];
        assert!(name.starts_with("Leadstream"), "{name}");
        assert!(["critical", "warning"].contains(&alert["severity"].as_str()), "{name}: {}", alert["severity"]);
        assert!(["summary", "description"].iter().all(|key| alert[*key].ends_with('.')), "{name}");
        let page = format!("https://docs.example/leadstream/runbook.md#{}", name.to_lowercase());
        assert_eq!(alert["runbook_url"], page, "{name}");
        let path = alert["dashboard"].strip_prefix("https://grafana.example");
        assert!(path.and_then(dashboards::panel_at).is_some(), "{name}: there is no panel at {}", alert["dashboard"]);
    }
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() {
    let alerts: Vec<_> = rules(ALERTS).into_iter().map(|alert| alert["alert"].clone()).collect();
    let page = read("docs/runbook.md");
    let sections: Vec<_> = page.split("\n## ").skip(1).collect();
    let titles: Vec<_> = sections.iter().map(|section| section.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(titles, alerts, "in the same order");
    for section in sections {
        for part in ["**Means.**", "**Look first.**", "**Do"] {
            assert!(section.contains(part), "{part} is missing: {section}");
        }
    }
}

#[test]
fn every_alert_is_proven_to_fire_and_not_to() {
    let tests = ["leads", "rules", "stream"].map(|name| read(&format!("deploy/prometheus/tests/{name}.yml"))).concat();
    let named = |alert: &str, line: &&str| line.contains(&format!("\"{alert}\"")) || line.contains(alert) && line.contains("alertname");
    for alert in rules(ALERTS) {
        let lines: Vec<_> = tests.lines().collect();
        let at: Vec<_> = (0..lines.len()).filter(|at| named(&alert["alert"], &lines[*at])).collect();
        let silent = at.iter().any(|at| lines[*at].contains("exp_samples: []") || lines[*at].starts_with("      - { eval_time: 1"));
        let fires = at.iter().any(|at| lines[at + 1].contains("exp_samples:") || lines[at + 1].contains("exp_alerts:"));
        assert!(silent && fires, "{}: silent: {silent}, fires: {fires}", alert["alert"]);
    }
}

fn help(words: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_leadstream")).args(words).arg("--help").output().expect("leadstream runs");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

/// What is wrong with a command line of ours, asked of the program's own help.
fn problem(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().skip(1).take_while(|word| !word.starts_with('#')).collect();
    let verbs: Vec<_> = words.iter().copied().take_while(|word| word.chars().all(|c| c.is_ascii_lowercase())).take(2).collect();
    // The verb alone, where the second word is an argument.
    // It serves HTTP too, and the address of the configuration is the service's.
    if words.first() == Some(&"replay") && !line.contains("--dry-run") && !line.contains("--set http.listen=127.0.0.1:0") {
        return Some("it cannot listen where the service does".to_owned());
    }
    let (verbs, text) = match (help(&verbs), verbs.len()) {
        (Some(text), _) => (verbs, text),
        (None, 2) => (verbs[..1].to_vec(), help(&verbs[..1])?),
        (None, _) => return Some(format!("there is no {verbs:?}")),
    };
    let options = words[verbs.len()..].iter().filter(|word| word.starts_with("--"));
    let unknown = options.filter(|option| !text.split(|c: char| c.is_whitespace() || c == ',').any(|known| known == **option));
    unknown.map(|option| format!("{verbs:?} has no {option}")).next()
}

#[test]
fn every_command_of_the_runbook_is_one() {
    let page = read("docs/runbook.md").replace(" \\\n", " ");
    let lines = page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).flat_map(str::lines);
    let mut ours = 0;
    for line in lines {
        match line.split_whitespace().next().unwrap_or_default() {
            "leadstream" => {
                ours += 1;
                assert_eq!(problem(line), None, "{line}");
            }
            "curl" => {
                let path = line.split("HOST:9464").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a path");
                assert!(["/readyz", "/healthz", "/status", "/metrics"].contains(&path), "{line}");
            }
            "kubectl" => {
                let pods = line.starts_with("kubectl -n leadstream ") && line.contains(" leadstream-0 ");
                let (manifest, base) = (read("deploy/kubernetes/base/statefulset.yaml"), read("deploy/kubernetes/base/kustomization.yaml"));
                assert!(pods && manifest.contains("name: leadstream\n") && base.contains("namespace: leadstream\n"), "{line}");
                match line.split_once(" -- ") {
                    Some((_, ours)) => {
                        let config = ours.split_whitespace().last().expect("a path");
                        assert!(problem(ours).is_none() && manifest.contains(&format!("\"--config\", \"{config}\"")), "{line}");
                    }
                    None => assert!(manifest.contains("containerPort: 9464") && line.ends_with(" 9464"), "{line}"),
                }
            }
            other => assert!(["kafka-consumer-groups.sh", "kafka-transactions.sh", "sed"].contains(&other), "{line}"),
        }
    }
    assert!(ours >= 20, "only {ours}");
    assert_eq!(problem("leadstream dlq ls --colour"), Some("[\"dlq\", \"ls\"] has no --colour".to_owned()));
    assert_eq!(problem("leadstream replay --id a --dead-letters"), Some("it cannot listen where the service does".to_owned()));
    assert_eq!(problem("leadstream mend"), Some("there is no [\"mend\"]".to_owned()));
}
