//! What a running process tells of a record that somebody pasted into its console: what `explain --json` prints, within the time and
//! the length that a page has.

use std::time::Duration;

use crate::{
    config::CanaryConfig,
    io::{Batch, SchemaSource},
    lead::{DeadLetterCode, Partition, Position, Rejection},
    pipeline::{Limits, Memory, Pipeline, Setting},
    run::{now, reading::read_within},
    telemetry::Explained,
};

use super::json;

/// A record that is pasted has at most so many leads: each is told with every rule that was tried.
const MOST_PASTED: usize = 100;

/// Whoever pasted a record waits no longer than this for a registry.
const PASTED_PATIENCE: Duration = Duration::from_secs(2);

/// What `--json` prints of a record that somebody pasted, received now.
pub(in crate::run) fn pasted(
    value: &[u8],
    format: Option<&str>,
    pipeline: &Pipeline,
    schemas: &dyn SchemaSource,
    canary: &CanaryConfig,
) -> Explained {
    let at = Position { partition: Partition { topic: "pasted".into(), number: 0 }, offset: 0 };
    let mut batch = Batch::default();
    let headers = format.map(|name| ("lead-format", Some(name.as_bytes())));
    batch.push(at, now(), None, Some(value), headers.into_iter());
    let Some(record) = batch.get(0) else { return Explained::Unavailable("the record is gone".to_owned()) };
    let mut memory = Memory::default();
    // Whatever is beyond the last lead that is explained is not even read.
    let limits = Limits { leads: pipeline.limits.leads.min(MOST_PASTED), ..pipeline.limits.clone() };
    let setting = Setting { limits: &limits, ..pipeline.setting() };
    let read = match read_within(PASTED_PATIENCE, &record, &setting, &mut memory, schemas) {
        Ok(read) => read,
        Err(failure) => return Explained::Unavailable(failure.to_string()),
    };
    let is_stopped = |rejection: &Rejection| rejection.code == DeadLetterCode::TooManyLeads && limits.leads < pipeline.limits.leads;
    if read.as_ref().is_err_and(is_stopped) {
        let why = format!(
            "the record holds more than {MOST_PASTED} leads, the most that are explained here; `leadstream explain FILE` explains all"
        );
        return Explained::TooMuch(why);
    }
    let mut out = Vec::new();
    match json(&read, &record, pipeline, canary, &mut out) {
        Ok(()) => Explained::Json(out),
        Err(error) => Explained::Unavailable(format!("writing the explanation: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        io::NoRegistry,
        pipeline::{EncodeSettings, PersonKey},
        rules::{self, Ruleset},
        tables::Tables,
    };

    fn explained(limit: usize, value: &str) -> Explained {
        let pipeline = Pipeline {
            rules: Ruleset::parse(rules::DEFAULT).expect("the built-in ruleset is good"),
            tables: Tables::default(),
            limits: Limits { leads: limit, ..Limits::default() },
            person_key: PersonKey::default(),
            encoding: EncodeSettings::default(),
        };
        pasted(value.as_bytes(), None, &pipeline, &NoRegistry, &CanaryConfig::default())
    }

    fn leads(count: usize) -> String {
        vec![r#"{"userDetails": {"email": "a@b.example"}, "leadSource": "SPZA-PLT|b.a"}"#; count].join(",")
    }

    #[test]
    fn what_is_beyond_the_most_leads_is_not_read() {
        assert!(matches!(explained(10_000, &format!("[{}]", leads(100))), Explained::Json(_)));
        for rest in ["]", ", 1]"] {
            let Explained::TooMuch(why) = explained(10_000, &format!("[{}{rest}", leads(101))) else { panic!("101 leads were read") };
            assert!(why.contains("more than 100 leads") && why.contains("`leadstream explain FILE`"), "{why}");
        }
    }

    /// Then it is what the service would say, too.
    #[test]
    fn the_limit_of_the_configuration_is_explained_where_it_is_lower() {
        for (limit, count) in [(2, 3), (100, 101)] {
            let Explained::Json(told) = explained(limit, &format!("[{}]", leads(count))) else { panic!("{limit}") };
            assert!(String::from_utf8_lossy(&told).contains("\"too_many_leads\""), "{limit}");
        }
    }
}
