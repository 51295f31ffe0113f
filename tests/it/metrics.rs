//! The metrics and their reference page, from outside: what a lane tells in, what a scraper reads out.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use leadstream::{
    io::{Batch, Cause, Committed, CountedLead, HaltReason, LaneEvent, Tally},
    lead::{
        Campaign, DeadLetterCode, DeadLetterStage, Flag, Flags, Outcome, Partition, Rejection, Storefront, Timestamp, Verdict, Vocabulary,
    },
    pipeline::{self, Memory, OutputBuffer, OutputTopic},
    telemetry::{
        Labels, Metrics,
        names::{self, Kind, Values},
    },
};

use crate::{core, trial_metrics};

pub(crate) fn metrics() -> Metrics {
    let labels = Labels {
        input: vec!["leads.raw".to_owned()],
        output: ["leads.qualified", "leads.unqualified", "leads.routing", "leads.dead-letter", "leads.ledger"].map(str::to_owned),
        ruleset: ["default".to_owned(), "2026.11.1".to_owned(), "ab".repeat(32)],
    };
    Metrics::new(labels).expect("the table has each name once")
}

pub(crate) fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.render()).expect("UTF-8")
}

/// The value of the one series that is written like this.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// Sum over all series of a metric that holds whole numbers.
fn sum(text: &str, metric: &str) -> u64 {
    let of_metric = |line: &&str| line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' ']));
    text.lines()
        .filter(of_metric)
        .map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok()).expect("a whole number"))
        .sum()
}

pub(crate) fn series(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn partition(number: i32) -> Partition {
    Partition { topic: "leads.raw".into(), number }
}

const TOOK: Committed = Committed { took: Duration::from_millis(7) };

/// Three records: a qualified lead, a lead with two reasons, and one that is not JSON.
fn three_records() -> Tally {
    let mut tally = Tally::default();
    let topic = "leads.raw".into();
    let mut lead = CountedLead {
        storefront: Storefront::AppSource,
        campaign: Campaign::Nurture,
        verdict: Verdict::Qualified,
        flags: Flags::default(),
        score: 35,
        event_time: Timestamp::from_millis(1_000),
    };
    tally.read(&topic);
    tally.decided_records += 1;
    tally.lead(&lead, &[], ["PUBLISHER_CRM", "MICROSOFT_FIELD_SELLER_CRM"].into_iter());
    tally.events(OutputTopic::Qualified, 1);
    tally.events(OutputTopic::Routing, 2);

    tally.read(&topic);
    tally.decided_records += 1;
    lead.verdict = Verdict::Unqualified;
    lead.score = -10;
    lead.flags.insert(Flag::OfferMissing);
    // An event time ahead of the clock.
    lead.event_time = Timestamp::from_millis(9_000);
    tally.lead(&lead, &["test_lead", "own_rule"], std::iter::empty());
    tally.events(OutputTopic::Unqualified, 1);

    tally.record(&topic, &Outcome::Rejected(Rejection::decode(DeadLetterCode::MalformedJson, "byte 3")));
    tally.events(OutputTopic::DeadLetter, 1);
    tally
}

pub(crate) fn commit(metrics: &Metrics, tally: &Tally) {
    metrics.committed(tally, TOOK, Duration::from_millis(2), Timestamp::from_millis(3_000));
}

#[test]
fn the_first_lead_for_a_destination_is_no_first_value() {
    let metrics = metrics();
    metrics.destinations(["FIELD_SALES", "PARTNER_DESK"].into_iter());
    let text = text(&metrics);
    for metric in ["leadstream_routes_total", "leadstream_late_routes_total"] {
        for destination in ["FIELD_SALES", "PARTNER_DESK"] {
            for storefront in Storefront::ALL {
                let series = format!("{metric}{{destination=\"{destination}\",storefront=\"{}\"}}", storefront.name());
                assert_eq!(value(&text, &series), Some(0.0), "{series}");
            }
        }
    }
}

#[test]
fn a_committed_batch_moves_every_counter_it_should() {
    let metrics = metrics();
    commit(&metrics, &three_records());
    let text = text(&metrics);
    for (series, expected) in [
        ("leadstream_records_consumed_total{topic=\"leads.raw\"}", 3.0),
        ("leadstream_leads_total{campaign=\"NURTURE\",storefront=\"APP_SOURCE\",verdict=\"QUALIFIED\"}", 1.0),
        ("leadstream_leads_total{campaign=\"NURTURE\",storefront=\"APP_SOURCE\",verdict=\"UNQUALIFIED\"}", 1.0),
        ("leadstream_qualifiable_leads_total{campaign=\"NURTURE\",storefront=\"APP_SOURCE\"}", 1.0),
        ("leadstream_unqualified_total{reason=\"test_lead\",storefront=\"APP_SOURCE\"}", 1.0),
        ("leadstream_unqualified_total{reason=\"own_rule\",storefront=\"APP_SOURCE\"}", 1.0),
        ("leadstream_flags_total{flag=\"offer_missing\"}", 1.0),
        ("leadstream_dead_letters_total{code=\"malformed_json\",stage=\"decode\"}", 1.0),
        ("leadstream_events_produced_total{topic=\"leads.qualified\"}", 1.0),
        ("leadstream_events_produced_total{topic=\"leads.unqualified\"}", 1.0),
        ("leadstream_events_produced_total{topic=\"leads.routing\"}", 2.0),
        ("leadstream_events_produced_total{topic=\"leads.dead-letter\"}", 1.0),
        ("leadstream_routes_total{destination=\"PUBLISHER_CRM\",storefront=\"APP_SOURCE\"}", 1.0),
        ("leadstream_score_sum{storefront=\"APP_SOURCE\"}", 25.0),
        ("leadstream_score_count{storefront=\"APP_SOURCE\"}", 2.0),
        ("leadstream_score_bucket{storefront=\"APP_SOURCE\",le=\"30\"}", 1.0),
        ("leadstream_score_count{storefront=\"AZURE_MARKETPLACE\"}", 0.0),
        ("leadstream_end_to_end_seconds_sum{storefront=\"APP_SOURCE\"}", 2.0),
        ("leadstream_end_to_end_seconds_count{storefront=\"APP_SOURCE\"}", 2.0),
        ("leadstream_decision_seconds_sum", 0.002),
        ("leadstream_commit_seconds_sum", 0.007),
        ("leadstream_batch_records_sum", 3.0),
        ("leadstream_transactions_total{result=\"committed\"}", 1.0),
        ("leadstream_transactions_total{result=\"aborted\"}", 0.0),
        ("leadstream_unaccounted_records", 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}");
    }
}

/// What was published about a record is what is counted of it, lead by lead.
#[test]
fn the_tally_of_a_decision_says_what_its_events_say() {
    let records: [&[u8]; 4] = [
        br#"{"userDetails": {"firstName": "Ada", "email": "ada@bakery-company.de"}, "leadSource": "SPZA-PLT|bakery.app"}"#,
        br#"{"userDetails": {"email": "ada@bakery-company.de"}, "leadSource": "AzureMarketplace-DNC|bakery.app"}"#,
        br#"[{"userDetails": {"lastName": "MSFT_TEST"}}, {"userDetails": {"email": "bo@mill-company.fr"}, "leadSource": "SPZA-INS"}]"#,
        b"{",
    ];
    let pipeline = core::pipeline();
    let (mut tally, mut decided_records, mut published) = (Tally::default(), 0, BTreeMap::new());
    for value in records {
        let mut batch = Batch::default();
        batch.push(core::at(1), core::now(), None, Some(value), std::iter::empty());
        let record = batch.get(0).expect("just pushed");
        let mut out = OutputBuffer::default();
        out.begin(core::now());
        tally.read(&record.at.partition.topic);
        pipeline::run(&record, &pipeline, &mut Memory::default(), &mut out, |outcome| tally.outcome(outcome));
        decided_records += u64::from(out.iter().all(|output| output.topic != OutputTopic::DeadLetter));
        let mut count = |what: String| *published.entry(what).or_insert(0) += 1;
        out.iter().for_each(|output| tally.events(output.topic, 1));
        for output in out.iter().filter(|output| output.topic != OutputTopic::DeadLetter) {
            let event: serde_json::Value = serde_json::from_slice(output.value.expect("an event has a value")).expect("JSON");
            let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            if output.topic == OutputTopic::Routing {
                count(format!("route {} {}", word("storefront"), word("destination")));
                continue;
            }
            count(format!("lead {} {} {}", word("storefront"), word("campaign"), word("verdict")));
            count(format!("score {} {} {}", word("storefront"), event["score"]["total"], word("event_time")));
            for reason in event["reasons"].as_array().into_iter().flatten() {
                count(format!("reason {} {}", word("storefront"), reason.as_str().expect("text")));
            }
            for flag in event["flags"].as_array().into_iter().flatten() {
                count(format!("flag {}", flag.as_str().expect("text")));
            }
        }
    }
    let mut counted = BTreeMap::new();
    let mut add = |what: String, count: u64| *counted.entry(what).or_insert(0) += count;
    for ((storefront, campaign, verdict), count) in tally.leads.iter() {
        add(format!("lead {} {} {}", storefront.name(), campaign.name(), verdict.name()), count);
    }
    for ((storefront, reason), count) in tally.reasons.iter() {
        add(format!("reason {} {reason}", storefront.name()), count);
    }
    for ((storefront, destination), count) in tally.routes.iter() {
        add(format!("route {} {destination}", storefront.name()), count);
    }
    for (flag, count) in tally.flags.iter() {
        add(format!("flag {}", flag.name()), count);
    }
    for lead in &tally.decided {
        add(format!("score {} {} {}", lead.storefront.name(), lead.score, lead.event_time), 1);
    }
    assert_eq!(counted, published);
    assert_eq!((tally.records.total(), tally.decided_records, tally.leads.total()), (4, decided_records, 4));
    assert_eq!((tally.decided_records, tally.dead_letters.total(), tally.unaccounted()), (3, 1, 0));
    for kind in ["route", "reason", "flag"] {
        assert!(published.keys().any(|what| what.starts_with(kind)), "no {kind} to compare: {published:?}");
    }
}

#[test]
fn each_storefront_has_its_own_distribution() {
    for storefront in Storefront::ALL {
        let metrics = metrics();
        let mut tally = Tally::default();
        let lead = CountedLead {
            storefront: *storefront,
            campaign: Campaign::Unclassified,
            verdict: Verdict::Qualified,
            flags: Flags::default(),
            score: 10,
            event_time: Timestamp::default(),
        };
        tally.lead(&lead, &[], std::iter::empty());
        commit(&metrics, &tally);
        let text = text(&metrics);
        assert_eq!(value(&text, &format!("leadstream_score_count{{storefront=\"{}\"}}", storefront.name())), Some(1.0));
        assert_eq!(sum(&text, "leadstream_score_count"), 1);
    }
}

#[test]
fn an_aborted_batch_moves_only_the_count_of_aborts() {
    let metrics = metrics();
    let before = text(&metrics);
    metrics.aborted(Cause::Rebalance);
    let after = text(&metrics);
    let moved: Vec<_> = series(&after).filter(|line| !before.lines().any(|known| known == *line)).collect();
    let moved: Vec<_> = moved.into_iter().filter(|line| !line.starts_with("process_")).collect();
    let expected = ["leadstream_aborts_total{reason=\"rebalance\"} 1", "leadstream_transactions_total{result=\"aborted\"} 1"];
    assert_eq!(moved, expected);
}

#[test]
fn a_record_without_an_outcome_stays_visible_however_many_good_batches_follow() {
    let metrics = metrics();
    let mut lost = three_records();
    lost.read(&"leads.raw".into());
    commit(&metrics, &lost);
    let mut doubled = three_records();
    doubled.dead_letter(DeadLetterStage::Encode, DeadLetterCode::OutputTooLarge);
    doubled.events(OutputTopic::DeadLetter, 1);
    commit(&metrics, &doubled);
    commit(&metrics, &three_records());
    assert_eq!(value(&text(&metrics), "leadstream_unaccounted_records"), Some(2.0), "one lost and one twice are two, not none");
}

#[test]
fn what_can_be_known_beforehand_starts_at_zero_and_every_label_stays_in_its_set() {
    let metrics = metrics();
    let fresh = text(&metrics);
    assert_eq!(value(&fresh, "leadstream_unqualified_total{reason=\"do_not_contact\",storefront=\"UNKNOWN\"}"), Some(0.0));
    assert_eq!(value(&fresh, "leadstream_dead_letters_total{code=\"output_too_large\",stage=\"encode\"}"), Some(0.0));
    assert_eq!(value(&fresh, "leadstream_rebalances_total{kind=\"lost\"}"), Some(0.0));
    assert_eq!(value(&fresh, "leadstream_ruleset_reloads_total{result=\"refused\"}"), Some(0.0));
    let hash = "ab".repeat(32);
    let ruleset = format!("leadstream_ruleset_info{{hash=\"{hash}\",name=\"default\",version=\"2026.11.1\"}}");
    assert_eq!(value(&fresh, &ruleset), Some(1.0));

    commit(&metrics, &three_records());
    metrics.happened(LaneEvent::Assigned(&[partition(0)]));
    metrics.happened(LaneEvent::Lag { partition: &partition(0), next: 1, end: 2, seconds: 0.5 });
    metrics.happened(LaneEvent::Recycled(Cause::Fenced));
    metrics.happened(LaneEvent::Halted { partitions: &[partition(0)], reason: HaltReason::LostPosition, why: "" });
    commit(&metrics, &trial_metrics::tried("1"));
    let shown = text(&metrics);
    for metric in names::ALL {
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.name());
        assert!(shown.lines().any(|line| line == kind), "no line {kind:?}");
        let mut found = 0;
        for line in series(&shown) {
            let Some((name, labels)) = line.split_once('{').or_else(|| line.split_once(' ').map(|(name, _)| (name, ""))) else {
                panic!("{line}")
            };
            if !metric.series().iter().any(|known| known == name) {
                continue;
            }
            found += 1;
            for label in metric.labels {
                let told = labels.split(&format!("{}=\"", label.name)).nth(1).and_then(|rest| rest.split('"').next());
                let told = told.unwrap_or_else(|| panic!("{line} has no label {}", label.name));
                if let Values::Closed(values) = label.values {
                    assert!(values().contains(&told), "{line}: {told} is none of {:?}", values());
                }
            }
        }
        assert!(found > 0, "no series of {}", metric.name);
    }
    let told = shown.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(told, names::ALL.len(), "a metric that is not in the table");
}

#[test]
fn the_lag_of_a_partition_goes_with_it() {
    let metrics = metrics();
    let lag = "leadstream_consumer_lag_records{partition=\"3\",topic=\"leads.raw\"}";
    let age = "leadstream_consumer_lag_seconds{partition=\"3\",topic=\"leads.raw\"}";
    metrics.happened(LaneEvent::Assigned(&[partition(3), partition(4)]));
    metrics.happened(LaneEvent::Lag { partition: &partition(3), next: 10, end: 12, seconds: 4.5 });
    assert_eq!((value(&text(&metrics), lag), value(&text(&metrics), age)), (Some(2.0), Some(4.5)));
    assert_eq!(value(&text(&metrics), "leadstream_assigned_partitions"), Some(2.0));

    metrics.happened(LaneEvent::Revoked(&[partition(3)]));
    assert_eq!((value(&text(&metrics), lag), value(&text(&metrics), age)), (None, None));
    assert_eq!(value(&text(&metrics), "leadstream_assigned_partitions"), Some(1.0));
    metrics.happened(LaneEvent::Lag { partition: &partition(3), next: 10, end: 12, seconds: 4.5 });
    assert_eq!(value(&text(&metrics), lag), None, "told late, of a partition that is gone");

    metrics.happened(LaneEvent::Lost(&[partition(4)]));
    metrics.happened(LaneEvent::Lost(&[]));
    let shown = text(&metrics);
    assert_eq!(value(&shown, "leadstream_assigned_partitions"), Some(0.0));
    assert_eq!(value(&shown, "leadstream_rebalances_total{kind=\"lost\"}"), Some(1.0), "nothing in hand, nothing lost");
}

#[test]
fn a_partition_that_stands_still_is_told_by_whoever_has_it() {
    let metrics = metrics();
    let still = || series(&text(&metrics)).filter(|line| line.starts_with("leadstream_halted_partitions")).count();
    metrics.happened(LaneEvent::Assigned(&[partition(3), partition(4)]));
    metrics.happened(LaneEvent::Halted { partitions: &[partition(3)], reason: HaltReason::LostPosition, why: "gone" });
    assert_eq!(still(), 1);
    let series = "leadstream_halted_partitions{partition=\"3\",reason=\"lost_position\",topic=\"leads.raw\"}";
    assert_eq!(value(&text(&metrics), series), Some(1.0));
    metrics.happened(LaneEvent::Revoked(&[partition(3)]));
    assert_eq!(still(), 0);
    metrics.happened(LaneEvent::Skipped { partition: &partition(4), offsets: 7 });
    assert_eq!(value(&text(&metrics), "leadstream_skipped_offsets_total{topic=\"leads.raw\"}"), Some(7.0));
}

#[test]
fn a_partition_that_moves_between_two_lanes_is_still_told() {
    let metrics = metrics();
    let lag = "leadstream_consumer_lag_records{partition=\"3\",topic=\"leads.raw\"}";
    metrics.happened(LaneEvent::Assigned(&[partition(3)]));
    // The second lane has it before the first has noticed that it lost it.
    metrics.happened(LaneEvent::Assigned(&[partition(3)]));
    metrics.happened(LaneEvent::Lag { partition: &partition(3), next: 10, end: 12, seconds: 0.0 });
    metrics.happened(LaneEvent::Lost(&[partition(3)]));
    assert_eq!(value(&text(&metrics), lag), Some(2.0));
    assert_eq!(value(&text(&metrics), "leadstream_assigned_partitions"), Some(1.0));
    metrics.happened(LaneEvent::Revoked(&[partition(3)]));
    metrics.happened(LaneEvent::Revoked(&[partition(3)]));
    assert_eq!(value(&text(&metrics), lag), None);
    assert_eq!(value(&text(&metrics), "leadstream_assigned_partitions"), Some(0.0), "never below nothing");
}

#[test]
fn the_number_of_series_is_bounded() {
    let metrics = metrics();
    for number in 0..64 {
        metrics.happened(LaneEvent::Assigned(&[partition(number)]));
        metrics.happened(LaneEvent::Lag { partition: &partition(number), next: 0, end: 1, seconds: 1.0 });
    }
    let mut tally = Tally::default();
    for stage in DeadLetterStage::ALL {
        for code in DeadLetterCode::ALL {
            tally.dead_letter(*stage, *code);
        }
    }
    let (reasons, destinations): (Vec<_>, Vec<_>) = (0..30).map(|n| (format!("reason_{n}"), format!("DESTINATION_{n}"))).unzip();
    let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
    for storefront in Storefront::ALL {
        for campaign in Campaign::ALL {
            for verdict in Verdict::ALL {
                let (flags, event_time) = (Flags::default(), Timestamp::default());
                let lead = CountedLead { storefront: *storefront, campaign: *campaign, verdict: *verdict, flags, score: 0, event_time };
                tally.lead(&lead, &reasons, destinations.iter().map(String::as_str));
            }
        }
    }
    commit(&metrics, &tally);
    let shown = text(&metrics);
    assert!(series(&shown).count() < 3_000, "{} series", series(&shown).count());
}

#[test]
fn a_scrape_never_sees_half_a_batch() {
    let metrics = metrics();
    let stop = Arc::new(AtomicBool::new(false));
    let lane = {
        let (metrics, stop) = (metrics.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            let tally = three_records();
            while !stop.load(Ordering::Relaxed) {
                commit(&metrics, &tally);
            }
        })
    };
    let (mut scrapes, mut last) = (0, 0);
    // Until the lane has been seen at work often enough.
    while scrapes < 200 {
        let shown = text(&metrics);
        let consumed = sum(&shown, "leadstream_records_consumed_total");
        let outcomes = sum(&shown, "leadstream_leads_total") + sum(&shown, "leadstream_dead_letters_total");
        assert_eq!(consumed, outcomes, "consumed = leads + dead letters, for records of one lead");
        assert_eq!(sum(&shown, "leadstream_batch_records_sum"), consumed);
        scrapes += u32::from(consumed > last);
        last = consumed;
    }
    stop.store(true, Ordering::Relaxed);
    lane.join().expect("the lane ends");
}

fn described(values: Values) -> String {
    match values {
        Values::Closed(values) => values().iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        Values::Bounded(by) => format!("({by})"),
    }
}

/// The part of docs/metrics.md that follows from the table of names.
fn reference() -> String {
    let mut page = String::from("| metric | kind | unit | labels | tells | since |\n|---|---|---|---|---|---|\n");
    for metric in names::ALL {
        let labels = metric.label_names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let (kind, unit) = (metric.kind.name(), metric.unit.name());
        writeln!(page, "| `{}` | {kind} | {unit} | {labels} | {} | {} |", metric.name, metric.help, metric.since)
            .expect("a String takes all");
    }
    page += "\n| label | of | values |\n|---|---|---|\n";
    let mut told = Vec::new();
    for label in names::ALL.iter().flat_map(|metric| metric.labels) {
        let row = (label.name, described(label.values));
        if told.contains(&row) {
            continue;
        }
        let has = |metric: &&names::Metric| metric.labels.iter().any(|of| (of.name, described(of.values)) == row);
        let of = names::ALL.iter().filter(has).map(|metric| format!("`{}`", metric.name)).collect::<Vec<_>>().join(", ");
        writeln!(page, "| `{}` | {of} | {} |", row.0, row.1).expect("a String takes all");
        told.push(row);
    }
    page += "\n| histogram | upper bounds of its buckets |\n|---|---|\n";
    for metric in names::ALL {
        if let Kind::Histogram(buckets) = metric.kind {
            let bounds = buckets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            writeln!(page, "| `{}` | {bounds} |", metric.name).expect("a String takes all");
        }
    }
    page
}

#[test]
fn the_reference_page_says_what_the_table_of_names_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(&file).expect("docs/metrics.md");
    let (begin, end) = ("<!-- from src/telemetry/names.rs -->\n", "<!-- end -->");
    let part = page.split(begin).nth(1).and_then(|rest| rest.split(end).next()).unwrap_or_default();
    let expected = reference();
    if std::env::var_os("LEADSTREAM_BLESS").is_some() {
        fs::write(&file, page.replace(part, &expected)).expect("written");
        return;
    }
    assert!(part == expected, "docs/metrics.md is out of date. Between {begin:?} and {end:?} must stand:\n{expected}");
}
