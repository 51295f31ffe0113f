//! Mail domains that tell nothing of a company: free mail, throw-away mail, and the ones of Microsoft's samples. Small
//! lists of the common ones, sorted for a binary search.

/// Free mail for anybody, and mail of Internet providers.
pub(super) const FREE_MAIL: &[&str] = &[
    "126.com", "163.com", "abv.bg", "aim.com", "alice.it", "aliyun.com", "aol.co.uk", "aol.com", "arcor.de", "att.net", "azet.sk",
    "bbox.fr", "bellsouth.net", "bigpond.com", "bk.ru", "bluewin.ch", "blueyonder.co.uk", "bol.com.br", "btinternet.com", "centrum.cz",
    "charter.net", "citromail.hu", "comcast.net", "cox.net", "daum.net", "docomo.ne.jp", "duck.com", "earthlink.net", "email.com",
    "email.cz", "excite.com", "ezweb.ne.jp", "fastmail.com", "fastmail.fm", "foxmail.com", "free.fr", "freemail.hu", "freenet.de",
    "gazeta.pl", "globo.com", "gmail.com", "gmx.at", "gmx.ch", "gmx.co.uk", "gmx.com", "gmx.de", "gmx.fr", "gmx.net", "googlemail.com",
    "hanmail.net", "hey.com", "hispeed.ch", "home.nl", "hotmail.be", "hotmail.ca", "hotmail.co.uk", "hotmail.com", "hotmail.de",
    "hotmail.es", "hotmail.fr", "hotmail.it", "hotmail.nl", "hushmail.com", "icloud.com", "ig.com.br", "iinet.net.au", "inbox.com",
    "inbox.ru", "interia.pl", "internet.ru", "juno.com", "kpnmail.nl", "laposte.net", "libero.it", "list.ru", "live.ca", "live.co.uk",
    "live.com", "live.com.au", "live.de", "live.dk", "live.fr", "live.it", "live.nl", "live.no", "live.se", "lycos.com", "mac.com",
    "mail.com", "mail.ru", "me.com", "msn.com", "nate.com", "naver.com", "neuf.fr", "nifty.com", "ntlworld.com", "o2.pl", "onet.pl",
    "online.no", "op.pl", "optonline.net", "optusnet.com.au", "orange.fr", "outlook.com", "outlook.de", "outlook.es", "outlook.fr",
    "outlook.it", "outlook.jp", "passport.com", "planet.nl", "pm.me", "proton.me", "protonmail.ch", "protonmail.com", "proximus.be",
    "qq.com", "rambler.ru", "rediffmail.com", "rocketmail.com", "rogers.com", "sapo.pt", "sbcglobal.net", "seznam.cz", "sfr.fr",
    "shaw.ca", "sina.cn", "sina.com", "sky.com", "skynet.be", "softbank.ne.jp", "sohu.com", "spray.se", "sympatico.ca", "t-online.de",
    "talktalk.net", "telenet.be", "telia.com", "telus.net", "terra.com.br", "tin.it", "tiscali.it", "tuta.io", "tutamail.com",
    "tutanota.com", "ukr.net", "uol.com.br", "usa.com", "verizon.net", "virgilio.it", "virginmedia.com", "walla.co.il", "walla.com",
    "wanadoo.fr", "web.de", "wp.pl", "xtra.co.nz", "ya.ru", "yahoo.ca", "yahoo.co.id", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk",
    "yahoo.com", "yahoo.com.ar", "yahoo.com.au", "yahoo.com.br", "yahoo.com.hk", "yahoo.com.mx", "yahoo.com.sg", "yahoo.com.tw",
    "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.in", "yahoo.it", "yandex.com", "yandex.ru", "yeah.net", "ymail.com", "ziggo.nl",
    "zoho.com", "zohomail.com",
];

/// Addresses that live for minutes.
pub(super) const DISPOSABLE: &[&str] = &[
    "10minutemail.com", "10minutemail.net", "20minutemail.com", "33mail.com", "anonbox.net", "armyspy.com", "burnermail.io",
    "crazymailing.com", "cuvox.de", "dayrep.com", "discard.email", "discardmail.com", "dispostable.com", "dropmail.me", "einrot.com",
    "email-fake.com", "emailfake.com", "emailondeck.com", "fakeinbox.com", "fakemail.net", "fakemailgenerator.com", "fleckens.hu",
    "getairmail.com", "getnada.com", "grr.la", "guerrillamail.com", "guerrillamail.net", "guerrillamail.org", "guerrillamailblock.com",
    "gustr.com", "harakirimail.com", "inboxkitten.com", "incognitomail.org", "jetable.org", "jourrapide.com", "luxusmail.org",
    "mail-temp.com", "mailcatch.com", "maildrop.cc", "mailexpire.com", "mailinator.com", "mailnesia.com", "mailnull.com", "mailtemp.info",
    "mintemail.com", "minuteinbox.com", "moakt.com", "mohmal.com", "mytemp.email", "nada.email", "one-time.email", "rhyta.com",
    "sharklasers.com", "spam4.me", "spambox.us", "spamex.com", "spamgourmet.com", "superrito.com", "teleworm.us", "temp-mail.io",
    "temp-mail.org", "tempail.com", "tempinbox.com", "tempmail.com", "tempmail.net", "tempmailaddress.com", "tempmailo.com",
    "tempr.email", "throwaway.email", "throwawaymail.com", "tmpmail.net", "tmpmail.org", "trash-mail.com", "trashmail.com",
    "trashmail.de", "trashmail.net", "wegwerfmail.de", "wegwerfmail.net", "yopmail.com", "yopmail.fr", "yopmail.net",
];

/// Domains of samples and documentation (readings Q24): a mark, not a test by itself.
pub(super) const SAMPLE: &[&str] = &["contoso.com", "example.com", "fabrikam.com", "test.com"];

#[cfg(test)]
mod tests {
    #[test]
    fn lists_are_sorted() {
        for list in [super::FREE_MAIL, super::DISPOSABLE, super::SAMPLE] {
            assert!(list.is_sorted());
        }
    }
}
