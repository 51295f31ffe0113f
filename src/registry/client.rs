//! The Confluent API of a schema registry over HTTP: one question, one answer, or the reason why there is none. Follows no
//! redirect, waits and remembers nothing; what an absent registry means is decided above.

use std::{fmt::Write as _, io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::{
    Agent, Body,
    http::{Request, Response, StatusCode, Uri, request::Builder},
};

#[cfg(feature = "tls")]
use super::tls;

use crate::config::{CompatibilityMode, RegistryConfig, Secret};

/// How long one question may take, from the name to the last byte.
const ANSWER: Duration = Duration::from_secs(5);
/// … and reaching anybody at all.
const CONNECT: Duration = Duration::from_secs(2);
/// The largest answer, in bytes: a schema with its escapes.
const LARGEST_ANSWER: u64 = 4 << 20;
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Nobody answers, or only that it cannot: it may later.
    #[error("{0}")]
    Away(String),
    /// Somebody answers, not as a registry would: it may later.
    #[error("{0}")]
    Strange(String),
    /// The registry does not let us ask: it may later, if somebody mends that.
    #[error("{0}")]
    Denied(String),
    /// What stands under a subject cannot be read by the schema that is to come after it.
    #[error("{0}")]
    Incompatible(String),
    /// The registry has answered: no.
    #[error("{message} (HTTP {status}, error code {code})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The API's own code.
        code: i64,
        /// The registry's words.
        message: String,
    },
}

/// A schema as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct StoredSchema {
    /// Its text.
    pub schema: String,
    /// `AVRO` where it is absent.
    #[serde(rename = "schemaType")]
    pub kind: Option<String>,
    /// Its number, where it was asked for by another name.
    pub id: Option<u32>,
    /// Schemas it builds on.
    #[serde(default)]
    pub references: Vec<Reference>,
}

/// A schema that another builds on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Reference {
    /// Its subject.
    pub subject: String,
    /// Its version.
    pub version: u32,
}

/// Speaks with one registry.
pub(super) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<Secret>,
}

impl Client {
    /// Reads the certificates; asks nobody anything.
    ///
    /// # Errors
    /// All that is wrong with the settings, each for a person.
    pub(super) fn new(config: &RegistryConfig) -> Result<Self, Vec<String>> {
        if let Err(error) = config.url.parse::<Uri>() {
            return Err(vec![format!("encoding.registry is no URL: {error}")]);
        }
        if config.url.to_ascii_lowercase().starts_with("https://") && cfg!(not(feature = "tls")) {
            return Err(vec!["encoding.registry is https://, and this leadstream was built without TLS".to_owned()]);
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(ANSWER))
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("leadstream/", env!("CARGO_PKG_VERSION")))
            .accept(format!("{CONTENT_TYPE}, application/json"));
        #[cfg(feature = "tls")]
        let agent = agent.tls_config(tls::settings(config)?);
        let agent = agent.build().into();
        let authorization = match (&config.user, &config.password, &config.token) {
            (Some(user), Some(password), _) => Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))),
            (_, _, Some(token)) => Some(format!("Bearer {}", token.expose())),
            _ => None,
        };
        Ok(Self { agent, base: config.url.clone(), authorization: authorization.map(Secret::new) })
    }

    /// The schema of this number; `None`: there is none.
    pub(super) fn schema(&self, id: u32) -> Result<Option<StoredSchema>, RegistryError> {
        absent(self.get(&format!("/schemas/ids/{id}")).and_then(read))
    }

    /// One version of a subject.
    pub(super) fn version(&self, reference: &Reference) -> Result<StoredSchema, RegistryError> {
        self.get(&format!("/subjects/{}/versions/{}", escaped(&reference.subject), reference.version)).and_then(read)
    }

    /// The numbers of a subject's versions, oldest first; none: the subject is new.
    pub(super) fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        Ok(absent(self.get(&format!("/subjects/{}/versions", escaped(subject))).and_then(read))?.unwrap_or_default())
    }

    /// The number of this schema under the subject; `None`: it is not registered there.
    pub(super) fn find(&self, subject: &str, schema: &str) -> Result<Option<u32>, RegistryError> {
        absent(self.post(&format!("/subjects/{}", escaped(subject)), &json!({ "schema": schema })).and_then(id))
    }

    /// Registers the schema under the subject; the same one again has the same number.
    pub(super) fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        self.post(&format!("/subjects/{}/versions", escaped(subject)), &json!({ "schema": schema })).and_then(id)
    }

    /// What stands against registering the schema under the subject; empty: nothing. `None`: the subject is new.
    pub(super) fn conflicts(&self, subject: &str, schema: &str) -> Result<Option<Vec<String>>, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            is_compatible: bool,
            #[serde(default)]
            messages: Vec<String>,
            /// Apicurio's word for them.
            reason: Option<String>,
        }
        let path = format!("/compatibility/subjects/{}/versions/latest?verbose=true", escaped(subject));
        let answer: Option<Answer> = absent(self.post(&path, &json!({ "schema": schema })).and_then(read))?;
        Ok(answer.map(|answer| match (answer.is_compatible, answer.messages) {
            (true, _) => Vec::new(),
            (false, messages) if messages.is_empty() => vec![answer.reason.unwrap_or_else(|| "the registry gives no reason".to_owned())],
            (false, messages) => messages,
        }))
    }

    /// Sets what must hold between the versions of a subject.
    pub(super) fn set_compatibility(&self, subject: &str, mode: CompatibilityMode) -> Result<(), RegistryError> {
        self.send("PUT", &format!("/config/{}", escaped(subject)), Some(&json!({ "compatibility": mode.name() }))).map(drop)
    }

    /// Whether it answers at all.
    pub(super) fn probe(&self) -> Result<(), RegistryError> {
        match self.get("/schemas/types") {
            // One that does not know the question answers too.
            Ok(_) | Err(RegistryError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn get(&self, path: &str) -> Result<Value, RegistryError> {
        self.send("GET", path, None)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, RegistryError> {
        self.send("POST", path, Some(body))
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, RegistryError> {
        let request = self.request(method, path);
        let built = match body {
            Some(body) => request.header("content-type", CONTENT_TYPE).body(body.to_string()),
            None => request.body(String::new()),
        };
        let request = built.map_err(|error| self.away(&format!("the request cannot be made: {error}")))?;
        let sent = if body.is_some() {
            self.agent.run(request)
        } else {
            // Without a body nothing must say that there is one.
            self.agent.run(request.map(|_| ()))
        };
        let response = sent.map_err(|error| self.away(&cause(&error)))?;
        self.answer(response)
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.expose()),
            None => request,
        }
    }

    fn answer(&self, mut response: Response<Body>) -> Result<Value, RegistryError> {
        let status = response.status();
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        if status.is_redirection() {
            let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            let shown: String = to.split(['?', '#', '@']).next().unwrap_or_default().chars().take(200).collect();
            return Err(self.strange(&format!("it redirects to {shown:?}, which is not followed; set encoding.registry to where it leads")));
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let text = format!(
                "{}: the registry does not let us in (HTTP {}): check encoding.registry_user and registry_password, or registry_token",
                self.base,
                status.as_u16()
            );
            return Err(RegistryError::Denied(text));
        }
        let body = body.map_err(|error| self.away(&cause(&error)))?;
        let value: Option<Value> = serde_json::from_slice(&body).ok();
        if status.is_success() {
            return value.ok_or_else(|| self.strange("it answers with no JSON; is encoding.registry the base of a Confluent API?"));
        }
        if status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) {
            return Err(self.away(&format!("it answers HTTP {}", status.as_u16())));
        }
        let code = value.as_ref().and_then(|value| value.get("error_code")).and_then(Value::as_i64);
        // A path that no registry has is 404 to any web framework, some of which answer in JSON with a code; the API's own are longer.
        let is_its_own = |code: &i64| status != StatusCode::NOT_FOUND || (40_400..40_500).contains(code);
        let Some(code) = code.filter(is_its_own) else {
            let text =
                format!("it answers HTTP {} as no registry does; is encoding.registry the base of a Confluent API?", status.as_u16());
            return Err(self.strange(&text));
        };
        let message = value.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str).unwrap_or("no reason given");
        let message = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(2000).collect();
        Err(RegistryError::Refused { status: status.as_u16(), code, message })
    }

    fn strange(&self, why: &str) -> RegistryError {
        RegistryError::Strange(format!("{}: {why}", self.base))
    }

    fn away(&self, why: &str) -> RegistryError {
        RegistryError::Away(format!("{}: {why}", self.base))
    }
}

/// 404 in the API's own words is an answer: there is no such thing.
fn absent<T>(answer: Result<T, RegistryError>) -> Result<Option<T>, RegistryError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(RegistryError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, RegistryError> {
    serde_json::from_value(value).map_err(|error| RegistryError::Strange(format!("the registry's answer lacks something: {error}")))
}

fn id(value: Value) -> Result<u32, RegistryError> {
    #[derive(Deserialize)]
    struct Registered {
        id: u32,
    }
    read::<Registered>(value).map(|registered| registered.id)
}

/// A subject as a part of a path. Ours are topics' names, which need no escapes; those of references may.
fn escaped(subject: &str) -> String {
    let mut path = String::with_capacity(subject.len());
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            path.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

/// The reason without what stands before it.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ureq::Error::Timeout(_) => format!("no answer within {} s", ANSWER.as_secs()),
        ureq::Error::BodyExceedsLimit(limit) => format!("it answers with more than {limit} bytes"),
        other => {
            let text = other.to_string();
            #[cfg(feature = "tls")]
            let text = tls::meaning(&text).unwrap_or(text);
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_part_of_a_path() {
        assert_eq!(escaped("leads.qualified-value"), "leads.qualified-value");
        assert_eq!(escaped(":.ctx:a/b c"), "%3A.ctx%3Aa%2Fb%20c");
    }
}
