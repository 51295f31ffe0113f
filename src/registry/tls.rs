//! TLS to a schema registry: whose certificates are trusted, which is ours, and what a failed handshake means. Files are read
//! and judged here before anything is asked, so that `check` finds what is wrong with them offline.

use std::{fs, path::Path};

use openssl::{
    error::ErrorStack,
    pkey::{PKey, Private},
    x509::X509,
};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use crate::config::RegistryConfig;

const CA: &str = "encoding.registry_ca";
const CERTIFICATE: &str = "encoding.registry_certificate";
const KEY: &str = "encoding.registry_key";

/// Reads the files; asks nobody anything.
///
/// # Errors
/// All that is wrong with them, each with its key and its file.
pub(super) fn settings(config: &RegistryConfig) -> Result<TlsConfig, Vec<String>> {
    let mut faults = Vec::new();
    let mut tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier);
    if let Some(path) = &config.ca {
        match certificates(path, CA).and_then(|trusted| in_der(&trusted).map_err(|_| damaged(path, CA))) {
            Ok(trusted) => tls = tls.root_certs(RootCerts::new_with_certs(&trusted)),
            Err(fault) => faults.push(fault),
        }
    }
    if let (Some(path), Some(key_path)) = (&config.certificate, &config.key) {
        match (certificates(path, CERTIFICATE), private_key(key_path)) {
            (Ok(chain), Ok(key)) => match identity(&chain, &key) {
                Ok(Some(identity)) => tls = tls.client_cert(Some(identity)),
                Ok(None) => {
                    let (key, certificate) = (shown(key_path), shown(path));
                    faults.push(format!("{KEY}: the key in {key} is not that of the first certificate in {certificate}"));
                }
                Err(_) => faults.push(damaged(path, CERTIFICATE)),
            },
            (chain, key) => faults.extend([chain.err(), key.err()].into_iter().flatten()),
        }
    }
    if faults.is_empty() { Ok(tls.build()) } else { Err(faults) }
}

fn shown(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

fn read(path: &Path, key: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{key}: cannot read {}: {error}", shown(path)))
}

fn damaged(path: &Path, key: &str) -> String {
    format!("{key}: {} holds a certificate that cannot be read", shown(path))
}

fn certificates(path: &Path, key: &str) -> Result<Vec<X509>, String> {
    let found = X509::stack_from_pem(&read(path, key)?).map_err(|_| damaged(path, key))?;
    if found.is_empty() { Err(format!("{key}: {} holds no certificate in PEM form", shown(path))) } else { Ok(found) }
}

/// A key in PKCS #8, PKCS #1 or SEC 1.
fn private_key(path: &Path) -> Result<PKey<Private>, String> {
    let pem = read(path, KEY)?;
    let mut encrypted = false;
    // Without an answer of ours OpenSSL would ask whoever sits at the terminal.
    let key = PKey::private_key_from_pem_callback(&pem, |_| {
        encrypted = true;
        Ok(0)
    });
    key.map_err(|_| {
        let file = shown(path);
        if encrypted {
            format!("{KEY}: the private key in {file} is encrypted; store it without a passphrase, as `openssl pkey` does")
        } else {
            format!("{KEY}: {file} holds no private key in PEM form")
        }
    })
}

fn in_der(certificates: &[X509]) -> Result<Vec<Certificate<'static>>, ErrorStack> {
    certificates.iter().map(|certificate| certificate.to_der().map(|der| Certificate::from_der(&der).to_owned())).collect()
}

/// Who we are; `None`: the key is another's.
fn identity(chain: &[X509], key: &PKey<Private>) -> Result<Option<ClientCert>, ErrorStack> {
    let Some(own) = chain.first() else { return Ok(None) };
    if !own.public_key()?.public_eq(key) {
        return Ok(None);
    }
    // Whatever form the file had: the client takes PKCS #8 alone.
    let pem = key.private_key_to_pem_pkcs8()?;
    let key = PrivateKey::from_pem(&pem).ok();
    let chain = in_der(chain)?;
    Ok(key.map(|key| ClientCert::new_with_certs(&chain, key)))
}

/// What an error of TLS means for the person who set the keys; `None`: it is none of TLS, or speaks for itself.
pub(super) fn meaning(error: &str) -> Option<String> {
    if error.contains("certificate verify failed") {
        let why = error.rsplit_once('(').map_or("it cannot be verified", |(_, why)| why.trim_end_matches(')'));
        let todo = if why.contains("mismatch") {
            "; encoding.registry must name the host as the certificate does"
        } else if why.contains("expired") || why.contains("not yet valid") {
            ""
        } else {
            "; set encoding.registry_ca to the authorities that are trusted"
        };
        return Some(format!("its certificate is not accepted: {why}{todo}"));
    }
    if error.contains("unexpected EOF") {
        return Some("it hangs up in the middle of TLS; is encoding.registry an http:// address?".to_owned());
    }
    // OpenSSL writes error:NUMBER:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA.
    let (_, written) = error.split_once("error:")?;
    let reason = written.split(':').nth(3)?;
    let is_about_us = ["certificate", "unknown ca", "access denied", "handshake failure"].iter().any(|word| reason.contains(word));
    if reason.contains("alert") && is_about_us {
        return Some(format!(
            "it does not let us in without a certificate that it trusts ({reason}): check {CERTIFICATE} and registry_key"
        ));
    }
    if reason == "wrong version number" || reason == "packet length too long" || reason == "http request" {
        return Some("it does not speak TLS here; is encoding.registry an http:// address?".to_owned());
    }
    Some(format!("TLS fails: {reason}"))
}
