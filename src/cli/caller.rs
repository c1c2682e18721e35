//! Who `send --url` is to a service: what it shows, and whom it believes.
//!
//! As Alertmanager's `http_config`, so that what passes here passes there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::{Certificate, Identity, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};

use crate::secrets::SecretSource;

/// A packet that a firewall drops is answered by nobody.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than any `delivery.answer_within` that makes sense.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(super) struct CallerArguments {
    /// With `--url`: a file with the token to show; of several lines the first
    #[arg(
        long,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "username"
    )]
    bearer_token_file: Option<PathBuf>,
    /// With `--url`: the name to show, with a password
    #[arg(long, value_name = "NAME", requires_all = ["url", "password_file"])]
    username: Option<String>,
    /// A file with its password; of several lines the first
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// With `--url`: a PEM file of certificates to trust besides the system's
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// With `--url`: a PEM file with the certificate to show, and those between it and its CA
    #[arg(long, value_name = "FILE", requires_all = ["url", "key_file"])]
    cert_file: Option<PathBuf>,
    /// A PEM file with its key
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
}

/// What a request shows beside a certificate.
enum Shown {
    Nothing,
    Token(SecretString),
    Password(String, SecretString),
}

/// A client that calls as the arguments say.
pub(super) struct Caller {
    client: reqwest::Client,
    shown: Shown,
}

impl CallerArguments {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them cannot be read or used.
    pub(super) fn caller(&self) -> anyhow::Result<Caller> {
        let shown = match (&self.bearer_token_file, &self.username, &self.password_file) {
            (Some(file), ..) => {
                Shown::Token(first(SecretSource::File(file.clone()).read_tokens()?)?)
            }
            (None, Some(name), Some(file)) => {
                let passwords = SecretSource::File(file.clone()).read_passwords()?;
                Shown::Password(name.clone(), first(passwords)?)
            }
            _ => Shown::Nothing,
        };
        crate::webex::install_provider();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT);
        if let Some(file) = &self.ca_file {
            let certificates = Certificate::from_pem_bundle(&read(file)?)
                .ok()
                .filter(|found| !found.is_empty())
                .with_context(|| no_pem(file, "certificate"))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let (Some(cert), Some(key)) = (&self.cert_file, &self.key_file) {
            let mut pem = read(cert)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            // What is wrong with a key is not repeated: it may stand in the wrong file.
            let identity = Identity::from_pem(&pem).map_err(|_| {
                anyhow!(
                    "{} and {} hold no certificate and key in PEM form; are they the right files?",
                    cert.display(),
                    key.display()
                )
            })?;
            builder = builder.identity(identity);
        }
        let client = builder
            .build()
            .context("cannot set up TLS; are the certificates in PEM form?")?;
        Ok(Caller { client, shown })
    }
}

impl Caller {
    /// A POST that shows what there is to show.
    pub(super) fn post(&self, url: &url::Url) -> RequestBuilder {
        let request = self.client.post(url.clone());
        match &self.shown {
            Shown::Nothing => request,
            Shown::Token(token) => request.bearer_auth(token.expose_secret()),
            Shown::Password(name, password) => {
                request.basic_auth(name, Some(password.expose_secret()))
            }
        }
    }
}

/// Says why no answer came, and what to look at.
pub(super) fn unanswered(error: &reqwest::Error) -> anyhow::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    let remedy = if cause.contains("certificate") {
        "the service's certificate is not trusted, or it refuses ours; name its CA with `--ca-file`, and see that the URL has the name that stands in it"
    } else if error.is_timeout() {
        "the service does not answer in time; does a firewall or a NetworkPolicy drop the packets?"
    } else {
        "the service does not answer; is it running, and is the URL right?"
    };
    anyhow!("{remedy} ({cause})")
}

fn first(found: Vec<SecretString>) -> anyhow::Result<SecretString> {
    found.into_iter().next().context("there is no secret")
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn no_pem(file: &Path, what: &str) -> String {
    format!(
        "{} holds no {what} in PEM form; it should hold blocks that begin with `-----BEGIN`",
        file.display()
    )
}
