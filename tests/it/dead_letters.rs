//! What `dlq` tells of a dead letter without being asked for data: its shape and its masked bytes name nobody. The people are
//! `planted`'s; that the command keeps to it, `tests/kafka` shows.

use leadstream::dead_letters::{fingerprint, hidden, shape};

use crate::planted::{self, hidden_marks, marks};

#[test]
fn shapes_and_masked_bytes_tell_nothing_of_anybody() {
    let everybody = planted::all();
    assert!(everybody.len() > 10);
    for planted in everybody {
        for told in [shape(Some(&planted.value)), hidden(&planted.value)] {
            assert_eq!(marks(&told), [""; 0], "{}: {told}", planted.name);
            assert_eq!(hidden_marks(&told), [""; 0], "{}: {told}", planted.name);
        }
    }
}

#[test]
fn what_is_broken_in_the_same_way_has_one_fingerprint() {
    let of = |value: &str| fingerprint(&shape(Some(value.as_bytes())));
    let broken = |name: &str| of(&format!(r#"{{"leadSource": "SPZA-PLT|a.b" "userDetails": {{"firstName": "{name}"}}}}"#));
    assert_eq!(broken("Ada"), broken("Grace Brewster"));
    assert_ne!(broken("Ada"), of(r#"{"leadSource": "SPZA-PLT|a.b" "userDetails": {"email": "Ada"}}"#));
}
