//! What an authorizer allows and refuses: exactly the rights that `deploy/kafka/acls.sh` prints are enough, each that is missing is
//! named once and waited for, and one that is taken away in the middle costs no lead.

use std::{collections::BTreeMap, thread, time::Duration};

use super::{
    super::{
        clients::{self, Raw},
        disturbed, doctor,
        leads::{Expected, with_note},
        outcomes::Outcomes,
        service::{SOON, Scene, Service},
        waiting::{let_pass, wait_for},
    },
    Fortress, acls, acls_of, fortress, words,
};

/// A scene with topics, and a user of its own who may do nothing yet.
pub(super) fn stage(test: &str) -> (&'static Fortress, Scene, String, Vec<String>) {
    let fortress = fortress();
    let scene = Scene::named(test, fortress.open());
    scene.create_topics(2, &[("max.message.bytes", "2000000")]);
    let user = format!("user-of-{}", scene.group);
    fortress.password(&user, "right");
    fortress.wait_known(&user, "right");
    let arguments = fortress.by_password(fortress.passwords, "SCRAM-SHA-512", &user, "right");
    (fortress, scene, format!("User:{user}"), arguments)
}

pub(super) fn write(scene: &Scene, numbers: std::ops::Range<usize>) -> BTreeMap<(i32, i64), Expected> {
    disturbed::write(scene, numbers, 2)
}

pub(super) fn assert_exactly_once(scene: &Scene, expected: &BTreeMap<(i32, i64), Expected>) {
    let outcomes = Outcomes::read(scene);
    outcomes.assert_each_exactly_once(expected);
    outcomes.assert_in_order();
}

/// `Write topic leads.qualified`, as the process tells a right that an ACL of the script gives.
fn told(acl: &str) -> String {
    let words: Vec<_> = acl.split(' ').collect();
    let [_, operation, resource, name, ..] = words[..] else { panic!("{acl}") };
    match resource {
        "--transactional-id" => format!("is not allowed to {operation} transactional id {name}"),
        resource => format!("is not allowed to {operation} {} {name}", resource.trim_start_matches("--")),
    }
}

fn errors(scene: &Scene, arguments: &[String]) -> Vec<(String, String)> {
    let (_, findings) = doctor::examined(scene, &words(arguments));
    findings.into_iter().filter(|(severity, ..)| severity == "error").map(|(_, code, subject)| (code, subject)).collect()
}

#[test]
fn exactly_the_rights_of_the_script_are_enough() {
    let (fortress, scene, principal, arguments) = stage("rights");
    fortress.grant(&principal, &acls(&scene));
    let mut expected = write(&scene, 0..1_000);
    let mut service = scene.run(&words(&arguments));
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
    assert!(!service.lines().contains("WARN"), "{}", service.lines());
    assert_eq!(errors(&scene, &arguments), []);
    service.terminate();
    assert_eq!(service.exit_within(SOON), 0, "{}", service.lines());
    // Without transactions they are more than enough: whoever may write may write idempotently.
    let all = acls(&scene);
    fortress.revoke(&principal, &all[6..]);
    expected.extend(write(&scene, 1_000..1_200));
    let service = scene.run(&[&words(&arguments)[..], &["--set", "run.delivery=at-least-once"]].concat());
    scene.wait_done(expected.len(), &service);
    // What was in hand while the lanes shared the partitions out may be there twice.
    Outcomes::read(&scene).assert_each_at_least_once(&expected);
    assert!(!service.lines().contains("WARN"), "{}", service.lines());
}

#[test]
fn each_missing_right_is_named_and_waited_for() {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || one_is_missing(number));
        }
    });
}

fn one_is_missing(number: usize) {
    let (fortress, scene, principal, arguments) = stage(&format!("missing-{number}"));
    let all = acls(&scene);
    let missing = &all[number];
    fortress.grant(&principal, &all);
    fortress.revoke(&principal, std::slice::from_ref(missing));
    let expected = write(&scene, 0..400);
    let service = scene.run(&[&words(&arguments)[..], &["--set", "kafka.instance=here"]].concat());
    let words = told(missing);
    wait_for(
        "the missing right is named",
        SOON,
        || format!("{missing}\n{}", service.lines()),
        || service.lines().contains(&words).then_some(()),
    );
    let found = errors(&scene, &arguments);
    assert_eq!(found.len(), 1, "{missing}: {found:?}");
    assert_eq!(found[0].0, "right_missing", "{missing}: {found:?}");
    let_pass(Duration::from_secs(3));
    let lines = service.lines();
    assert_eq!(lines.matches(&words).count(), 1, "{missing}: told once\n{lines}");
    assert!(lines.contains(&principal) && lines.contains(missing.split(" --resource").next().expect("a part")), "{lines}");
    assert!(lines.lines().count() < 15, "{missing}: a flood of lines\n{lines}");
    fortress.grant(&principal, std::slice::from_ref(missing));
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
}

#[test]
fn a_right_that_is_taken_away_in_the_middle_costs_no_lead() {
    let (fortress, scene, principal, arguments) = stage("taken");
    let all = acls(&scene);
    fortress.grant(&principal, &all);
    let service = scene.run(&words(&arguments));
    service.wait_ready();
    let expected = disturbed::under_load(&scene, 2, || {
        let group = scene.progress();
        // The input, an output, the group, the transactional ids.
        for acl in [0, 1, 5, 6].map(|number| &all[number]) {
            let moves = |what: &str| {
                let before = group.done();
                wait_for(&format!("{what} {acl}"), SOON, || service.lines(), || (group.done() > before + 100).then_some(()));
            };
            moves("it works with");
            let at = service.lines().len();
            fortress.revoke(&principal, std::slice::from_ref(acl));
            let words = told(acl);
            wait_until_named(&service, &words, at);
            fortress.grant(&principal, std::slice::from_ref(acl));
            moves("it goes on with");
        }
    });
    scene.wait_done(expected.len(), &service);
    assert_exactly_once(&scene, &expected);
    assert!(service.lines().lines().count() < 60, "a flood of lines\n{}", service.lines());
}

fn wait_until_named(service: &Service, words: &str, at: usize) {
    wait_for(
        &format!("{words} is named"),
        SOON,
        || service.lines(),
        || {
            service.assert_runs();
            service.lines()[at..].contains(words).then_some(())
        },
    );
}

/// What a command of this user writes to standard output, once it ends with this code.
fn told_by(scene: &Scene, arguments: &[String], verb: &[&str], exit: i32) -> String {
    let output = scene.call(&[verb, &words(arguments)].concat());
    let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{verb:?}: {all}");
    all
}

#[test]
fn dead_letters_are_settled_and_ranges_replayed_with_exactly_the_rights_of_the_script() {
    let (fortress, scene, principal, arguments) = stage("rights-beside");
    let expected = write(&scene, 0..80);
    // Somebody else decides them, by a wrong setting.
    let tight = ["run", "--once", "--set", "limits.record_bytes=60", "--set", "rules.test=false"];
    let decided = scene.call(&tight);
    assert!(decided.status.success(), "{}", String::from_utf8_lossy(&decided.stderr));
    // One more has an event that is too large for its topic: who may not see the topic's settings learns of it by the refusal.
    let large = Raw { value: Some(with_note(0, 30_000)), ..Raw::default() };
    scene.write(&[large]);
    let decided = scene.call(&[&tight[..], &["--set", "limits.field_bytes=65536"]].concat());
    assert!(decided.status.success(), "{}", String::from_utf8_lossy(&decided.stderr));
    clients::alter_topic(&scene.brokers, &scene.qualified, &[("max.message.bytes", "20000")]);

    fortress.grant(&principal, &acls_of(&scene, "dlq"));
    let refused = told_by(&scene, &arguments, &["dlq", "retry", "--commit"], 1);
    assert!(refused.contains("topics create --dlq"), "{refused}");
    assert!(scene.call(&["topics", "create", "--dlq"]).status.success());
    let retried = told_by(&scene, &arguments, &["dlq", "retry", "--commit", "--json", "--set", "limits.field_bytes=65536"], 0);
    let retried: serde_json::Value = serde_json::from_str(retried.lines().collect::<String>().trim()).expect("JSON");
    assert_eq!(retried["rejected"]["output_too_large"].as_u64(), Some(1), "{retried:#}");
    assert!(retried["decided"].as_u64() > Some(50), "{retried:#}");
    let listed = told_by(&scene, &arguments, &["dlq", "ls"], 0);
    assert!(listed.contains("output_too_large"), "{listed}");
    told_by(&scene, &arguments, &["dlq", "park", "--commit", "--code", "output_too_large"], 0);
    assert_eq!(scene.read(&format!("{}.parked", scene.dead_letter)).len(), 1);
    fortress.revoke(&principal, &acls_of(&scene, "dlq"));

    fortress.grant(&principal, &acls_of(&scene, "replay"));
    let range = ["replay", "--from", "earliest", "--to", "latest", "--set", "http.listen=127.0.0.1:0", "--id"];
    let done = told_by(&scene, &arguments, &[&range[..], &["mine"]].concat(), 0);
    assert!(done.contains("replay mine is done: 81 records"), "{done}");
    assert!(expected.len() == 80 && Outcomes::of_replay(&scene, "mine").by_position_count() == 81);
    fortress.grant(&principal, &acls(&scene));
    let done = told_by(&scene, &arguments, &[&range[..], &["live", "--promote", "--yes"]].concat(), 0);
    assert!(done.contains("81 records with dead letters were left to `leadstream dlq`"), "{done}");
}
