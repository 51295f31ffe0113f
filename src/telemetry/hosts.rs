//! Under which names the pages are shown. A web page of anybody's can have its own name resolve to this machine (DNS rebinding) and
//! then read what a process shows on the loopback; it cannot have the browser call it by an address, or localhost.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};

/// Whether a server that listens there is asked by no name but its own. Elsewhere a Service or a proxy gives it names that it does
/// not know.
pub(super) fn are_checked(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}

/// Whether a request calls this process by an address or localhost, or by nothing, as no browser does. A whole address in its first
/// line counts as the header does.
pub(super) fn are_own(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut named = headers.get_all(header::HOST).iter().map(|host| host.to_str().ok());
    named.all(|host| host.is_some_and(is_own)) && uri.authority().is_none_or(|host| is_own(host.as_str()))
}

fn is_own(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let address = || match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(name) => name.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<IpAddr>().is_ok(),
    };
    port.bytes().all(|byte| byte.is_ascii_digit()) && (name.eq_ignore_ascii_case("localhost") || address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_localhost_is_its_own_name() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "10.1.2.3:9464", "[::1]", "[fe80::1]:9464", "::1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "a.example",
            "a.example:9464",
            "localhost.example",
            "xlocalhost",
            "127.0.0.1.example",
            "127.0.0.1@a.example",
            "0x7f.1",
            "127.1",
            "[a.example]",
            "[127.0.0.1]",
            "[::1]a.example",
            "127.0.0.1:a",
            "127.0.0.1:80:a",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }

    #[test]
    fn the_loopback_in_any_form_is_checked() {
        for (listen, checked) in [
            ("127.0.0.1:9464", true),
            ("127.9.9.9:0", true),
            ("[::1]:9464", true),
            ("[::ffff:127.0.0.1]:9464", true),
            ("0.0.0.0:9464", false),
            ("[::]:9464", false),
            ("10.0.0.1:9464", false),
        ] {
            assert_eq!(are_checked(listen.parse().expect("an address")), checked, "{listen}");
        }
    }
}
