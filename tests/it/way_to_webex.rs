//! The way to Webex: TLS with a CA of one's own, a proxy that asks for credentials, hosts
//! other than the usual one. Everything is real but the names.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use alertmanager_webex::config::{Config, ConfigError, Sources};
use alertmanager_webex::prepared::prepare;
use alertmanager_webex::sandbox::{Sandbox, Server, Setup};
use alertmanager_webex::webex::{Client, Error, Https, Person, install_provider};
use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::programs::ours;

const HOST: &str = "api-usgov.webex.com";

/// A sandbox, TLS for [`HOST`] before it, and a proxy before that.
struct World {
    folder: tempfile::TempDir,
    sandbox: SocketAddr,
    proxy: SocketAddr,
    /// The heads of the requests to the proxy.
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new() -> Self {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let server = Server::bind(Sandbox::new(Setup::default()), local()).unwrap();
        let sandbox = server.local_addr();
        tokio::spawn(server.run_until(std::future::pending()));
        let tls = tls_before(sandbox, &folder.path().join("ca.pem")).await;
        let asked = Arc::default();
        let proxy = proxy_to(tls, Arc::clone(&asked)).await;
        std::fs::write(folder.path().join("proxy"), "me:s3cret word\n").unwrap();
        Self {
            folder,
            sandbox,
            proxy,
            asked,
        }
    }

    /// The keys of `[webex]` that lead through proxy and TLS to the sandbox.
    fn keys(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "base_url = \"https://{HOST}/v1\"\nca_file = \"{folder}/ca.pem\"\n\
             proxy = \"http://{}\"\nproxy_credentials_file = \"{folder}/proxy\"\n",
            self.proxy
        )
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Ends TLS and passes on what is in it.
async fn tls_before(target: SocketAddr, ca_file: &Path) -> SocketAddr {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = ca.self_signed(&ca_key).unwrap();
    std::fs::write(ca_file, certificate.pem()).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(local()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate ends here.
                let Ok(mut inside) = acceptor.accept(stream).await else {
                    return;
                };
                let mut behind = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut inside, &mut behind).await;
            });
        }
    });
    address
}

/// A proxy that wants to know who asks, and for which every name is `target`.
async fn proxy_to(target: SocketAddr, asked: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind(local()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let credentials = base64::engine::general_purpose::STANDARD.encode("me:s3cret word");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = head(&mut stream).await;
            let allowed = head.contains(&format!("Basic {credentials}"));
            asked.lock().unwrap().push(head);
            tokio::spawn(async move {
                if !allowed {
                    let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
                        Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
                    let _ = stream.write_all(refusal).await;
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut behind = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    address
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn config(keys: &str) -> Result<Config, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "[webex]\n{keys}\n[bots.default]\ntoken_env = \"TOKEN\"\n[receivers.default]\n\
         rooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00vMTIz\"]\n"
    );
    std::fs::write(file.path(), text).unwrap();
    let sources = Sources {
        file: Some(file.path().to_owned()),
        environment: [("TOKEN".to_owned(), "sandbox".to_owned())].into(),
    };
    prepare(&sources).map(|prepared| prepared.config)
}

/// Asks Webex who we are.
async fn identify(keys: &str) -> Result<Person, Error> {
    let config = config(keys).unwrap_or_else(|error| panic!("{error}"));
    let https = Https::new(&config.webex).unwrap();
    let client = Client::new(&config.webex.base_url, Arc::new(https)).unwrap();
    client.identify(&"sandbox".to_owned().into()).await
}

#[tokio::test]
async fn another_host_is_reached_through_a_proxy_with_credentials_and_a_ca_of_ones_own() {
    let world = World::new().await;
    identify(&world.keys()).await.unwrap();
    let asked = world.asked();
    assert!(
        asked[0].starts_with(&format!("CONNECT {HOST}:443 ")),
        "{asked:?}"
    );
    assert!(!asked[0].contains("Bearer"), "the token is for Webex alone");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_credentials() {
    let world = World::new().await;
    std::fs::write(world.folder.path().join("proxy"), "me:wr0ng").unwrap();
    let error = identify(&world.keys()).await.unwrap_err().to_string();
    let proxy = format!("{HOST} through the proxy http://{}", world.proxy);
    assert!(error.contains(&proxy), "{error}");
    assert!(error.contains("proxy auth"), "{error}");
    assert!(!error.contains("wr0ng"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_ca_is_refused() {
    let world = World::new().await;
    let other = World::new().await;
    let keys = world.keys().replace(
        &world.folder.path().join("ca.pem").display().to_string(),
        &other.folder.path().join("ca.pem").display().to_string(),
    );
    let error = identify(&keys).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test]
async fn what_is_excepted_goes_past_the_proxy_and_so_does_everything_with_none() {
    let world = World::new().await;
    let base = format!("base_url = \"http://{}/v1\"\n", world.sandbox);
    let dead = format!("{base}proxy = \"http://127.0.0.1:9\"\n");
    identify(&dead).await.unwrap_err();
    identify(&format!("{dead}no_proxy = [\"127.0.0.1\"]\n"))
        .await
        .unwrap();
    identify(&format!("{base}proxy = \"none\"\n"))
        .await
        .unwrap();
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = TcpListener::bind(local()).await.unwrap();
    let elsewhere = other.local_addr().unwrap();
    let listener = TcpListener::bind(local()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{elsewhere}/v1\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let keys = format!("base_url = \"http://{address}/v1\"\nproxy = \"none\"\n");
    let error = identify(&keys).await.unwrap_err();
    assert!(error.to_string().contains("307"), "{error}");
    let asked = tokio::select! {
        biased;
        _ = other.accept() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!asked, "nobody came");
}

#[test]
fn what_would_show_a_token_or_a_password_is_refused_with_a_remedy() {
    for (keys, message, remedy) in [
        (
            "base_url = \"http://webex.example.org/v1\"",
            "anybody on the way could read the bot's token",
            "allow_http = true",
        ),
        (
            "proxy = \"http://me:s3cret@proxy:3128\"",
            "this address holds credentials",
            "proxy_credentials_file",
        ),
        (
            "proxy = \"socks5://proxy\"",
            "not an http or https address",
            "http://proxy.example.org:3128",
        ),
        (
            "proxy_credentials_file = \"/x\"",
            "there is no `proxy`",
            "webex.proxy",
        ),
        ("no_proxy = [\"x\"]", "there is no `proxy`", "webex.proxy"),
    ] {
        let told = config(keys).unwrap_err().to_string();
        assert!(told.contains(message) && told.contains(remedy), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
    config("base_url = \"http://webex.example.org/v1\"\nallow_http = true").unwrap();
}

#[test]
fn check_shows_the_proxy_of_the_environment_without_its_credentials() {
    let output = ours()
        .arg("check")
        .env("WEBEX_TOKEN", "t")
        .env("WEBEX_ROOM", "Y2lzY29zcGFyazovL3VzL1JPT00vMTIz")
        .env("HTTPS_PROXY", "http://me:s3cret@proxy.example.org:3128")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("through the proxy http://proxy.example.org:3128 (HTTPS_PROXY)"),
        "{told}"
    );
    assert!(!told.contains("s3cret"), "{told}");
}
