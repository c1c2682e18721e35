//! TLS at the service's own port, and callers known by their certificates.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use reqwest::{Certificate, Identity};
use tempfile::TempDir;

use crate::harness::{Answer, Service, firing};
use crate::programs::{self, ours};

/// A CA that the test has made.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn server(&self, names: &[&str]) -> Pair {
        self.pair(&params(names))
    }

    /// A caller's, with these names and this common name.
    pub(crate) fn client(&self, names: &[&str], common_name: &str) -> Pair {
        let mut params = params(names);
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.pair(&params)
    }

    fn pair(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    use rcgen::SanType;
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names
        .iter()
        .map(|name| {
            if let Ok(address) = name.parse() {
                SanType::IpAddress(address)
            } else if name.contains("://") {
                SanType::URI((*name).try_into().unwrap())
            } else {
                SanType::DnsName((*name).try_into().unwrap())
            }
        })
        .collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// Files of a service with TLS.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new(pair: &Pair, clients: Option<&Authority>) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("tls.crt", &pair.certificate);
        files.write("tls.key", &pair.key);
        if let Some(clients) = clients {
            files.write("ca.crt", &clients.pem());
        }
        files
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        keep_to_oneself(&self.path(name));
        self.path(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `[server.tls]` with these files.
    pub(crate) fn toml(&self) -> String {
        let mut toml = "[server.tls]\n".to_owned();
        for (key, name) in [
            ("cert_file", "tls.crt"),
            ("key_file", "tls.key"),
            ("client_ca_file", "ca.crt"),
        ] {
            if self.path(name).exists() {
                writeln!(toml, "{key} = \"{}\"", self.path(name).display()).unwrap();
            }
        }
        toml
    }
}

/// A secret that every user may read is warned of.
fn keep_to_oneself(file: &Path) {
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

fn client(ca: &Authority, pair: Option<&Pair>) -> reqwest::Client {
    alertmanager_webex::webex::install_provider();
    let builder = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(ca.pem().as_bytes()).unwrap()]);
    let builder = match pair {
        Some(pair) => {
            let pem = format!("{}{}", pair.certificate, pair.key);
            builder.identity(Identity::from_pem(pem.as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

fn request(service: &Service, client: &reqwest::Client, receiver: &str) -> reqwest::RequestBuilder {
    client
        .post(format!(
            "https://{}/alertmanager/{receiver}",
            service.address
        ))
        .header("Content-Type", "application/json")
        .body(firing(receiver))
}

#[tokio::test]
async fn a_caller_is_known_by_a_name_in_a_certificate_that_our_ca_has_signed() {
    let (ca, clients) = (Authority::new("servers"), Authority::new("clients"));
    let files = Files::new(&ca.server(&["127.0.0.1"]), Some(&clients));
    let token = files.write("token", "a-token-for-those-without\n");
    let server = format!("admin_listen = \"127.0.0.1:0\"\n{}", files.toml());
    let receivers = format!(
        "[receivers.dns]\nrooms = [\"ops\"]\nclient_subjects = [\"Alertmanager.monitoring.svc\"]\n\
         [receivers.uri]\nrooms = [\"ops\"]\nclient_subjects = [\"spiffe://cluster/ns/monitoring\"]\n\
         [receivers.either]\nrooms = [\"ops\"]\nclient_subjects = [\"nobody\"]\n\
         bearer_token_file = \"{}\"\n",
        token.display()
    );
    let service = Service::with_server(&server, &receivers);

    let dns = clients.client(&["alertmanager.monitoring.svc"], "x");
    let uri = clients.client(&["spiffe://cluster/ns/monitoring"], "x");
    let common_name = clients.client(&["other"], "alertmanager.monitoring.svc");
    let wildcard = clients.client(&["*.monitoring.svc"], "x");
    let foreign = Authority::new("clients").client(&["alertmanager.monitoring.svc"], "x");
    let for_servers = clients.server(&["alertmanager.monitoring.svc"]);
    let mut expired = params(&["alertmanager.monitoring.svc"]);
    expired.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    expired.not_after = date_time_ymd(2020, 1, 1);
    let expired = clients.pair(&expired);

    let mut table = String::new();
    for (name, pair) in [
        ("none", None),
        ("dns", Some(&dns)),
        ("uri", Some(&uri)),
        ("common name", Some(&common_name)),
        ("wildcard", Some(&wildcard)),
        ("foreign CA", Some(&foreign)),
        ("server's", Some(&for_servers)),
        ("expired", Some(&expired)),
    ] {
        let client = client(&ca, pair);
        for (receiver, token) in [
            ("default", false),
            ("dns", false),
            ("uri", false),
            ("either", false),
            ("either", true),
        ] {
            let request = request(&service, &client, receiver);
            let request = if token {
                request.bearer_auth("a-token-for-those-without")
            } else {
                request
            };
            let told = match request.send().await {
                Ok(answer) => answer.status().as_u16().to_string(),
                Err(_) => "no connection".to_owned(),
            };
            let with = if token { "with token" } else { "" };
            writeln!(table, "{name:12} {receiver:8} {with:10} {told}").unwrap();
        }
    }
    insta::assert_snapshot!(table);

    let admin = service.admin_address.unwrap();
    let metrics = client(&ca, None).get(format!("https://{admin}/metrics"));
    assert_eq!(Answer::of(metrics).await.status, 200);
    let plain = crate::harness::client().get(service.url("/-/healthy"));
    assert!(plain.send().await.is_err(), "there is no HTTP beside it");
    service.stop().await;
}

#[tokio::test]
async fn tls_is_1_2_or_newer_and_nothing_is_resumed() {
    let ca = Authority::new("servers");
    let files = Files::new(&ca.server(&["127.0.0.1"]), None);
    let service = Service::with_server(&files.toml(), "");
    let client = client(&ca, None);
    for version in [
        reqwest::tls::Version::TLS_1_2,
        reqwest::tls::Version::TLS_1_3,
    ] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(ca.pem().as_bytes()).unwrap()])
            .min_tls_version(version)
            .max_tls_version(version)
            .build()
            .unwrap();
        let answer = Answer::of(request(&service, &client, "default")).await;
        assert_eq!(answer.status, 200, "{version:?}");
    }
    assert_eq!(
        Answer::of(request(&service, &client, "default"))
            .await
            .status,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn certificates_are_replaced_while_the_service_runs() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new(&old.server(&["127.0.0.1"]), Some(&old));
    let sandbox = programs::Sandbox::start();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n{}[webex]\nbase_url = \"{}\"\n[bots.default]\ntoken_env = \"TOKEN\"\n\
         [receivers.default]\nrooms = [\"{}\"]\nclient_subjects = [\"alertmanager.monitoring.svc\"]\n",
        files.toml(),
        sandbox.api,
        sandbox.rooms["ops"],
    );
    let config = files.write("service.toml", &config);
    let service = programs::Service::configured(&sandbox, &config);
    let post = async |client: &reqwest::Client, path: &str| {
        let request = client
            .post(format!("https://{}{path}", service.address))
            .header("Content-Type", "application/json")
            .body(firing("Down"));
        request.send().await.map(|answer| answer.status().as_u16())
    };
    let names = ["alertmanager.monitoring.svc"];
    let old_caller = old.client(&names, "x");
    // Its connection is kept: what is judged anew is the request.
    let kept = client(&old, Some(&old_caller));
    assert_eq!(post(&kept, "/alertmanager").await.unwrap(), 200);

    let pair = new.server(&["127.0.0.1"]);
    files.write("tls.key", "-----BEGIN PRIVATE KEY-----\n");
    let refused = post(&client(&old, None), "/-/reload").await.unwrap();
    assert!(
        refused >= 400,
        "half a certificate changes nothing: {refused}"
    );
    assert_eq!(post(&kept, "/alertmanager").await.unwrap(), 200);

    files.write("tls.crt", &pair.certificate);
    files.write("tls.key", &pair.key);
    files.write("ca.crt", &new.pem());
    assert_eq!(post(&client(&old, None), "/-/reload").await.unwrap(), 200);
    assert_eq!(
        post(&kept, "/alertmanager").await.unwrap(),
        401,
        "its CA has gone"
    );
    assert!(
        post(&client(&old, Some(&old_caller)), "/alertmanager")
            .await
            .is_err()
    );
    let new_caller = new.client(&names, "x");
    let answer = post(&client(&new, Some(&new_caller)), "/alertmanager").await;
    assert_eq!(answer.unwrap(), 200);
}

/// What `check` says of files, with their folder taken out.
fn check(files: &Files) -> String {
    let config = files.write(
        "config.toml",
        &format!(
            "[server]\n{}[bots.default]\ntoken_env = \"TOKEN\"\n\
             [receivers.default]\nrooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA\"]\n",
            files.toml()
        ),
    );
    let output = ours()
        .env("TOKEN", "t")
        .args(["check", "--config"])
        .arg(config)
        .output()
        .unwrap();
    let folder = files.0.path().display().to_string();
    let told = String::from_utf8(output.stderr)
        .unwrap()
        .replace(&folder, "");
    format!("{}\n{told}", output.status)
}

#[test]
fn check_says_whose_credentials_can_be_guessed_or_are_not_here() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "a-token-that-is-long-enough\nhunter2\n").unwrap();
    keep_to_oneself(&short);
    let told = |file: &std::path::Path| {
        let config = folder.path().join("config.toml");
        let text = format!(
            "[server]\nadmin_bearer_token_file = \"{0}\"\n[bots.default]\ntoken_env = \"TOKEN\"\n\
             [receivers.default]\nrooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA\"]\n\
             bearer_token_file = \"{0}\"\n",
            file.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut check = ours();
        check
            .env("TOKEN", "t")
            .args(["check", "--config"])
            .arg(config);
        let output = check.output().unwrap();
        assert!(output.status.success(), "both are warnings");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("hunter2"));
        told.replace(&folder.path().display().to_string(), "")
    };
    let absent = folder.path().join("absent");
    insta::assert_snapshot!(told(&short) + &told(&absent));
}

#[test]
fn check_says_what_is_wrong_with_certificates() {
    let ca = Authority::new("servers");
    let good = || ca.server(&["alertmanager-webex.monitoring.svc"]);
    let mut told = String::new();
    let mut case = |name: &str, files: &Files| {
        writeln!(told, "== {name}\n{}", check(files)).unwrap();
    };
    case("good", &Files::new(&good(), Some(&ca)));
    let mismatch = Pair {
        key: good().key,
        ..good()
    };
    case("key of another certificate", &Files::new(&mismatch, None));
    let dated = |from: i32, to: i32| {
        let mut params = params(&["alertmanager-webex.monitoring.svc"]);
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        ca.pair(&params)
    };
    case("expired", &Files::new(&dated(2019, 2020), None));
    case("not good yet", &Files::new(&dated(2090, 2091), None));
    case("without names", &Files::new(&ca.server(&[]), None));
    for (name, text) in [
        ("tls.crt", "hello\n"),
        (
            "tls.crt",
            "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n",
        ),
        (
            "tls.crt",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        ),
        ("tls.key", ""),
        (
            "tls.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n-----END ENCRYPTED PRIVATE KEY-----\n",
        ),
        (
            "tls.key",
            "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n",
        ),
        (
            "ca.crt",
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        ),
    ] {
        let files = Files::new(&good(), Some(&ca));
        files.write(name, text);
        case(&format!("{name} is {}", text.trim()), &files);
    }
    let absent = Files::new(&good(), None);
    let toml = absent.toml();
    std::fs::remove_file(absent.path("tls.key")).unwrap();
    let config = absent.write("config.toml", &format!("[server]\n{toml}"));
    let output = ours()
        .args(["check", "--config"])
        .arg(config)
        .env("WEBEX_TOKEN", "t")
        .env("WEBEX_ROOM", "Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA")
        .output()
        .unwrap();
    let folder = absent.0.path().display().to_string();
    let warned = String::from_utf8(output.stderr)
        .unwrap()
        .replace(&folder, "");
    writeln!(told, "== no key here\n{}\n{warned}", output.status).unwrap();
    insta::assert_snapshot!(told);
    assert!(!told.contains("aGVsbG8=\n-----END PRIVATE KEY-----\n  hint"));
}
