//! `send --url` to a service that asks for credentials, or speaks TLS: what `helm test` runs.

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{Ended, command, ended};
use crate::harness::Service;
use crate::tls::{Authority, Files};

const BODY: &str = "tests/fixtures/alertmanager-0.34/one-firing.json";

/// The command as it ends, while the service goes on.
async fn send(arguments: Vec<String>) -> Ended {
    tokio::task::spawn_blocking(move || {
        let mut command = command(&["send", BODY]);
        ended(command.args(arguments))
    })
    .await
    .unwrap()
}

fn reason(told: &Ended) -> String {
    let answer: Value =
        serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    answer["reason"].as_str().unwrap().to_owned()
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn send_shows_the_credentials_it_is_given_and_says_which_file_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = write(
        &folder,
        "tokens",
        "new-token-of-the-team\nold-token-of-the-team\n",
    );
    let password = write(&folder, "password", "ann's password\n");
    let wrong = write(&folder, "wrong", "s3cr3t-of-somebody-else\n");
    let empty = write(&folder, "empty", "\n");
    let service = Service::with_server(
        "",
        &format!(
            "[receivers.team]\nrooms = [\"ops\"]\nbearer_token_file = \"{tokens}\"\n\
             [[receivers.team.basic_auth]]\nusername = \"ann\"\npassword_file = \"{password}\"\n"
        ),
    );
    let url = service.url("/alertmanager/team");
    let to_team = |more: &[&str]| {
        let mut arguments = vec!["--url".to_owned(), url.clone()];
        arguments.extend(more.iter().map(|&one| one.to_owned()));
        send(arguments)
    };

    let told = to_team(&[]).await;
    assert_eq!((told.code, reason(&told).as_str()), (1, "unauthorized"));
    let told = to_team(&["--bearer-token-file", &wrong]).await;
    assert_eq!((told.code, reason(&told).as_str()), (1, "unauthorized"));
    assert!(!format!("{told:?}").contains("s3cr3t"), "{told:?}");
    let told = to_team(&["--bearer-token-file", &tokens]).await;
    assert_eq!((told.code, reason(&told).as_str()), (0, "delivered"));
    let told = to_team(&["--username", "ann", "--password-file", &password]).await;
    assert_eq!((told.code, reason(&told).as_str()), (0, "duplicate"));

    for (file, expected) in [
        (empty.as_str(), "is empty; put the token into it"),
        (
            "/nowhere/token",
            "cannot read the secret file /nowhere/token",
        ),
    ] {
        let told = to_team(&["--bearer-token-file", file]).await;
        assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{told:?}");
        assert!(told.stderr.contains(expected), "{told:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn send_trusts_the_ca_it_is_given_and_shows_its_certificate() {
    let (ca, clients) = (Authority::new("servers"), Authority::new("clients"));
    let files = Files::new(&ca.server(&["127.0.0.1"]), Some(&clients));
    let pair = clients.client(&["alertmanager.monitoring.svc"], "x");
    let service = Service::with_server(
        &files.toml(),
        "[receivers.team]\nrooms = [\"ops\"]\nclient_subjects = [\"alertmanager.monitoring.svc\"]\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let ca = write(&folder, "ca.crt", &ca.pem());
    let cert = write(&folder, "tls.crt", &pair.certificate);
    let key = write(&folder, "tls.key", &pair.key);
    let broken = write(&folder, "broken", "not a certificate\n");
    let url = format!("https://{}/alertmanager/team", service.address);
    let to_team = |more: &[&str]| {
        let mut arguments = vec!["--url".to_owned(), url.clone()];
        arguments.extend(more.iter().map(|&one| one.to_owned()));
        send(arguments)
    };

    for (arguments, expected) in [
        (vec![], "the service's certificate is not trusted"),
        (
            vec!["--ca-file", &broken],
            "holds no certificate in PEM form",
        ),
        (
            vec!["--ca-file", &ca, "--cert-file", &broken, "--key-file", &key],
            "hold no certificate and key in PEM form",
        ),
    ] {
        let told = to_team(&arguments).await;
        assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{told:?}");
        assert!(told.stderr.contains(expected), "{told:?}");
    }
    let told = to_team(&["--ca-file", &ca]).await;
    assert_eq!((told.code, reason(&told).as_str()), (1, "unauthorized"));
    let told = to_team(&["--ca-file", &ca, "--cert-file", &cert, "--key-file", &key]).await;
    assert_eq!(
        (told.code, reason(&told).as_str()),
        (0, "delivered"),
        "{told:?}"
    );
    service.stop().await;
}

#[test]
fn credentials_go_to_a_service_and_belong_together() {
    for arguments in [
        &["send", "--bearer-token-file", "token"][..],
        &["send", "--url", "http://127.0.0.1:1/", "--username", "ann"],
        &[
            "send",
            "--url",
            "http://127.0.0.1:1/",
            "--cert-file",
            "tls.crt",
        ],
        &[
            "send",
            "--url",
            "http://127.0.0.1:1/",
            "--username",
            "ann",
            "--password-file",
            "password",
            "--bearer-token-file",
            "token",
        ],
    ] {
        let told = crate::cli::run(arguments);
        assert_eq!((told.code, told.stdout.as_str()), (2, ""), "{told:?}");
    }
}
