//! The state of a process, as its lanes tell of themselves.

use super::*;
use crate::io::Cause;
use crate::lead::DeadLetterCode;

fn partition(number: i32) -> Partition {
    Partition { topic: "leads.raw".into(), number }
}

fn status() -> Status {
    let status = Status::new(["default".to_owned(), "1".to_owned(), "ab".repeat(32)], Timestamp::from_millis(0));
    status.add_lane();
    status.add_lane();
    status
}

#[test]
fn a_lane_that_takes_every_batch_back_is_not_ready_until_one_goes_through() {
    let status = Status::new(["r".to_owned(), "1".to_owned(), "h".to_owned()], Timestamp::from_micros(0));
    status.broker(Ok(()));
    status.add_lane();
    status.happened(0, LaneEvent::Assigned(&[]));
    let abort = |reason| Abort { reason, detail: "why".to_owned(), too_large: Vec::new(), limits: None };
    for _ in 0..9 {
        status.aborted(0, &abort(Cause::Rebalance), Timestamp::from_micros(1));
    }
    assert_eq!(status.missing(), [""; 0]);
    for _ in 0..IN_VAIN {
        status.aborted(0, &abort(Cause::MissingTopic), Timestamp::from_micros(1));
    }
    assert_eq!(status.missing(), ["lane 0 takes every batch back: missing_topic: why"]);
    status.committed(0, &Tally::default(), Timestamp::from_micros(2));
    assert_eq!(status.missing(), [""; 0]);
}

#[test]
fn a_process_is_ready_once_the_broker_answers_and_every_lane_has_joined() {
    let status = status();
    assert_eq!(status.missing().len(), 3, "{:?}", status.missing());
    status.broker(Ok(()));
    status.happened(0, LaneEvent::Assigned(&[partition(0)]));
    assert_eq!(status.missing(), ["lane 1 has not joined the group yet"]);
    // More lanes than partitions: a lane that is told to wait has joined.
    status.happened(1, LaneEvent::Assigned(&[]));
    assert_eq!(status.missing(), [""; 0]);
    status.broker(Err("connection refused"));
    assert_eq!(status.missing(), ["the broker does not answer: connection refused"]);
    status.broker(Ok(()));
    assert_eq!(status.missing(), [""; 0]);
    status.stopping();
    assert_eq!(status.missing(), ["stopping"]);
}

#[test]
fn a_lane_that_its_group_gave_up_is_not_ready_until_it_has_joined_again() {
    let status = status();
    status.broker(Ok(()));
    status.happened(0, LaneEvent::Assigned(&[partition(0)]));
    status.happened(1, LaneEvent::Assigned(&[partition(1)]));
    status.happened(0, LaneEvent::Revoked(&[partition(0)]));
    assert_eq!(status.missing(), [""; 0], "giving partitions back in good order is no fault");
    status.happened(1, LaneEvent::Lost(&[partition(1)]));
    assert_eq!(status.missing(), ["lane 1 has not joined the group yet"]);
    status.happened(1, LaneEvent::Assigned(&[]));
    assert_eq!(status.missing(), [""; 0]);
}

#[test]
fn what_stands_still_is_told_until_it_is_gone() {
    let status = status();
    status.broker(Ok(()));
    status.happened(0, LaneEvent::Assigned(&[partition(0), partition(1)]));
    status.happened(1, LaneEvent::Assigned(&[partition(2)]));
    let (lost, flood) = (HaltReason::LostPosition, HaltReason::DeadLetters);
    status.happened(0, LaneEvent::Halted { partitions: &[partition(1)], reason: lost, why: "leads.raw/1 stands still: gone" });
    assert_eq!(status.missing(), ["leads.raw/1 stands still: gone"]);
    assert_eq!(status.halted_partitions().into_keys().collect::<Vec<_>>(), [partition(1)]);
    let shown = status.to_json(Instant::now());
    assert_eq!(shown["lanes"][0]["state"], "running", "the other partition goes on");
    assert_eq!(shown["lanes"][0]["partitions"][1]["halted"], "leads.raw/1 stands still: gone");
    status.happened(0, LaneEvent::Revoked(&[partition(1)]));
    assert_eq!(status.missing(), [""; 0], "whoever has it now tells");

    status.happened(1, LaneEvent::Halted { partitions: &[partition(2)], reason: flood, why: "a flood" });
    assert_eq!(status.missing(), ["lane 1 has halted: a flood"]);
    assert_eq!(status.to_json(Instant::now())["lanes"][1]["state"], "halted");
    status.happened(1, LaneEvent::Revoked(&[partition(2)]));
    assert_eq!(status.missing(), ["lane 1 has halted: a flood"], "it halts whatever it is given");
    assert_eq!(status.to_json(Instant::now())["lanes"][1]["halted"], "a flood");
}

#[test]
fn a_lane_is_stuck_when_it_has_not_come_round_in_time() {
    let status = status().stuck_after(Duration::from_mins(1));
    let begun = Instant::now();
    assert_eq!(status.stuck(begun), [0; 0]);
    let later = begun + Duration::from_secs(61);
    assert_eq!(status.stuck(later), [0, 1]);
    let lanes = status.to_json(later);
    assert_eq!(lanes["lanes"][1]["state"], "stuck");
    assert_eq!(status.to_json(begun)["lanes"][1]["state"], "joining");
    status.round(0);
    status.lane(1, |lane| lane.round = later);
    assert_eq!(status.stuck(later + Duration::from_secs(59)), [0], "a round of the other lane does not help");
}

#[test]
fn the_status_shows_where_each_lane_stands() {
    let status = status();
    status.happened(0, LaneEvent::Assigned(&[partition(0), partition(3)]));
    status.happened(0, LaneEvent::Lag { partition: &partition(3), next: 40, end: 42, seconds: 1.5 });
    // Told of a partition that is not (or no longer) read: nothing to show.
    status.happened(0, LaneEvent::Lag { partition: &partition(9), next: 1, end: 2, seconds: 0.0 });
    let mut tally = Tally::default();
    let topic = "leads.raw".into();
    tally.read(&topic);
    tally.dead_letter(crate::lead::DeadLetterStage::Decode, DeadLetterCode::NotUtf8);
    status.committed(0, &tally, Timestamp::from_millis(1_000));
    let abort = Abort { reason: Cause::Fenced, detail: "another producer".to_owned(), too_large: Vec::new(), limits: None };
    status.aborted(0, &abort, Timestamp::from_millis(2_000));

    let shown = status.to_json(Instant::now());
    let lane = &shown["lanes"][0];
    assert_eq!(lane["state"], "running");
    assert_eq!(lane["last_commit"], "1970-01-01T00:00:01.000000Z");
    assert_eq!(lane["last_error"]["error"], "fenced: another producer");
    assert_eq!(lane["partitions"][0]["next_offset"], Value::Null);
    let behind = json!({
        "topic": "leads.raw", "partition": 3, "next_offset": 40, "end_offset": 42, "lag_records": 2, "lag_seconds": 1.5,
        "halted": null,
    });
    assert_eq!(lane["partitions"][1], behind);
    assert_eq!(lane["partitions"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["counts"]["records"], 1);
    assert_eq!(shown["counts"]["dead_letters"], 1);

    status.happened(0, LaneEvent::Revoked(&[partition(0), partition(3)]));
    assert_eq!(status.to_json(Instant::now())["lanes"][0]["state"], "waiting for partitions");
}
