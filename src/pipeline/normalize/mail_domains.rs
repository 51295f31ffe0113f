//! Mail domains that tell nothing of a company: free mail, throw-away mail, and the ones of Microsoft's samples. The lists are
//! data files made from kept-up packages (`data/README.md`); what else is told from a domain, `email.rs` tells.

use std::sync::LazyLock;

use super::sorted_lines::{Lines, lines};

const FREE_MAIL: &str = include_str!("data/free_mail.txt");
const DISPOSABLE: &str = include_str!("data/disposable.txt");

static FREE_MAIL_DOMAINS: LazyLock<Lines> = LazyLock::new(|| lines(FREE_MAIL));
static DISPOSABLE_DOMAINS: LazyLock<Lines> = LazyLock::new(|| lines(DISPOSABLE));

/// Domains of samples and documentation (readings Q24): a mark, not a test by itself.
const SAMPLE: [&str; 4] = ["contoso.com", "example.com", "fabrikam.com", "test.com"];

/// Free mail for anybody, or mail of an Internet provider. The domain itself only: below it are the provider's own people
/// (`corp.mail.ru`), or customers who have a name of their own there.
pub(super) fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL_DOMAINS.contains(domain)
}

/// Whether anybody can have an address there: free mail, or all who have a tenant of Microsoft's and no domain of their own.
pub(crate) fn is_shared(domain: &str) -> bool {
    is_free_mail(domain) || is_disposable(domain) || domain == "onmicrosoft.com"
}

/// Addresses that live for minutes. So does everything below: such services hand out subdomains to get past lists like this one.
pub(super) fn is_disposable(domain: &str) -> bool {
    let mut rest = domain;
    // By the byte: to make a search ready is dearer than to look through so short a text.
    while let Some(above) = rest.bytes().position(|byte| byte == b'.').and_then(|at| rest.get(at + 1..)) {
        if DISPOSABLE_DOMAINS.contains(rest) {
            return true;
        }
        rest = above;
    }
    false
}

/// A domain of samples and documentation.
pub(super) fn is_sample(domain: &str) -> bool {
    SAMPLE.contains(&domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_hold_lower_case_domains_in_punycode() {
        for (list, least) in [(FREE_MAIL, 4_000), (DISPOSABLE, 10_000)] {
            let lines: Vec<_> = list.lines().collect();
            assert!(lines.len() >= least, "{}", lines.len());
            assert!(lines.is_sorted_by(|a, b| a < b), "sorted, each once");
            assert!(list.ends_with('\n') && !list.contains("\n\n"));
            let is_label = |label: &str| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            };
            let unclean: Vec<_> = lines.iter().filter(|line| !line.contains('.') || !line.split('.').all(is_label)).collect();
            assert!(unclean.is_empty(), "{unclean:?}");
            let found = super::lines(list);
            assert!(lines.iter().all(|line| found.contains(line)), "every line can be found");
        }
    }

    #[test]
    fn no_domain_is_both_and_no_line_is_idle() {
        let both: Vec<_> = FREE_MAIL.lines().filter(|domain| is_disposable(domain)).collect();
        assert!(both.is_empty(), "{both:?}");
        let idle: Vec<_> = DISPOSABLE.lines().filter(|domain| is_disposable(domain.split_once('.').unwrap().1)).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }

    #[test]
    fn common_free_mail_is_known() {
        for domain in "\
            gmail.com googlemail.com outlook.com outlook.de hotmail.com hotmail.fr live.com live.co.uk live.no msn.com icloud.com \
            me.com mac.com yahoo.com yahoo.co.jp yahoo.com.br yahoo.co.uk aol.com qq.com 163.com 126.com foxmail.com sina.com \
            naver.com daum.net web.de gmx.de gmx.net gmx.at t-online.de freenet.de yandex.ru yandex.com mail.ru rambler.ru proton.me \
            protonmail.com pm.me tutanota.com tuta.io fastmail.com zoho.com mail.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr \
            libero.it virgilio.it tin.it wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz freemail.hu abv.bg ukr.net bluewin.ch \
            hispeed.ch telenet.be skynet.be proximus.be ziggo.nl kpnmail.nl telia.com online.no comcast.net verizon.net att.net \
            cox.net charter.net earthlink.net shaw.ca rogers.com telus.net bigpond.com optusnet.com.au xtra.co.nz btinternet.com \
            sky.com talktalk.net virginmedia.com rediffmail.com uol.com.br bol.com.br terra.com.br globo.com walla.co.il \
            docomo.ne.jp ezweb.ne.jp nifty.com hey.com duck.com 21cn.com"
            .split_whitespace()
        {
            assert!(is_free_mail(domain), "{domain}");
        }
    }

    #[test]
    fn common_throw_away_mail_is_known_and_all_below_it() {
        for domain in "\
            mailinator.com guerrillamail.com guerrillamail.net sharklasers.com yopmail.com yopmail.fr 10minutemail.com \
            20minutemail.com temp-mail.org temp-mail.io tempmail.com trashmail.com trash-mail.com throwawaymail.com throwaway.email \
            getnada.com maildrop.cc mailnesia.com mailcatch.com dropmail.me mohmal.com moakt.com emailondeck.com fakeinbox.com \
            dispostable.com burnermail.io spamgourmet.com 33mail.com wegwerfmail.de jetable.org minuteinbox.com discard.email \
            inboxkitten.com 1secmail.com mailsac.com"
            .split_whitespace()
        {
            assert!(is_disposable(domain), "{domain}");
            assert!(is_disposable(&format!("x.{domain}")) && is_disposable(&format!("a.b.{domain}")), "below {domain}");
            assert!(!is_disposable(&format!("x{domain}")), "ends alike: {domain}");
        }
    }

    #[test]
    fn what_lies_below_free_mail_is_somebody_elses() {
        for domain in ["corp.mail.ru", "team.telstra.com", "acme.t-online.de", "xgmail.com", "com", ""] {
            assert!(!is_free_mail(domain) && !is_disposable(domain), "{domain}");
        }
    }

    #[test]
    fn companies_and_what_others_register_under_are_in_no_list() {
        for domain in "\
            microsoft.com adatum-industries.com contoso.com fabrikam.com example.com test.com siemens.com github.com bosch.de \
            telekom.com telekom.de ibm.com oracle.com sap.com apple.com google.com amazon.com meta.com facebook.com linkedin.com \
            salesforce.com bt.com vodafone.com orange.com telefonica.com t-mobile.com att.com verizon.com cox.com navercorp.com \
            tencent.com alibaba.com alibaba-inc.com yandex-team.ru starbucks.com walmart.com disney.com sony.com samsung.com \
            nokia.com philips.com allianz.de bmw.de volkswagen.de renault.com axa.com eni.it santander.com petrobras.com.br orlen.pl \
            tata.com infosys.com wipro.com accenture.com deloitte.com capgemini.com maersk.com volvo.com ikea.com equinor.com \
            swisscom.com ubs.com nestle.com roche.com nus.edu.sg unican.es ox.ac.uk za.com uk.com us.com eu.com de.com eu.org \
            ddns.net dyndns.org no-ip.org hopto.org github.io herokuapp.com azurewebsites.net onmicrosoft.com co.uk com.br com.au \
            co.jp edu.pl web.id"
            .split_whitespace()
        {
            assert!(!is_disposable(domain), "{domain}");
            assert!(!is_free_mail(domain), "{domain}");
        }
    }
}
