//! `[encoding]`: how events are written and which schema registry is asked. What only the keys together tell is judged here
//! too.

use std::path::PathBuf;

use super::{
    Secret,
    schema::{Key, key, set},
    url::{self, UrlHints},
    written::{Fault, Written},
};
use crate::pipeline::{EventHeaders, OutputTopic};

/// How the values of a topic's events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueFormat {
    /// JSON.
    #[default]
    Json,
    /// Avro: in the Confluent wire format where a registry is configured, else in single-object encoding.
    Avro,
}

/// What must hold between a new schema and the versions a registry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompatibilityMode {
    /// Anything goes.
    None,
    /// The new reads the last.
    Backward,
    /// The new reads all.
    BackwardTransitive,
    /// The last reads the new.
    Forward,
    /// All read the new.
    ForwardTransitive,
    /// Both with the last.
    Full,
    /// Both with all.
    FullTransitive,
}

impl CompatibilityMode {
    /// As the registry's API names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }
}

/// How events are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodingConfig {
    /// Of every topic that has no format of its own.
    pub format: ValueFormat,
    /// Of qualified, unqualified, routing events and the ledger, where it differs.
    pub formats: [Option<ValueFormat>; 4],
    /// Which headers events carry.
    pub headers: EventHeaders,
    /// Whether schemas may be registered at the start.
    pub register: bool,
    /// How to reach the registry; its URL is empty where there is none.
    pub registry: RegistryConfig,
}

impl Default for EncodingConfig {
    fn default() -> Self {
        Self {
            format: ValueFormat::default(),
            formats: [None; 4],
            headers: EventHeaders::default(),
            register: true,
            registry: RegistryConfig::default(),
        }
    }
}

impl EncodingConfig {
    /// How a topic's events are written. A dead letter is neither: it is what came in.
    #[must_use]
    pub fn format_of(&self, topic: OutputTopic) -> ValueFormat {
        let own = match topic {
            OutputTopic::Qualified => self.formats[0],
            OutputTopic::Unqualified => self.formats[1],
            OutputTopic::Routing => self.formats[2],
            OutputTopic::DeadLetter => Some(ValueFormat::Json),
            // For whoever audits: text, unless it is asked for otherwise.
            OutputTopic::Ledger => Some(self.formats[3].unwrap_or(ValueFormat::Json)),
        };
        own.unwrap_or(self.format)
    }

    /// The registry, if there is one.
    #[must_use]
    pub fn registry(&self) -> Option<&RegistryConfig> {
        (!self.registry.url.is_empty()).then_some(&self.registry)
    }
}

/// How to reach a schema registry and who we are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryConfig {
    /// Base of its Confluent API, without a slash at the end; empty: none.
    pub url: String,
    /// For HTTP basic authentication.
    pub user: Option<String>,
    /// The user's.
    pub password: Option<Secret>,
    /// For bearer authentication.
    pub token: Option<Secret>,
    /// PEM file of the authorities that are trusted, instead of the system's.
    pub ca: Option<PathBuf>,
    /// PEM file of our own certificate, for mutual TLS.
    pub certificate: Option<PathBuf>,
    /// PEM file of its key, without a passphrase.
    pub key: Option<PathBuf>,
    /// What each subject of ours is set to before a schema is registered; `None`: what the registry has.
    pub compatibility: Option<CompatibilityMode>,
}

/// The section's keys, in the order of the contract.
pub(super) const KEYS: [Key; 15] = [
    key("encoding.format", |config, value| set(&mut config.encoding.format, format(value))),
    key("encoding.format.qualified", |config, value| set(&mut config.encoding.formats[0], format(value).map(Some))),
    key("encoding.format.unqualified", |config, value| set(&mut config.encoding.formats[1], format(value).map(Some))),
    key("encoding.format.routing", |config, value| set(&mut config.encoding.formats[2], format(value).map(Some))),
    key("encoding.format.ledger", |config, value| set(&mut config.encoding.formats[3], format(value).map(Some))),
    key("encoding.headers", |config, value| {
        set(&mut config.encoding.headers, value.choice(&[("none", EventHeaders::None), ("cloudevents", EventHeaders::CloudEvents)]))
    }),
    key("encoding.registry", |config, value| set(&mut config.encoding.registry.url, url::read(value, &URL))),
    key("encoding.registry_user", |config, value| set(&mut config.encoding.registry.user, value.name(1024).map(Some))),
    key("encoding.registry_password", |config, value| set(&mut config.encoding.registry.password, value.secret().map(Some))),
    key("encoding.registry_token", |config, value| set(&mut config.encoding.registry.token, value.secret().map(Some))),
    key("encoding.registry_ca", |config, value| set(&mut config.encoding.registry.ca, value.path().map(Some))),
    key("encoding.registry_certificate", |config, value| set(&mut config.encoding.registry.certificate, value.path().map(Some))),
    key("encoding.registry_key", |config, value| set(&mut config.encoding.registry.key, value.path().map(Some))),
    key("encoding.registry_compatibility", |config, value| {
        use CompatibilityMode::{Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive, None};
        let modes = [None, Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive];
        set(&mut config.encoding.registry.compatibility, value.choice(&modes.map(|mode| (mode.name(), mode))).map(Some))
    }),
    key("encoding.register", |config, value| set(&mut config.encoding.register, value.boolean())),
];

fn format(value: Written<'_>) -> Result<ValueFormat, Fault> {
    value.choice(&[("json", ValueFormat::Json), ("avro", ValueFormat::Avro)])
}

const URL: UrlHints = UrlHints {
    form: "write \"http://HOST:PORT\", with the path of the Confluent API where it has one, such as /apis/ccompat/v7",
    secrets: "put them in encoding.registry_user and encoding.registry_password, where they are not shown",
};

/// What the keys are together: faults, and warnings, each with the key to point at.
pub(super) fn together(config: &EncodingConfig) -> Vec<(&'static str, bool, Fault)> {
    let RegistryConfig { url, user, password, token, ca, certificate, key, compatibility } = &config.registry;
    let mut found = Vec::new();
    let mut wrong = |key, message: &str, hint: &str| found.push((key, true, Fault::new("invalid_value", message).hint(hint)));
    match (user, password) {
        (Some(_), None) => wrong("encoding.registry_user", "a user without encoding.registry_password", "set both, or neither"),
        (None, Some(_)) => wrong("encoding.registry_password", "a password without encoding.registry_user", "set both, or neither"),
        _ => {}
    }
    if user.as_ref().is_some_and(|user| user.contains(':')) {
        wrong("encoding.registry_user", "a user with a colon", "basic authentication has the colon between user and password");
    }
    if token.as_ref().is_some_and(|token| !token.expose().bytes().all(|byte| (b'!'..=b'~').contains(&byte))) {
        wrong("encoding.registry_token", "a token that no HTTP header can carry", "bearer tokens are ASCII, without blanks or line breaks");
    }
    if user.is_some() && token.is_some() {
        wrong("encoding.registry_token", "both a user and a token for the registry", "basic or bearer authentication: set one");
    }
    match (certificate, key) {
        (Some(_), None) => wrong("encoding.registry_certificate", "a certificate without encoding.registry_key", "set both, or neither"),
        (None, Some(_)) => wrong("encoding.registry_key", "a key without encoding.registry_certificate", "set both, or neither"),
        _ => {}
    }
    let mut idle = |key, without: &str| {
        let fault = Fault::new("no_effect", format!("{key} has no effect without {without}"));
        found.push((key, false, fault.hint("remove it, or keep it for later")));
    };
    let set = [
        ("encoding.registry_user", user.is_some()),
        ("encoding.registry_password", password.is_some()),
        ("encoding.registry_token", token.is_some()),
        ("encoding.registry_ca", ca.is_some()),
        ("encoding.registry_certificate", certificate.is_some()),
        ("encoding.registry_key", key.is_some()),
        ("encoding.registry_compatibility", compatibility.is_some()),
    ];
    for (key, is_set) in set {
        if is_set && url.is_empty() {
            idle(key, "encoding.registry");
        }
    }
    if compatibility.is_some() && !config.register && !url.is_empty() {
        idle("encoding.registry_compatibility", "encoding.register");
    }
    found
}
