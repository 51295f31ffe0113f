//! Mail domains as tables write them: the one spelling that leads have, what is no mail domain, and where one owner's domain
//! ends and everybody's begins (the Public Suffix List, compiled in by the crate `psl`). Knows no table.

use std::borrow::Cow;

/// Microsoft gives every tenant a domain beneath this one. It is on no list of public suffixes, and nobody's own all the same.
const TENANTS: &str = "onmicrosoft.com";

/// Why a text is no mail domain somebody can own, and what to write instead. Names no value: it may be somebody's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoDomain {
    pub(super) reason: &'static str,
    pub(super) hint: &'static str,
}

const fn no_domain<T>(reason: &'static str, hint: &'static str) -> Result<T, NoDomain> {
    Err(NoDomain { reason, hint })
}

/// The domain as leads have it (lower-case, in punycode, no dot at the end), from any spelling of it. What is something else,
/// such as an address or a URL, is refused: what was meant by it is not for us to guess.
pub(super) fn mail_domain(written: &str) -> Result<Cow<'_, str>, NoDomain> {
    if written.starts_with('@') {
        return no_domain("begins with an @", "leave out the @: adatum.example");
    }
    if written.contains('@') {
        return no_domain("is an address", "write what stands after the @: adatum.example");
    }
    if written.contains('/') {
        return no_domain("is a URL", "write the domain alone, as it stands in addresses: adatum.example");
    }
    if written.starts_with('*') || written.starts_with('.') {
        return no_domain("begins with a wildcard", "leave it out: a domain stands for all that lies beneath it too");
    }
    let Some(domain) = spelling(written).filter(|domain| is_host(domain)) else {
        return no_domain("is no domain", "write it as it stands in addresses: adatum.example");
    };
    let Some(registrable) = registrable(&domain) else {
        return no_domain("is nobody's own: anybody can have a domain beneath it", "write the domains beneath it that you mean");
    };
    if domain.strip_prefix("www.").is_some_and(|rest| rest.len() >= registrable.len()) {
        return no_domain("is a web server's", "leave out the www.: nobody has mail there");
    }
    Ok(domain)
}

/// Lower-case, in punycode, without the dot at the end: as `pipeline` spells the domains of addresses.
fn spelling(written: &str) -> Option<Cow<'_, str>> {
    let written = written.strip_suffix('.').unwrap_or(written);
    if written.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) {
        return Some(Cow::Borrowed(written));
    }
    idna::domain_to_ascii(written).ok().map(Cow::Owned)
}

/// Whether mail can go there: labels of letters, digits and hyphens, at least two, the last no number (RFC 5321 §4.1.2, RFC
/// 1035 §2.3.4).
fn is_host(domain: &str) -> bool {
    let is_label = |label: &str| {
        let whole = (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        whole && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = domain.rsplit_once('.').map_or("", |(_, last)| last);
    domain.len() <= 253 && domain.split('.').all(is_label) && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The part of the domain that one owner has registered; `None`: there is none, it is a public suffix itself.
pub(super) fn registrable(domain: &str) -> Option<&str> {
    if let Some(tenant) = domain.strip_suffix(TENANTS).filter(|tenant| tenant.is_empty() || tenant.ends_with('.')) {
        let above = tenant.strip_suffix('.')?;
        return domain.get(above.rfind('.').map_or(0, |dot| dot + 1)..);
    }
    psl::domain_str(domain)
}

/// The domain, then the ones it lies under, as long as they have a dot.
pub(super) fn and_above(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above)).take_while(|domain| domain.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_of_a_domain_becomes_the_one_that_leads_have() {
        for (written, domain) in [
            ("adatum.com", "adatum.com"),
            ("Adatum.COM", "adatum.com"),
            ("adatum.com.", "adatum.com"),
            ("mail.emea.adatum.co.uk", "mail.emea.adatum.co.uk"),
            ("müller-bau.de", "xn--mller-bau-q9a.de"),
            ("MÜLLER-bau.DE", "xn--mller-bau-q9a.de"),
            ("食狮.公司.cn", "xn--85x722f.xn--55qx5d.cn"),
            ("acme.github.io", "acme.github.io"),
            ("acme.onmicrosoft.com", "acme.onmicrosoft.com"),
            ("adatum.example", "adatum.example"),
            ("www.com", "www.com"),
            ("www-adatum.com", "www-adatum.com"),
            ("3m.com", "3m.com"),
        ] {
            assert_eq!(mail_domain(written).as_deref(), Ok(domain), "{written}");
        }
    }

    #[test]
    fn what_is_no_domain_that_somebody_owns_is_refused_with_its_reason() {
        for (written, reason) in [
            ("@adatum.com", "begins with an @"),
            ("jane@adatum.com", "is an address"),
            ("https://adatum.com", "is a URL"),
            ("adatum.com/contact", "is a URL"),
            ("*.adatum.com", "begins with a wildcard"),
            (".adatum.com", "begins with a wildcard"),
            ("www.adatum.com", "is a web server's"),
            ("www.emea.adatum.co.uk", "is a web server's"),
            ("adatum", "is no domain"),
            ("adatum.com:443", "is no domain"),
            ("Adatum Industries", "is no domain"),
            ("adatum..com", "is no domain"),
            ("-adatum.com", "is no domain"),
            ("a_b.com", "is no domain"),
            ("192.168.0.1", "is no domain"),
            ("", "is no domain"),
            ("com", "is no domain"),
            ("co.uk", "is nobody's own: anybody can have a domain beneath it"),
            ("github.io", "is nobody's own: anybody can have a domain beneath it"),
            ("公司.cn", "is nobody's own: anybody can have a domain beneath it"),
            ("OnMicrosoft.com", "is nobody's own: anybody can have a domain beneath it"),
        ] {
            assert_eq!(mail_domain(written).map_err(|none| none.reason), Err(reason), "{written}");
        }
        assert!(mail_domain(&format!("{}.com", "x".repeat(64))).is_err());
        assert!(mail_domain(&format!("{}com", "abcdefghi.".repeat(25))).is_ok());
        assert!(mail_domain(&format!("{}.com", "abcdefghi.".repeat(25))).is_err());
    }

    #[test]
    fn the_registrable_domain_is_what_one_owner_has() {
        for (domain, owned) in [
            ("mail.emea.adatum.co.uk", Some("adatum.co.uk")),
            ("adatum.com", Some("adatum.com")),
            ("a.b.github.io", Some("b.github.io")),
            ("a.city.kawasaki.jp", Some("city.kawasaki.jp")),
            ("x.xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("mail.acme.onmicrosoft.com", Some("acme.onmicrosoft.com")),
            ("acme.onmicrosoft.com", Some("acme.onmicrosoft.com")),
            ("notonmicrosoft.com", Some("notonmicrosoft.com")),
            ("onmicrosoft.com", None),
            ("co.uk", None),
            ("a.b.unheard-of", Some("b.unheard-of")),
        ] {
            assert_eq!(registrable(domain), owned, "{domain}");
        }
    }

    #[test]
    fn the_domains_above_end_before_the_last_label() {
        assert_eq!(and_above("a.b.c.de").collect::<Vec<_>>(), ["a.b.c.de", "b.c.de", "c.de"]);
        assert_eq!(and_above("de").count() + and_above("").count(), 0);
    }
}
