//! Switches that break the promise on purpose, so that the tests of the promise can be shown to fail. They exist only in
//! builds with debug assertions: a release build reads no environment here, and every switch is off.

/// What is broken. `LEADSTREAM_SABOTAGE` lists the names, with commas between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sabotage {
    /// A lost connection, told only in librdkafka's log, leaves no doubt: a late `EndTxn` ends a later transaction.
    pub(super) ignore_log_lines: bool,
    /// Offsets are committed before the outputs, outside the transaction.
    pub(super) offsets_first: bool,
    /// After an abort the lane goes on behind the batch that was taken back.
    pub(super) no_rewind: bool,
}

#[cfg(any(debug_assertions, test))]
impl Sabotage {
    fn named(names: &str) -> Self {
        let has = |switch: &str| names.split(',').any(|name| name.trim() == switch);
        Self { ignore_log_lines: has("ignore_log_lines"), offsets_first: has("offsets_first"), no_rewind: has("no_rewind") }
    }
}

/// What is broken in this process; nothing, unless the environment says so and the build allows it.
#[cfg(debug_assertions)]
pub(super) fn sabotage() -> Sabotage {
    static FOUND: std::sync::OnceLock<Sabotage> = std::sync::OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = std::env::var("LEADSTREAM_SABOTAGE").map_or(Sabotage::default(), |names| Sabotage::named(&names));
        if found != Sabotage::default() {
            tracing::warn!("LEADSTREAM_SABOTAGE is set: exactly once is broken on purpose, {found:?}");
        }
        found
    })
}

/// Nothing is broken.
#[cfg(not(debug_assertions))]
pub(super) const fn sabotage() -> Sabotage {
    Sabotage { ignore_log_lines: false, offsets_first: false, no_rewind: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_broken_that_is_not_named() {
        assert_eq!(Sabotage::named(""), Sabotage::default());
        assert_eq!(Sabotage::named("no_rewind, offsets_first"), Sabotage { ignore_log_lines: false, offsets_first: true, no_rewind: true });
        assert_eq!(Sabotage::named("ignore_log_lines"), Sabotage { ignore_log_lines: true, ..Sabotage::default() });
        assert_eq!(Sabotage::named("rewind"), Sabotage::default());
    }
}
