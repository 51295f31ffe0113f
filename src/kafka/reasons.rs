//! librdkafka's words: its log lines, and its reasons for a connection that failed, with what they leave open: they name a symptom
//! that has several causes.

/// Hands a line of the client's log on, except those that list its settings: among them are a user's name, certificates and
/// others that the configuration's author may keep elsewhere.
pub(super) fn logged(facility: &str, message: &str) {
    if facility != "CONF" {
        tracing::debug!(target: "librdkafka", facility, message);
    }
}

/// What a symptom may mean, by what its reason holds.
const MEANINGS: [(&str, &str); 6] = [
    (
        "certificate verify failed",
        "it is of an authority that ssl.ca.location does not hold, too old, or another host's; `openssl s_client -connect HOST:PORT \
         -CAfile FILE -verify_return_error` tells which",
    ),
    ("SSL alert", "the broker does not accept our certificate, or has none of its authority; see ssl.certificate.* in [kafka.client]"),
    ("in state APIVERSION_QUERY", "a listener for TLS or SASL? See security.protocol in [kafka.client]"),
    (
        "in state SSL_HANDSHAKE",
        "a listener without TLS, or one that does not accept our certificate? See security.protocol and ssl.* in [kafka.client]",
    ),
    ("mechanism handshake failed", "see security.protocol and sasl.mechanism in [kafka.client]"),
    ("SASL authentication error", "see sasl.* in [kafka.client]"),
];

/// The reason, and what it may mean where that is known.
pub(super) fn explained(reason: &str) -> String {
    match MEANINGS.iter().find(|(symptom, _)| reason.contains(symptom)) {
        Some((_, meaning)) => format!("{reason}: {meaning}"),
        None => reason.to_owned(),
    }
}

/// What is told where somebody is there and does not let us in: one side does not trust the other, or speaks otherwise.
const REFUSALS: [&str; 5] = [
    "certificate verify failed",
    "SSL alert",
    "SASL authentication error",
    "mechanism handshake failed",
    "connecting to a PLAINTEXT broker listener?",
];

/// Whether the reason says that somebody is there and does not let us in, whatever its code.
pub(super) fn is_refusal(reason: &str) -> bool {
    REFUSALS.iter().any(|symptom| reason.contains(symptom))
}

/// Whether the reason says that a connection was closed as soon as it was asked something: a broker that dies does that once,
/// one that expects TLS or SASL each time.
pub(super) fn is_hanging_up(reason: &str) -> bool {
    reason.contains("Disconnected") && ["in state UP", "in state APIVERSION_QUERY"].iter().any(|state| reason.contains(state))
}
