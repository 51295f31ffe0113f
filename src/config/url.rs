//! A URL of somebody who is asked over HTTP: what is none is told, and what holds a user or a password is not shown. Whether anybody
//! answers there is not asked.

use super::written::{Fault, Faults, Written};

/// What to write instead.
pub(super) struct UrlHints {
    /// The form of a good one.
    pub(super) form: &'static str,
    /// Where a user and a password belong.
    pub(super) secrets: &'static str,
}

/// Reads one, without a slash at its end; empty: none is given.
pub(super) fn read(value: Written<'_>, hints: &UrlHints) -> Result<String, Faults> {
    let key = value.key;
    let url = value.text()?.trim().trim_end_matches('/');
    if url.is_empty() {
        return Ok(String::new());
    }
    let Some(host) = host(url) else {
        // What has another form may hold anything.
        let fault = Fault::new("invalid_value", format!("{key} is no URL that starts with http:// or https://"));
        return Err(fault.hint(hints.form).into());
    };
    if host.contains('@') {
        return Err(Fault::new("invalid_value", format!("{key} holds a user or a password")).hint(hints.secrets).into());
    }
    let bad = |c: char| c.is_whitespace() || c.is_control();
    let port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map(|(_, port)| port);
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host.is_empty() || host.starts_with(':') || !port_is_good || url.contains(bad) || url.contains(['?', '#']) {
        let what = format!("{key} is a URL without a host, with a port that is none, blanks, \"?\" or \"#\"");
        return Err(Fault::new("invalid_value", what).hint(hints.form).into());
    }
    Ok(url.to_owned())
}

/// What stands between the scheme and the path; `None`: the scheme is neither.
fn host(url: &str) -> Option<&str> {
    after_scheme(url).map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

fn after_scheme(url: &str) -> Option<&str> {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    ["http://", "https://"].into_iter().find(|known| starts(known)).and_then(|known| url.get(known.len()..))
}

/// Whether a URL names a path below its host.
pub(super) fn has_path(url: &str) -> bool {
    after_scheme(url).is_some_and(|rest| rest.contains('/'))
}

/// Whether what is asked there is asked over TLS.
pub(super) fn is_encrypted(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}
