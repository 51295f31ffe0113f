//! Look-ups in the text of a sorted list, one entry a line, by binary search over the text itself, so that nothing is built or kept; and
//! by hash in the long lists that each lead is looked up in. What stands in a list is the business of the file that includes it.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

/// The lines of a list, to be found by hash.
pub(super) type Lines = HashSet<&'static str, FxBuildHasher>;

/// All lines of `list`.
pub(super) fn lines(list: &'static str) -> Lines {
    list.lines().collect()
}

/// The lines of `list` from `key` on: its own line first, if it has one. The lines are sorted by key, as bytes; a line is a key, and
/// maybe a tab and what is said of it.
pub(super) fn from<'list>(list: &'list str, key: &str) -> &'list str {
    let bytes = list.as_bytes();
    // Both always stand where a line begins, or at the end.
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |before| low + before + 1);
        let end = bytes[middle..high].iter().position(|byte| *byte == b'\n').map_or(high, |after| middle + after);
        // A tab comes before all that is in a key, so the whole line compares as its key does.
        if bytes[start..end] < *key.as_bytes() {
            low = high.min(end + 1);
        } else {
            high = start;
        }
    }
    list.get(low..).unwrap_or_default()
}

/// What `list` says of `key`; empty where it only has it.
pub(super) fn find<'list>(list: &'list str, key: &str) -> Option<&'list str> {
    let line = from(list, key).split('\n').next()?;
    let (name, said) = line.split_once('\t').unwrap_or((line, ""));
    (name == key && !key.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_found_and_nothing_else() {
        for list in ["", "b\n", "b", "b\nd\n", "b\nd\tx y\nf\n", "b\nbb\nbbb\nc\nd\ndé\te\nf\nü"] {
            for line in list.lines() {
                let (name, value) = line.split_once('\t').unwrap_or((line, ""));
                assert_eq!(find(list, name), Some(value), "{name} in {list:?}");
            }
            for absent in ["", "a", "ba", "bbc", "e", "g", "d\tx y", "b\nd", "\n", "ü "] {
                assert_eq!(find(list, absent), None, "{absent:?} in {list:?}");
            }
        }
    }

    #[test]
    fn lists_of_any_length_are_searched_to_both_ends() {
        for length in 0..200_usize {
            let mut lines: Vec<_> = (0..length).map(|n| format!("{:0width$}\t{n}", n * 2, width = 3 + n / 50)).collect();
            lines.sort_unstable();
            let list = lines.join("\n");
            for line in &lines {
                let (name, value) = line.split_once('\t').unwrap();
                assert_eq!(find(&list, name), Some(value), "{length}");
            }
        }
    }
}
