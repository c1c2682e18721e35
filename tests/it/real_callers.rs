//! What Alertmanager itself can show: a token, a name with a password, a certificate. With TLS,
//! and with real processes all the way.

use std::fmt::Write as _;
use std::path::Path;

use crate::programs::{Sandbox, Service};
use crate::real_alertmanager::{Alertmanager, CURRENT, OLD, Release};
use crate::tls::{Authority, Files};

/// A service that asks, with each kind of credential, at a receiver of that name.
fn service(sandbox: &Sandbox, files: &Files) -> Service {
    let config = format!(
        "[server]\nopen = false\nadmin_listen = \"127.0.0.1:0\"\n{tls}\
         [webex]\nbase_url = \"{api}\"\n\
         [bots.default]\ntoken_env = \"TOKEN\"\n\
         [rooms]\nops = \"{room}\"\n\
         [receivers.token]\nrooms = [\"ops\"]\nbearer_token_file = \"{token}\"\n\
         [receivers.certificate]\nrooms = [\"ops\"]\nclient_subjects = [\"alertmanager.monitoring.svc\"]\n\
         [receivers.password]\nrooms = [\"ops\"]\n\
         [[receivers.password.basic_auth]]\nusername = \"alertmanager\"\npassword_file = \"{password}\"\n",
        tls = files.toml(),
        api = sandbox.api,
        room = sandbox.rooms["ops"],
        token = files.path("token").display(),
        password = files.path("password").display(),
    );
    let config = files.write("service.toml", &config);
    Service::configured(sandbox, &config)
}

/// Alertmanager's side: a receiver for each kind.
fn alertmanager_yml(address: &str, folder: &Path) -> String {
    let kinds = [
        ("token", "authorization: { credentials_file: FOLDER/token }"),
        (
            "password",
            "basic_auth: { username: alertmanager, password_file: FOLDER/password }",
        ),
        ("certificate", ""),
    ];
    let mut routes = String::new();
    let mut receivers = String::new();
    for (kind, shown) in kinds {
        let certificate = if kind == "certificate" {
            ", cert_file: FOLDER/client.crt, key_file: FOLDER/client.key"
        } else {
            ""
        };
        writeln!(
            routes,
            "    - matchers: ['alertname=\"{kind}\"']\n      receiver: {kind}"
        )
        .unwrap();
        writeln!(
            receivers,
            "  - name: {kind}\n    webhook_configs:\n      - url: https://{address}/alertmanager/{kind}\n        \
             http_config:\n          {shown}\n          tls_config: {{ ca_file: FOLDER/servers.crt{certificate} }}"
        )
        .unwrap();
    }
    let config = format!(
        "route:\n  receiver: token\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 5m\n  \
         routes:\n{routes}receivers:\n{receivers}"
    );
    config.replace("FOLDER", folder.to_str().unwrap())
}

fn each_kind_of_credential_is_taken(release: Release) {
    let (ca, clients) = (Authority::new("servers"), Authority::new("clients"));
    let files = Files::new(&ca.server(&["127.0.0.1"]), Some(&clients));
    let client = clients.client(&["alertmanager.monitoring.svc"], "alertmanager");
    files.write("client.crt", &client.certificate);
    files.write("client.key", &client.key);
    files.write("servers.crt", &ca.pem());
    files.write("token", "token-of-alertmanager\n");
    files.write("password", "password of alertmanager\n");
    let sandbox = Sandbox::start();
    let service = service(&sandbox, &files);
    let folder = files.path("token").parent().unwrap().to_owned();
    let config = alertmanager_yml(&service.address, &folder);
    let alertmanager = Alertmanager::with(release, &config);
    for kind in ["token", "password", "certificate"] {
        alertmanager.add(&[&format!("alertname={kind}"), "severity=critical"]);
    }
    let messages = sandbox.await_messages("ops", 3);
    for kind in ["token", "password", "certificate"] {
        assert!(
            messages.iter().any(|text| text.contains(kind)),
            "{messages:?}"
        );
    }
    assert_eq!(alertmanager.failed(), 0);
    let printed = service.program.printed();
    for secret in ["token-of-alertmanager", "password of alertmanager"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn the_current_alertmanager_shows_a_token_a_password_and_a_certificate() {
    each_kind_of_credential_is_taken(CURRENT);
}

#[test]
fn the_old_alertmanager_shows_a_token_a_password_and_a_certificate() {
    each_kind_of_credential_is_taken(OLD);
}
