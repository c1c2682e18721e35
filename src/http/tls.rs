//! TLS on the service's ports: its certificate, and the certificates of callers.
//!
//! A caller need not have a certificate, since it may show a token instead, as probes show
//! nothing; but one that it shows must be signed by a CA of `client_ca_file`. Certificate, key
//! and CAs are read together and replace the old ones together or not at all. Sessions are not
//! resumed: who resumes one is not asked for a certificate, and one that is no longer good
//! would be good for hours.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::{InconsistentKeys, RootCertStore};
use tokio_rustls::TlsAcceptor;
use webpki::{EndEntityCert, KeyUsage};

use crate::config;

/// A certificate that expires sooner should have been replaced by now.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum ServerTlsError {
    /// A file cannot be read.
    #[error("`server.tls.{key}`: cannot read {}: {source}; mount it, and let the user that runs this read it", path.display())]
    Unreadable {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no PEM file.
    #[error("`server.tls.{key}`: {} is broken ({source}); copy it again, in PEM form", path.display())]
    Pem {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A file lacks what it is for.
    #[error("`server.tls.{key}`: {} holds no {what}; it should hold PEM blocks that begin with `-----BEGIN {block}-----`", path.display())]
    Missing {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What that begins with.
        block: &'static str,
    },
    /// Certificate and key are no pair.
    #[error("`server.tls.key_file`: {} is not the key of the certificate in {}; name the two that were made together", key.display(), certificate.display())]
    NoPair {
        /// The key.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
    /// The certificate or its key cannot be used.
    #[error(
        "`server.tls`: certificate or key cannot be used: {0}; use an RSA, ECDSA or Ed25519 key"
    )]
    Unusable(#[source] rustls::Error),
    /// A CA's certificate cannot be used.
    #[error("`server.tls.client_ca_file`: {} holds a certificate that is no CA's: {reason}; name the CA's own certificate", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// What is wrong with a certificate that can be used all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Nobody accepts it any more.
    #[error(
        "`server.tls.cert_file`: the certificate has expired at {0:.0}; replace it, or no caller will connect"
    )]
    Expired(Timestamp),
    /// Nobody accepts it yet.
    #[error(
        "`server.tls.cert_file`: the certificate is good only from {0:.0} on; look at this machine's clock"
    )]
    NotYet(Timestamp),
    /// It should have been replaced.
    #[error("`server.tls.cert_file`: the certificate expires at {0:.0}; replace it before that")]
    ExpiresSoon(Timestamp),
    /// Callers compare the name that they connect to with names that it lacks.
    #[error(
        "`server.tls.cert_file`: the certificate names no host (subjectAltName), so no caller will accept it; make it for the name in Alertmanager's webhook URL"
    )]
    Nameless,
}

impl Doubt {
    /// Whether callers refuse the certificate now.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Expired(_) | Self::NotYet(_))
    }
}

/// Certificate, key and client CAs, ready for use.
pub(super) struct ServerTls {
    config: Arc<ServerConfig>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

impl ServerTls {
    /// Makes the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Whether a caller's certificates are signed by a CA that we know, and not expired.
    pub(super) fn knows_client(&self, certificates: &[CertificateDer<'static>]) -> bool {
        let (Some((first, rest)), Some(clients)) = (certificates.split_first(), &self.clients)
        else {
            return false;
        };
        clients
            .verify_client_cert(first, rest, UnixTime::now())
            .is_ok()
    }
}

/// The names by which a certificate's owner is known: DNS names, in small letters, and URIs.
pub(super) fn names(certificate: &CertificateDer<'static>) -> Vec<String> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    let dns = certificate.valid_dns_names().map(str::to_ascii_lowercase);
    let uris = certificate.valid_uri_names().map(str::to_owned);
    dns.chain(uris).collect()
}

/// Whether the files that the configuration names work, and what is doubtful about them.
///
/// # Errors
/// When there would be no TLS with them.
pub fn inspect(tls: &config::Tls) -> Result<Vec<Doubt>, ServerTlsError> {
    load(tls)?;
    match &tls.cert_file {
        None => Ok(Vec::new()),
        Some(file) => {
            let chain = certificates("cert_file", file)?;
            Ok(chain
                .first()
                .map(|first| doubts(first, Timestamp::now()))
                .unwrap_or_default())
        }
    }
}

/// Reads what the configuration names; `None` where it names nothing.
pub(super) fn load(tls: &config::Tls) -> Result<Option<ServerTls>, ServerTlsError> {
    let (Some(cert_file), Some(key_file)) = (&tls.cert_file, &tls.key_file) else {
        return Ok(None);
    };
    let chain = certificates("cert_file", cert_file)?;
    let key = key(key_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = tls
        .client_ca_file
        .as_ref()
        .map(|file| verifier(file, &provider))
        .transpose()?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ServerTlsError::Unusable)?;
    let builder = match &clients {
        Some(clients) => builder.with_client_cert_verifier(Arc::clone(clients)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                ServerTlsError::NoPair {
                    key: key_file.clone(),
                    certificate: cert_file.clone(),
                }
            }
            other => ServerTlsError::Unusable(other),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Some(ServerTls {
        config: Arc::new(config),
        clients,
    }))
}

fn verifier(
    file: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, ServerTlsError> {
    let broken = |reason: String| ServerTlsError::ClientCa {
        path: file.to_owned(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_ca_file", file)? {
        roots
            .add(certificate)
            .map_err(|error| broken(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| broken(error.to_string()))
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, ServerTlsError> {
    std::fs::read(path).map_err(|source| ServerTlsError::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

/// The certificates of a file, as the key that names it is told in an error.
pub(super) fn certificates(
    key: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, ServerTlsError> {
    let pem = read(key, path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|source| ServerTlsError::Pem {
            key,
            path: path.to_owned(),
            source,
        })?;
    if found.is_empty() {
        return Err(ServerTlsError::Missing {
            key,
            path: path.to_owned(),
            what: "certificate",
            block: "CERTIFICATE",
        });
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, ServerTlsError> {
    let pem = read("key_file", path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|source| match source {
        pem::Error::NoItemsFound => ServerTlsError::Missing {
            key: "key_file",
            path: path.to_owned(),
            what: "key without a passphrase",
            block: "PRIVATE KEY",
        },
        source => ServerTlsError::Pem {
            key: "key_file",
            path: path.to_owned(),
            source,
        },
    })
}

/// What callers will not like about the certificate.
fn doubts(certificate: &CertificateDer<'_>, now: Timestamp) -> Vec<Doubt> {
    let Ok(parsed) = EndEntityCert::try_from(certificate) else {
        return Vec::new();
    };
    // The verifier tells the dates of a certificate only by complaining about them.
    let at = |seconds: i64| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(
            u64::try_from(seconds).unwrap_or_default(),
        ));
        parsed.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[],
            &[],
            time,
            KeyUsage::server_auth(),
            None,
            None,
        )
    };
    let date = |time: UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    };
    let mut doubts = Vec::new();
    if let Err(webpki::Error::CertExpired { not_after, .. }) = at(Timestamp::MAX.as_second()) {
        let end = date(not_after);
        if end < now {
            doubts.push(Doubt::Expired(end));
        } else if now + SOON > end {
            doubts.push(Doubt::ExpiresSoon(end));
        }
    }
    if let Err(webpki::Error::CertNotValidYet { not_before, .. }) = at(0)
        && date(not_before) > now
    {
        doubts.push(Doubt::NotYet(date(not_before)));
    }
    // Addresses are names as well, but the parser does not tell them.
    let has_san = certificate.as_ref().windows(5).any(|bytes| bytes == SAN);
    if !has_san {
        doubts.push(Doubt::Nameless);
    }
    doubts
}

/// The object identifier 2.5.29.17 of subjectAltName, with its tag and length.
const SAN: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
