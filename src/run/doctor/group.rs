//! How the group stands: who is in it, how far it is behind, and whether what it has still to decide will be there. Judges what
//! was asked; asks nobody.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    config::Config,
    kafka::{BrokerSettings, GroupMember, PartitionBacklog},
};

use super::{
    cluster::counted,
    finding::{Code, Finding},
};

/// Clocks of machines that are kept in time differ by less.
const SKEW: Duration = Duration::from_mins(1);

/// Who is in the group.
pub(super) fn members(config: &Config, members: &[GroupMember]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut lanes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut twins = BTreeSet::new();
    let has_name_of_its_own = config.kafka.client.contains_key("client.id") || config.kafka.consumer.contains_key("client.id");
    let ours = format!("{}-", config.kafka.group);
    let mut foreign = BTreeSet::new();
    for member in members {
        if lanes.contains_key(member.client.as_str()) {
            twins.insert(member.client.as_str());
        }
        lanes.entry(&member.client).or_default().insert(&member.host);
        if !member.client.starts_with(&ours) {
            foreign.insert(format!("{} at {}", member.client, member.host));
        }
    }
    if has_name_of_its_own {
        // Its lanes cannot be told apart.
        return found;
    }
    for client in twins.iter().filter(|client| client.starts_with(&ours)) {
        let hosts: Vec<_> = lanes.get(client).into_iter().flatten().copied().collect();
        let message = format!("is a lane of two processes (at {})", hosts.join(" and "));
        let fix = "give each process a kafka.instance of its own, and end one of them";
        found.push(Finding::error(Code::TwinInstance, *client, message, fix));
    }
    let instance = format!("{ours}{}-", config.kafka.instance);
    let running = lanes.keys().filter(|client| !config.kafka.instance.is_empty() && client.starts_with(&instance)).count();
    if running > 0 && found.is_empty() {
        let message = format!("{} of it in the group now", counted(running, "lane", "lanes"));
        found.push(Finding::info(Code::InstanceRunning, format!("kafka.instance {}", config.kafka.instance), message, ""));
    }
    if !foreign.is_empty() {
        let names: Vec<_> = foreign.into_iter().collect();
        let fix = "give the other program a group of its own, or this one (kafka.group)";
        let message = format!("has members that are no lanes of this version of leadstream: {}", names.join(", "));
        found.push(Finding::warning(Code::ForeignMember, format!("group {}", config.kafka.group), message, fix));
    }
    found
}

/// The command that moves the group.
fn moved(config: &Config, place: &PartitionBacklog, to: i64) -> String {
    format!(
        "kafka-consumer-groups.sh --bootstrap-server {} --group {} --topic {}:{} --reset-offsets --to-offset {to} --execute",
        config.kafka.brokers, config.kafka.group, place.topic, place.partition
    )
}

/// How far it is behind.
pub(super) fn backlog(config: &Config, places: &[PartitionBacklog], retention: &BTreeMap<&str, Duration>, now_ms: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    for place in places {
        let subject = format!("{}/{}", place.topic, place.partition);
        let Some(committed) = place.committed else { continue };
        if committed < place.low {
            let message = format!("offsets {committed} to {} were deleted before they were decided", place.low - 1);
            let fix = format!(
                "decide whether they can be had again; to go on without them, set run.on_lost_position = \"earliest\", or end the \
                 group's processes and move it: {}",
                moved(config, place, place.low)
            );
            found.push(Finding::error(Code::OffsetOutOfRange, subject, message, fix));
        } else if committed > place.end {
            let message = format!("the group has committed offset {committed}, and the partition ends at {}", place.end);
            let fix = format!(
                "if the topic was made anew, set run.on_lost_position = \"earliest\", or end the group's processes and move it to the \
                 beginning: {}",
                moved(config, place, place.low)
            );
            found.push(Finding::error(Code::OffsetOutOfRange, subject, message, fix));
        }
    }
    let behind: i64 = places.iter().map(|place| (place.end - place.committed.unwrap_or(place.low).max(place.low)).max(0)).sum();
    let oldest = places.iter().filter_map(|place| place.oldest_ms).min();
    let message = match oldest {
        Some(oldest) if behind > 0 => format!("{behind} offsets to decide, the oldest of {} ago", ago(now_ms, oldest)),
        _ => format!("{behind} offsets to decide"),
    };
    found.push(Finding::ok(Code::Backlog, "input", message));
    found.extend(places.iter().filter_map(|place| near_its_end(place, retention, now_ms)));
    let ahead = places.iter().filter_map(|place| place.oldest_ms).max().filter(|newest| newest - now_ms > millis(SKEW));
    if let Some(newest) = ahead {
        let message = format!("holds a record of {} s after this machine's time", (newest - now_ms) / 1000);
        let fix = "set the clocks of the producers (or of the brokers, where they stamp records) and of this machine";
        found.push(Finding::warning(Code::ClockSkew, "input", message, fix));
    }
    found
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn ago(now_ms: i64, then_ms: i64) -> String {
    let seconds = (now_ms - then_ms).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A record that is to be decided and will soon be deleted.
fn near_its_end(place: &PartitionBacklog, retention: &BTreeMap<&str, Duration>, now_ms: i64) -> Option<Finding> {
    let kept = millis(*retention.get(place.topic.as_str())?);
    let age = now_ms - place.oldest_ms?;
    if age < kept / 2 {
        return None;
    }
    let subject = format!("{}/{}", place.topic, place.partition);
    let message = format!("its oldest record to decide is {} old, and retention.ms is {kept}", ago(age, 0));
    let fix = "raise retention.ms of the topic until the group has caught up, and give it more lanes";
    let near = age >= kept / 10 * 9;
    Some(if near {
        Finding::error(Code::Retention, subject, message, fix)
    } else {
        Finding::warning(Code::Retention, subject, message, fix)
    })
}

/// Whether the group would lose its offsets while what it has decided is still there.
pub(super) fn offsets_retention(config: &Config, broker: &BrokerSettings, retention: &BTreeMap<&str, Duration>) -> Option<Finding> {
    let minutes: u64 = broker.get("offsets.retention.minutes")?.parse().ok()?;
    let kept = Duration::from_mins(minutes);
    let longer: Vec<_> = config.topics.raw.iter().filter(|topic| retention.get(topic.as_str()).is_none_or(|time| *time > kept)).collect();
    (!longer.is_empty()).then(|| {
        let longer: Vec<_> = longer.into_iter().map(String::as_str).collect();
        let message = format!("offsets.retention.minutes is {minutes}, and {} keeps records longer", longer.join(", "));
        let fix = "set offsets.retention.minutes on the brokers to more than the input's retention; do not leave the group without a \
                   process for so long";
        Finding::warning(Code::OffsetsRetention, format!("group {}", config.kafka.group), message, fix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(low: i64, end: i64, committed: Option<i64>, oldest_ms: Option<i64>) -> PartitionBacklog {
        PartitionBacklog { topic: "t".into(), partition: 0, low, end, committed, oldest_ms }
    }

    fn told(found: &[Finding]) -> Vec<String> {
        found.iter().map(|finding| format!("{} {}", finding.severity.name(), finding.code.name())).collect()
    }

    #[test]
    fn what_will_be_deleted_before_it_is_decided_is_told_in_time() {
        let retention = BTreeMap::from([("t", Duration::from_secs(100))]);
        let now = 1_000_000_000;
        let of = |place| told(&backlog(&Config::default(), &[place], &retention, now));
        assert_eq!(of(place(0, 9, Some(4), Some(now - 49_000))), ["ok backlog"]);
        assert_eq!(of(place(0, 9, Some(4), Some(now - 51_000))), ["ok backlog", "warning retention"]);
        assert_eq!(of(place(0, 9, Some(4), Some(now - 91_000))), ["ok backlog", "error retention"]);
        assert_eq!(of(place(0, 9, None, None)), ["ok backlog"]);
        assert_eq!(of(place(5, 9, Some(4), None)), ["error offset_out_of_range", "ok backlog"]);
        assert_eq!(of(place(0, 3, Some(4), None)), ["error offset_out_of_range", "ok backlog"]);
        assert_eq!(of(place(0, 9, None, Some(now + 61_001))), ["ok backlog", "warning clock_skew"]);
    }

    #[test]
    fn a_twin_and_a_stranger_are_told_from_the_process_that_runs() {
        let mut config = Config::default();
        config.kafka.instance = "a".into();
        let member = |client: &str| GroupMember { client: client.into(), host: "10.0.0.1".into() };
        let of = |names: &[&str]| told(&members(&config, &names.iter().map(|name| member(name)).collect::<Vec<_>>()));
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&["leadstream-a-0", "leadstream-a-1", "leadstream-b-0"]), ["info instance_running"]);
        assert_eq!(of(&["leadstream-b-0", "leadstream-b-0"]), ["error twin_instance"]);
        assert_eq!(of(&["leadstream-b-0", "rdkafka"]), ["warning foreign_member"]);
    }

    #[test]
    fn offsets_are_to_outlive_the_records() {
        let broker = BTreeMap::from([("offsets.retention.minutes".to_owned(), "10".to_owned())]);
        let of = |seconds| {
            let retention: BTreeMap<&str, Duration> = BTreeMap::from([("leads.raw", Duration::from_secs(seconds))]);
            offsets_retention(&Config::default(), &broker, &retention).is_some()
        };
        assert_eq!((of(600), of(601)), (false, true));
    }
}
