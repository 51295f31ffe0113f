//! A fake registry that speaks TLS, and the papers for it: authorities and certificates that are made for one test and known
//! to nobody else. What it answers over TLS is `fake_registry`'s.

use std::{
    io::Read as _,
    net::{Shutdown, TcpStream},
};

use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    rsa::Rsa,
    ssl::{SslAcceptor, SslMethod, SslStream, SslVerifyMode, SslVersion},
    symm::Cipher,
    x509::{
        X509, X509Name,
        extension::{BasicConstraints, SubjectAlternativeName},
        store::X509StoreBuilder,
    },
};

use super::fake_registry::FakeRegistry;

/// A certificate and its key.
pub(crate) struct Papers {
    pub(crate) certificate: X509,
    key: PKey<Private>,
}

fn elliptic_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

/// What a certificate says of whom it is for.
#[derive(Clone, Copy)]
enum For<'a> {
    Authority,
    Client,
    Host(&'a str),
    /// A host, until yesterday.
    Past(&'a str),
    /// The same of a client.
    PastClient,
}

impl Papers {
    /// An authority of its own.
    pub(crate) fn authority(name: &str) -> Self {
        Self::made(name, elliptic_key(), For::Authority, None)
    }

    /// An authority below this one.
    pub(crate) fn authority_below(&self, name: &str) -> Self {
        Self::made(name, elliptic_key(), For::Authority, Some(self))
    }

    /// For a server of this name or address.
    pub(crate) fn server(&self, host: &str) -> Self {
        Self::made("registry", elliptic_key(), For::Host(host), Some(self))
    }

    /// The same, and it is too late for it.
    pub(crate) fn expired_server(&self, host: &str) -> Self {
        Self::made("registry", elliptic_key(), For::Past(host), Some(self))
    }

    /// For one who comes, with a key on an elliptic curve.
    pub(crate) fn client(&self) -> Self {
        Self::made("leadstream", elliptic_key(), For::Client, Some(self))
    }

    /// The same, and it is too late for it.
    pub(crate) fn expired_client(&self) -> Self {
        Self::made("leadstream", elliptic_key(), For::PastClient, Some(self))
    }

    /// The same with an RSA key.
    pub(crate) fn client_with_rsa(&self) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        Self::made("leadstream", key, For::Client, Some(self))
    }

    fn made(name: &str, key: PKey<Private>, holder: For<'_>, issuer: Option<&Self>) -> Self {
        let mut subject = X509Name::builder().expect("a name");
        subject.append_entry_by_text("CN", name).expect("a name");
        let subject = subject.build();
        let mut builder = X509::builder().expect("a certificate");
        builder.set_version(2).expect("version 3");
        let mut number = BigNum::new().expect("a number");
        number.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false).expect("a number");
        builder.set_serial_number(&number.to_asn1_integer().expect("a number")).expect("a number");
        builder.set_subject_name(&subject).expect("a name");
        builder.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name())).expect("a name");
        builder.set_pubkey(&key).expect("a key");
        let ends = if matches!(holder, For::Past(_) | For::PastClient) { -24 } else { 24 };
        let at = |hours: i64| Asn1Time::from_unix(jiff::Timestamp::now().as_second() + hours * 3600).expect("a time");
        builder.set_not_before(&at(-48)).expect("a time");
        builder.set_not_after(&at(ends)).expect("a time");
        match holder {
            For::Authority => {
                let constraints = BasicConstraints::new().critical().ca().build().expect("an extension");
                builder.append_extension(constraints).expect("an extension");
            }
            For::Host(host) | For::Past(host) => {
                let mut names = SubjectAlternativeName::new();
                if host.parse::<std::net::IpAddr>().is_ok() {
                    names.ip(host);
                } else {
                    names.dns(host);
                }
                let names = names.build(&builder.x509v3_context(None, None)).expect("an extension");
                builder.append_extension(names).expect("an extension");
            }
            For::Client | For::PastClient => {}
        }
        builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).expect("signed");
        Self { certificate: builder.build(), key }
    }

    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        text(self.certificate.to_pem().expect("PEM"))
    }

    /// The key in PKCS #8.
    pub(crate) fn key(&self) -> String {
        text(self.key.private_key_to_pem_pkcs8().expect("PEM"))
    }

    /// The key in the older form of its kind: PKCS #1 or SEC 1.
    pub(crate) fn older_key(&self) -> String {
        text(match self.key.rsa() {
            Ok(rsa) => rsa.private_key_to_pem().expect("PEM"),
            Err(_) => self.key.ec_key().and_then(|key| key.private_key_to_pem()).expect("PEM"),
        })
    }

    /// The key behind a passphrase.
    pub(crate) fn encrypted_key(&self) -> String {
        text(self.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"made-up").expect("PEM"))
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM is ASCII")
}

/// Answers over TLS with these papers; with `clients` it lets in only those whom that authority has certified.
pub(crate) fn start(
    server: &Papers,
    clients: Option<&Papers>,
    newest: SslVersion,
    answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> FakeRegistry {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("OpenSSL is there");
    acceptor.set_max_proto_version(Some(newest)).expect("a version");
    acceptor.set_certificate(&server.certificate).expect("a certificate");
    acceptor.set_private_key(&server.key).expect("a key");
    if let Some(authority) = clients {
        let mut store = X509StoreBuilder::new().expect("a store");
        store.add_cert(authority.certificate.clone()).expect("a certificate");
        acceptor.set_verify_cert_store(store.build()).expect("a store");
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    let acceptor = acceptor.build();
    FakeRegistry::behind("https", move |stream| accepted(&acceptor, stream), answer)
}

fn accepted(acceptor: &SslAcceptor, stream: TcpStream) -> Option<SslStream<TcpStream>> {
    let mut other = stream.try_clone().expect("a second handle");
    let accepted = acceptor.accept(stream).ok();
    if accepted.is_none() {
        // Who hangs up on what is unread resets the connection, and the reason may be lost on its way.
        let _ = other.shutdown(Shutdown::Write);
        let _ = other.read_to_end(&mut Vec::new());
    }
    accepted
}
