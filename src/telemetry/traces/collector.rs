//! Whoever takes spans by OTLP over HTTP: one request, and how many spans of it were refused, or why there is no answer. Follows no
//! redirect, repeats nothing, and tells nothing of what it was let in with.

use std::{io, time::Duration};

use prost::Message as _;
use ureq::{
    Agent,
    http::{Request, StatusCode},
};

use super::message::ExportAnswer;
use crate::config::Secret;

/// Reaching anybody at all may take so long.
const CONNECT: Duration = Duration::from_secs(2);
/// The largest answer that is read, in bytes: a number, and words for a person.
const LARGEST_ANSWER: u64 = 64 << 10;

/// One collector.
pub(super) struct Collector {
    agent: Agent,
    endpoint: String,
    authorization: Option<Secret>,
}

impl Collector {
    /// Asks nobody anything.
    pub(super) fn new(endpoint: &str, authorization: Option<Secret>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("leadstream/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "tls")]
        let agent = {
            use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
            let system = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier);
            agent.tls_config(system.build())
        };
        Self { agent: agent.build().into(), endpoint: endpoint.to_owned(), authorization }
    }

    /// Its address.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// How many spans of the request it refuses.
    ///
    /// # Errors
    /// Why it took none, for a person.
    pub(super) fn send(&self, body: Vec<u8>, patience: Duration) -> Result<u64, String> {
        let request = Request::builder().method("POST").uri(&self.endpoint).header("content-type", "application/x-protobuf");
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.expose()),
            None => request,
        };
        let request = request.body(body).map_err(|error| format!("the request cannot be made: {error}"))?;
        let request = self.agent.configure_request(request).timeout_global(Some(patience)).build();
        let mut response = self.agent.run(request).map_err(|error| cause(&error, patience))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let answer = body.ok().and_then(|body| ExportAnswer::decode(body.as_slice()).ok());
        // What it says in other words it says with a good status.
        Ok(answer.map_or(0, ExportAnswer::refused))
    }
}

fn refusal(status: StatusCode) -> String {
    let todo = match status.as_u16() {
        401 | 403 => ": check otlp.authorization",
        300..=399 => ", a redirect, which is not followed: set otlp.endpoint to where it leads",
        400 | 404 | 405 | 415 => ": is otlp.endpoint the whole URL of OTLP over HTTP, such as http://HOST:4318/v1/traces?",
        _ => "",
    };
    format!("it answers HTTP {}{todo}", status.as_u16())
}

/// The reason without what stands before it.
fn cause(error: &ureq::Error, patience: Duration) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        ureq::Error::Timeout(_) => format!("no answer within {:.1} s", patience.as_secs_f64()),
        other => other.to_string(),
    }
}
