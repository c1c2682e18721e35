//! TLS: the provider, and certificates to trust. The one place that knows of *ring*.

use std::path::{Path, PathBuf};

use reqwest::Certificate;

/// Why no secure connection can be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// `webex.ca_file` cannot be read.
    #[error("cannot read the CA file {}: {source}; name an existing PEM file in `webex.ca_file`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `webex.ca_file` holds no certificate.
    #[error("the CA file {} holds no certificate; it should hold PEM blocks that begin with `-----BEGIN CERTIFICATE-----`", .0.display())]
    NoCertificates(PathBuf),
    /// `webex.ca_file` holds something that is no certificate.
    #[error("the CA file {} holds a broken certificate ({}); copy it again, in PEM form", path.display(), innermost(source))]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: reqwest::Error,
    },
    /// The system has no CA certificates, say.
    #[error("cannot set up TLS ({}); install the system's CA certificates (package `ca-certificates`) or set `webex.ca_file`", innermost(.0))]
    Client(#[source] reqwest::Error),
}

/// Makes *ring* the process's cryptography. Doing it twice changes nothing.
pub fn install_provider() {
    // An error says that one is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate>, TlsError> {
    let pem = std::fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|source| TlsError::Broken {
        path: path.to_owned(),
        source,
    })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificates(path.to_owned()));
    }
    Ok(certificates)
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
