//! Asks a running service whether it is ready, as a platform's probe does, for those that can
//! only run a command.
//!
//! Over TLS the service is known by its certificate: the one that its own configuration names,
//! and no other. So it can be asked at an address that the certificate does not name, without
//! trusting anybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use url::Url;

use super::tls::{ServerTlsError, certificates};
use crate::config;

/// More than our own answer has.
const MAX_ANSWER_CHARS: usize = 200;

/// Why a service is not ready, or why that cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Any free port may be it.
    #[error(
        "`server.listen` has port 0, which takes any free port; say by `--url` where the service listens"
    )]
    AnyPort,
    /// It is known by no certificate.
    #[error(
        "{0} is https, and the configuration names no `server.tls.cert_file` to know the service by; give the configuration that it runs with"
    )]
    NoCertificate(Url),
    /// The certificate cannot be read.
    #[error(transparent)]
    Tls(#[from] ServerTlsError),
    /// There is no client to ask with.
    #[error("cannot ask: {0}")]
    Client(#[source] reqwest::Error),
    /// Nobody answers.
    #[error(
        "nothing answers at {url}: {}; is `serve` running, and with this configuration?",
        innermost(source)
    )]
    Silent {
        /// Where it was asked.
        url: Url,
        /// What the system said.
        source: reqwest::Error,
    },
    /// Somebody else answers.
    #[error(
        "who answers at {0} has another certificate than `server.tls.cert_file`: another service, or one that has not read the new file yet"
    )]
    Stranger(Url),
    /// It did not answer in time.
    #[error("no answer at {0} within {1:?}; look at its log, or give more `--timeout`")]
    Late(Url, Duration),
    /// It answers, but not that it is ready.
    #[error("not ready: {url} answers {status}{}", said(answer))]
    NotReady {
        /// Where it was asked.
        url: Url,
        /// The status.
        status: reqwest::StatusCode,
        /// The first line.
        answer: String,
    },
}

/// The question whether a service is ready.
#[derive(Debug)]
pub struct Probe {
    /// Where it is asked.
    pub url: Url,
    client: reqwest::Client,
    time_limit: Duration,
}

impl Probe {
    /// Asks the service with these settings, at its own address or at another.
    ///
    /// # Errors
    /// When the address cannot be told, or its certificate cannot be read.
    pub fn new(
        server: &config::Server,
        at: Option<&Url>,
        time_limit: Duration,
    ) -> Result<Self, ProbeError> {
        let url = match at {
            Some(at) => below(at.clone(), at.path()),
            None => own_address(server).ok_or(ProbeError::AnyPort)?,
        };
        let mut known = Vec::new();
        if let Some(file) = &server.tls.cert_file {
            known = certificates("cert_file", file)?;
            known.truncate(1);
        } else if url.scheme() == "https" {
            return Err(ProbeError::NoCertificate(url));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Known {
            certificate: known.into_iter().next(),
            provider: Arc::clone(&provider),
        });
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ServerTlsError::Unusable)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            // The service is asked, whatever stands between others and it.
            .no_proxy()
            .timeout(time_limit)
            .build()
            .map_err(ProbeError::Client)?;
        Ok(Self {
            url,
            client,
            time_limit,
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// When it is not ready, or that cannot be told.
    pub async fn ask(&self) -> Result<(), ProbeError> {
        let url = self.url.clone();
        let failed = |source: reqwest::Error| {
            if source.is_timeout() {
                ProbeError::Late(url.clone(), self.time_limit)
            } else if innermost(&source).contains(STRANGER) {
                ProbeError::Stranger(url.clone())
            } else {
                let url = url.clone();
                ProbeError::Silent { url, source }
            }
        };
        let answer = self.client.get(url.clone()).send().await.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        // An answer that breaks off tells less; its status tells enough.
        let answer = answer.text().await.unwrap_or_default();
        let answer = answer.lines().next().unwrap_or_default();
        let answer = answer.chars().filter(|c| !c.is_control());
        Err(ProbeError::NotReady {
            url,
            status,
            answer: answer.take(MAX_ANSWER_CHARS).collect(),
        })
    }
}

/// Where a service with these settings is reached from its own machine.
fn own_address(server: &config::Server) -> Option<Url> {
    if server.listen.port() == 0 {
        return None;
    }
    let ip = match server.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, server.listen.port());
    let scheme = match server.tls.cert_file {
        Some(_) => "https",
        None => "http",
    };
    let url = Url::parse(&format!("{scheme}://{address}")).ok()?;
    Some(below(url, &server.path_prefix))
}

/// The endpoint below a path.
fn below(mut url: Url, path: &str) -> Url {
    url.set_path(&format!("{}/-/ready", path.trim_end_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Knows one certificate, and accepts no other. Whoever shows it must have its key.
#[derive(Debug)]
struct Known {
    certificate: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

/// What rustls says where [`Known`] refuses.
const STRANGER: &str = "ApplicationVerificationFailure";

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.certificate.as_ref() == Some(certificate) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// reqwest's own words only repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn said(answer: &str) -> String {
    if answer.is_empty() {
        String::new()
    } else {
        format!(": {answer}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(listen: &str, prefix: &str) -> Option<String> {
        let server = config::Server {
            listen: listen.parse().unwrap(),
            path_prefix: prefix.to_owned(),
            ..config::Server::default()
        };
        own_address(&server).map(String::from)
    }

    #[test]
    fn a_service_is_asked_where_its_own_machine_reaches_it() {
        for (listen, prefix, expected) in [
            ("0.0.0.0:9091", "", "http://127.0.0.1:9091/-/ready"),
            ("[::]:9091", "/webex", "http://[::1]:9091/webex/-/ready"),
            ("192.0.2.1:80", "", "http://192.0.2.1/-/ready"),
        ] {
            assert_eq!(url(listen, prefix).as_deref(), Some(expected));
        }
        assert_eq!(url("127.0.0.1:0", ""), None);
    }
}
