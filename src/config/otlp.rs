//! `[otlp]`: whether batches are told of as spans of traces, which of them, and to whom. What the keys are together is judged here
//! too.

use super::{
    Secret,
    schema::{Key, key, set},
    url::{self, UrlHints},
    written::{Fault, Faults, Written},
};

/// Where traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpConfig {
    /// The URL that takes spans by OTLP over HTTP; empty: nobody is told.
    pub endpoint: String,
    /// Of batches in no recorded trace so large a share is recorded, 0 to 1.
    pub sample: f64,
    /// What the header `authorization` says.
    pub authorization: Option<Secret>,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self { endpoint: String::new(), sample: 0.1, authorization: None }
    }
}

impl OtlpConfig {
    /// Whether anybody is told.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.endpoint.is_empty()
    }
}

/// The section's keys.
pub(super) const KEYS: [Key; 3] = [
    key("otlp.endpoint", |config, value| set(&mut config.otlp.endpoint, endpoint(value))),
    key("otlp.sample", |config, value| {
        set(&mut config.otlp.sample, value.number("a number from 0 to 1", |share| (0.0..=1.0).contains(&share)))
    }),
    key("otlp.authorization", |config, value| set(&mut config.otlp.authorization, authorization(value).map(Some))),
];

const HINTS: UrlHints = UrlHints {
    form: "write the whole URL that takes spans, such as \"http://HOST:4318/v1/traces\"",
    secrets: "put what the collector asks for in otlp.authorization, where it is not shown",
};

fn endpoint(value: Written<'_>) -> Result<String, Faults> {
    let url = url::read(value, &HINTS)?;
    let refused = |what: &str, hint: &str| Err(Fault::new("invalid_value", format!("otlp.endpoint {what}")).hint(hint).into());
    if url.is_empty() {
        return Ok(url);
    }
    if cfg!(not(feature = "otlp")) {
        return refused("is set, and this leadstream was built without traces", "build it with the feature otlp, or leave the key out");
    }
    if url::is_encrypted(&url) && cfg!(not(feature = "tls")) {
        return refused("is https://, and this leadstream was built without TLS", "build it with the feature tls, or write http://");
    }
    if !url::has_path(&url) {
        return refused("names a host and no path", HINTS.form);
    }
    Ok(url)
}

fn authorization(value: Written<'_>) -> Result<Secret, Fault> {
    let secret = value.secret()?;
    let text = secret.expose();
    if text.trim() != text || text.is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(Fault::new("invalid_value", "otlp.authorization is nothing that a header of HTTP can carry")
            .hint("write the header's whole value in ASCII, without line breaks, such as \"Bearer …\" or \"Basic …\""));
    }
    Ok(secret)
}

/// What the keys are together: warnings, each with the key to point at.
pub(super) fn together(config: &OtlpConfig) -> Vec<(&'static str, bool, Fault)> {
    if config.is_on() || config.authorization.is_none() {
        return Vec::new();
    }
    let fault = Fault::new("no_effect", "otlp.authorization has no effect without otlp.endpoint");
    vec![("otlp.authorization", false, fault.hint("remove it, or keep it for later"))]
}

#[cfg(test)]
mod tests {
    use crate::{config, problem::Problem};

    fn load(sets: &[&str]) -> Result<(config::Config, Vec<Problem>), Vec<Problem>> {
        let sets: Vec<_> = sets.iter().map(|set| format!("otlp.{set}")).collect();
        config::load(None, [("TOLD".to_owned(), "Bearer hush".to_owned())].into_iter(), &sets)
    }

    fn told(problems: &[Problem]) -> String {
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn a_collector_is_known_by_the_whole_url() {
        let (config, _) = load(&["endpoint=http://[::1]:4318/v1/traces", "sample=0", "authorization={ env = \"TOLD\" }"]).expect("good");
        assert_eq!((config.otlp.endpoint.as_str(), config.otlp.is_on()), ("http://[::1]:4318/v1/traces", true));
        assert!(config.otlp.sample.abs() < f64::EPSILON);
        assert_eq!(config.otlp.authorization.as_ref().map(config::Secret::expose), Some("Bearer hush"));
        assert!(!format!("{config:?}").contains("hush"));
        for (endpoint, what) in [
            ("http://localhost:4318", "names a host and no path"),
            ("localhost:4318/v1/traces", "is no URL"),
            ("http://me:hush@host/v1/traces", "holds a user or a password"),
            ("http://host:0/v1/traces", "a port that is none"),
            ("http://host/v1/traces?key=hush", "\"?\""),
        ] {
            let told = told(&load(&[&format!("endpoint={endpoint}")]).expect_err("bad"));
            assert!(told.contains(what) && !told.contains("hush"), "{endpoint}: {told}");
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn without_traces_in_the_program_nobody_is_promised_any() {
        let told = told(&load(&["endpoint=http://host:4318/v1/traces"]).expect_err("bad"));
        assert!(told.contains("built without traces") && told.contains("feature otlp"), "{told}");
        assert!(load(&["endpoint=", "sample=0.5"]).is_ok());
    }

    #[test]
    fn a_share_is_one_and_what_is_said_to_a_collector_fits_a_header() {
        for sample in ["-0.1", "1.1", "many", "NaN"] {
            let told = told(&load(&[&format!("sample={sample}")]).expect_err("bad"));
            assert!(told.contains("from 0 to 1"), "{told}");
        }
        for authorization in ["", " Bearer hush", "Bearer hush\n", "Bearer hüsh"] {
            let told = told(&load(&[&format!("authorization={authorization}")]).expect_err("bad"));
            assert!(told.contains("header of HTTP") && !told.contains("hush") && !told.contains("hüsh"), "{told}");
        }
        let (_, problems) = load(&["authorization=Bearer hush"]).expect("a warning only");
        assert!(problems.iter().any(|problem| problem.code == "no_effect"), "{}", told(&problems));
    }
}
