//! A mail address as typed to one that can be compared, and the kind of mailbox it is.

use std::borrow::Cow;

use email_address::EmailAddress;
use icu_normalizer::ComposingNormalizerBorrowed;

use crate::lead::{EmailKind, Flag, Flags};

use super::{
    mail_domains::{is_disposable, is_free_mail, is_sample},
    text::part,
};

/// The longest address that can be written into an SMTP command (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

type Text<'a> = Option<Cow<'a, str>>;

/// Address, domain and kind. An address that cannot be one is kept as it is, with a flag and no domain.
pub(super) fn read<'a>(raw: Text<'a>, flags: &mut Flags) -> (Text<'a>, Text<'a>, EmailKind) {
    let Some(raw) = raw else { return (None, None, EmailKind::Unknown) };
    // Most addresses are typed in lower case: then the record's own bytes are the address, and its domain.
    let plain = plain(&raw);
    let valid = if plain.is_some() { None } else { valid(&raw) };
    let (address, at) = match (plain, valid) {
        (Some(at), _) => (raw, at),
        (None, Some((address, at))) => (if address == raw { raw } else { Cow::Owned(address) }, at),
        (None, None) => {
            flags.insert(Flag::EmailInvalid);
            return (Some(raw), None, EmailKind::Unknown);
        }
    };
    let domain = part(&address, |address| address.get(at + 1..).unwrap_or_default()).unwrap_or_default();
    let kind = kind(&domain);
    flags.set(Flag::EduDomain, kind == EmailKind::Edu);
    flags.set(Flag::SampleDomain, is_sample(&domain));
    (Some(address), Some(domain), kind)
}

/// The place of the `@` in an address that stands as it will be written and needs no second look: the letters of most.
fn plain(raw: &str) -> Option<usize> {
    let mut at = None;
    // Nothing but letters at both ends and no two other signs side by side: so no part is empty, and none begins or ends with a hyphen.
    let mut was_letter = false;
    // Of the label at hand, as far as the domain.
    let (mut start, mut has_alphabetic, mut labels) = (0, false, 0);
    for (place, byte) in raw.bytes().enumerate() {
        match byte {
            b'a'..=b'z' => (was_letter, has_alphabetic) = (true, true),
            b'0'..=b'9' => was_letter = true,
            _ if !was_letter => return None,
            b'@' if at.is_none() && place <= 64 => {
                at = Some(place);
                (was_letter, start, has_alphabetic) = (false, place + 1, false);
            }
            b'.' if at.is_some() && place - start <= 63 => {
                labels += 1;
                (was_letter, start, has_alphabetic) = (false, place + 1, false);
            }
            b'_' | b'+' | b'.' if at.is_none() => was_letter = false,
            b'-' => was_letter = false,
            _ => return None,
        }
    }
    at.filter(|_| was_letter && has_alphabetic && labels > 0 && raw.len() - start <= 63 && raw.len() <= LONGEST)
}

/// The address in lower case with its domain in punycode, and the place of its `@`.
fn valid(raw: &str) -> Option<(String, usize)> {
    if raw.len() > LONGEST {
        return None;
    }
    let (local, domain) = raw.rsplit_once('@')?;
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let domain: Cow<'_, str> = if domain.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) {
        Cow::Borrowed(domain)
    } else {
        Cow::Owned(idna::domain_to_ascii(domain).ok()?)
    };
    // The standard also allows hosts without a dot, literal addresses and quoted names: nobody is reached there.
    let letters = |label: &str| label.bytes().any(|byte| byte.is_ascii_alphabetic());
    let host = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if !host || !domain.rsplit_once('.').is_some_and(|(_, top)| letters(top)) || local.starts_with('"') {
        return None;
    }
    // The same letters are the same address, composed or not.
    let local = local.to_lowercase();
    let local = if local.is_ascii() { Cow::Borrowed(local.as_str()) } else { ComposingNormalizerBorrowed::new_nfc().normalize(&local) };
    let address = format!("{local}@{domain}");
    EmailAddress::is_valid(&address).then(|| (address, local.len()))
}

fn kind(domain: &str) -> EmailKind {
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    // Only the top-level domain itself: `.edu.au` and `ac.uk` are other rules (readings Q13).
    if top == "edu" {
        EmailKind::Edu
    } else if domain.ends_with(".onmicrosoft.com") {
        EmailKind::Tenant
    } else if is_free_mail(domain) {
        EmailKind::FreeMail
    } else if is_disposable(domain) {
        EmailKind::Disposable
    } else {
        EmailKind::Business
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_needs_no_second_look_would_stand_it(raw in "[a-c0-1A._+@-]{0,9}@?[a-c0-1A.-]{0,9}(\\.[a-c1-]{0,3})?", long in 0..70_usize) {
            for raw in [raw.clone(), format!("{}{raw}", "x".repeat(long)), format!("{raw}{}.com", "x".repeat(long))] {
                if let Some(at) = plain(&raw) {
                    prop_assert_eq!(valid(&raw), Some((raw, at)));
                }
            }
        }
    }

    fn of(raw: &str) -> (Option<String>, Option<String>, EmailKind, Vec<&'static str>) {
        use crate::lead::Vocabulary;
        let mut flags = Flags::default();
        let (email, domain, kind) = read(Some(Cow::Borrowed(raw)), &mut flags);
        (email.map(Cow::into_owned), domain.map(Cow::into_owned), kind, flags.iter().map(Vocabulary::name).collect())
    }

    #[test]
    fn addresses_are_compared_in_lower_case_and_punycode() {
        let (email, domain, kind, flags) = of("Jo.Doe@Müller-Bau.DE");
        assert_eq!(email.as_deref(), Some("jo.doe@xn--mller-bau-q9a.de"));
        assert_eq!(domain.as_deref(), Some("xn--mller-bau-q9a.de"));
        assert_eq!((kind, flags), (EmailKind::Business, vec![]));
        assert_eq!(of("jo\u{308}rg@acme.de").0, of("j\u{f6}rg@acme.de").0);
    }

    #[test]
    fn kinds_are_told_by_the_domain() {
        assert_eq!(of("a@gmail.com").2, EmailKind::FreeMail);
        assert_eq!(of("a@acme.onmicrosoft.com").2, EmailKind::Tenant);
        assert_eq!(of("a@mailinator.com").2, EmailKind::Disposable);
        assert_eq!(of("a@jo.Mailinator.COM").2, EmailKind::Disposable);
        assert_eq!(of("a@corp.mail.ru").2, EmailKind::Business);
        assert_eq!((of("a@state.edu").2, of("a@state.edu").3), (EmailKind::Edu, vec!["edu_domain"]));
        assert_eq!(of("a@uni.edu.au").2, EmailKind::Business);
        assert_eq!(of("a@contoso.com").3, ["sample_domain"]);
    }

    #[test]
    fn what_is_no_address_is_kept_with_a_flag() {
        for raw in
            ["nobody", "a@b", "a b@c.de", "@c.de", "a@", "a@@c.de", "\"a b\"@c.de", "a@[127.0.0.1]", "a@127.0.0.1", "a@c..de", "a@-c.de"]
        {
            let (email, domain, kind, flags) = of(raw);
            assert_eq!(email.as_deref(), Some(raw));
            assert_eq!((domain, kind, flags), (None, EmailKind::Unknown, vec!["email_invalid"]), "{raw}");
        }
        assert_eq!(of(&format!("a@{}.de", "x".repeat(300))).3, ["email_invalid"]);
    }
}
