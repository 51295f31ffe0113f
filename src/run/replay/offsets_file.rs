//! The file of `--offsets`: which offsets of which partitions, a line each, as `kafka-consumer-groups --export` writes it, with an
//! end where there is to be one.

use std::{path::Path, sync::Arc};

use crate::{kafka::TopicFinding, lead::Partition};

use super::super::Failure;

/// A partition, its first offset, and the one after the last; `None`: the end of now.
pub(super) type Wanted = (Partition, i64, Option<i64>);

/// Reads `TOPIC,PARTITION,FROM` or `TOPIC,PARTITION,FROM,TO` a line; empty lines and those with `#` are passed over.
///
/// # Errors
/// 64 for the first line that is none of these, names a topic that is not among `topics`, or a partition again.
pub(super) fn parse(path: &Path, text: &str, topics: &[String]) -> Result<Vec<Wanted>, Failure> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |what: &str| Failure::usage(format!("{}, line {}: {what}", path.display(), number + 1));
        let Some(next) = of_line(line) else {
            return Err(wrong("it is not TOPIC,PARTITION,FROM or TOPIC,PARTITION,FROM,TO, with FROM not behind TO"));
        };
        if !topics.iter().any(|topic| **topic == *next.0.topic) {
            return Err(wrong("its topic is not among topics.raw"));
        }
        if wanted.iter().any(|(partition, ..)| *partition == next.0) {
            return Err(wrong("this partition is named before"));
        }
        wanted.push(next);
    }
    if wanted.is_empty() {
        return Err(Failure::usage(format!("{} names no offsets", path.display())));
    }
    Ok(wanted)
}

/// Sees that the partitions are there; `topics`: what the broker has.
///
/// # Errors
/// 64 for the first that is not.
pub(super) fn are_there(path: &Path, wanted: &[Wanted], topics: &[TopicFinding]) -> Result<(), Failure> {
    for (partition, ..) in wanted {
        // One that may not be seen may be there.
        let Some(topic) = topics.iter().find(|topic| topic.name == *partition.topic && !topic.is_hidden) else { continue };
        let wrong = match topic.partitions {
            0 => "there is no such topic".to_owned(),
            known if usize::try_from(partition.number).is_ok_and(|number| number < known) => continue,
            known => format!("there is no such partition, that topic has 0 to {}", known - 1),
        };
        return Err(Failure::usage(format!("{}: {partition}: {wrong}", path.display())));
    }
    Ok(())
}

fn of_line(line: &str) -> Option<Wanted> {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
    let topic: Arc<str> = fields.next().filter(|topic| !topic.is_empty())?.into();
    let number = fields.next()?.parse().ok().filter(|number: &i32| *number >= 0)?;
    let from = fields.next()?.parse().ok().filter(|from: &i64| *from >= 0)?;
    let to = fields.next().map(|to| to.parse().ok().filter(|to: &i64| *to >= from).ok_or(())).transpose().ok()?;
    fields.next().is_none().then_some((Partition { topic, number }, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Wanted>, String> {
        parse(Path::new("f"), text, &["a".to_owned(), "b".to_owned()]).map_err(|failure| failure.message)
    }

    #[test]
    fn offsets_are_read_as_kafkas_tool_writes_them_with_an_end_or_without() {
        let partition = |topic: &str, number| Partition { topic: topic.into(), number };
        let found = parsed("# from the incident\n\"a\",0,5\n\n b, 1, 7, 9 \n").expect("good");
        assert_eq!(found, [(partition("a", 0), 5, None), (partition("b", 1), 7, Some(9))]);
    }

    #[test]
    fn a_partition_that_is_not_there_is_told_with_those_that_are() {
        let topic = |name: &str, partitions, is_hidden| TopicFinding {
            name: name.to_owned(),
            partitions,
            is_hidden,
            largest: None,
            cleanup: None,
            retention_ms: None,
        };
        let found = |text: &str, topics: &[TopicFinding]| {
            let wanted = parse(Path::new("f"), text, &["a".to_owned()]).expect("good");
            are_there(Path::new("f"), &wanted, topics)
        };
        let a = |partitions, is_hidden| [topic("a", partitions, is_hidden)];
        assert_eq!(found("a,2,5", &a(3, false)), Ok(()));
        assert_eq!(found("a,3,5", &a(0, true)), Ok(()));
        let wrong = |told: &str| Err(Failure::usage(told));
        assert_eq!(found("a,3,5", &a(3, false)), wrong("f: a/3: there is no such partition, that topic has 0 to 2"));
        assert_eq!(found("a,0,5", &a(0, false)), wrong("f: a/0: there is no such topic"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("a,0", "f, line 1: it is not TOPIC"),
            ("a,0,5\na,1,6,5", "f, line 2: it is not TOPIC"),
            ("a,-1,5", "line 1"),
            ("a,0,1,2,3", "line 1"),
            ("c,0,5", "not among topics.raw"),
            ("a,0,5\na,0,6", "line 2: this partition is named before"),
            ("# none", "f names no offsets"),
        ] {
            let found = parsed(text).expect_err("wrong");
            assert!(found.contains(told), "{text:?}: {found}");
        }
    }
}
