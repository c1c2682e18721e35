//! `healthcheck`: whether the service that runs here is ready, told to a platform.

use std::process::Command;

use crate::cli::{Ended, command, ended};
use crate::programs::{Program, Sandbox, Service, ours};
use crate::tls::{Authority, Pair};

/// Where a service listens, by the line in its log.
fn address(program: &Program) -> String {
    let address = program.word_after("ready on ");
    address.trim_end_matches(':').to_owned()
}

/// Asks the service at an address, with more variables.
fn asked(address: &str, variables: &[(&str, &str)]) -> Ended {
    ended(
        command(&["healthcheck"])
            .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", address)
            .envs(variables.iter().copied()),
    )
}

#[test]
fn a_service_is_ready_until_it_is_asked_to_end() {
    let sandbox = Sandbox::start();
    let variables = [
        ("ALERTMANAGER_WEBEX__SERVER__SHUTDOWN_DELAY", "60s"),
        ("ALERTMANAGER_WEBEX__SERVER__PATH_PREFIX", "/webex"),
    ];
    let program = Program::start(
        ours()
            .arg("serve")
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("WEBEX_ROOM", &sandbox.rooms["ops"])
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api)
            .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", "0.0.0.0:0")
            .envs(variables),
    );
    let address = address(&program);
    let ready = asked(&address, &variables);
    let port = address.rsplit(':').next().unwrap();
    let url = format!("http://127.0.0.1:{port}/webex/-/ready");
    assert_eq!(
        (ready.code, ready.stdout),
        (0, format!("ready: {url}\n")),
        "{}",
        ready.stderr
    );

    let other = asked(&address, &[]);
    assert_eq!(other.code, 1, "{other:?}");
    assert!(other.stderr.contains("answers 404"), "{other:?}");

    program.signal("TERM");
    program.says("not ready from now on");
    let ended = asked(&address, &variables);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        ended.stderr,
        format!(
            "error: not ready: {url} answers 503 Service Unavailable: \
             alertmanager-webex is about to end.\n"
        )
    );
    program.signal("TERM");
    program.end();
}

/// Certificate and key as files, and the configuration that names them.
fn secured(folder: &tempfile::TempDir, pair: &Pair) -> std::path::PathBuf {
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("tls.crt"), &pair.certificate).unwrap();
    std::fs::write(path("tls.key"), &pair.key).unwrap();
    let toml = format!(
        "[server.tls]\ncert_file = \"{}\"\nkey_file = \"{}\"\n",
        path("tls.crt").display(),
        path("tls.key").display()
    );
    std::fs::write(path("config.toml"), toml).unwrap();
    path("config.toml")
}

fn over_tls(config: &std::path::Path, address: &str) -> Ended {
    let config = config.to_str().unwrap();
    asked(address, &[("ALERTMANAGER_WEBEX_CONFIG", config)])
}

#[test]
fn over_tls_it_is_known_by_its_certificate_and_nobody_else_is() {
    let sandbox = Sandbox::start();
    let ca = Authority::new("a CA that no machine trusts");
    // The address that is asked stands in neither.
    let (own, other) = (
        ca.server(&["webex.internal"]),
        ca.server(&["webex.internal"]),
    );
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let config = secured(&folders[0], &own);
    let strange = secured(&folders[1], &other);
    let mut command: Command = ours();
    command
        .env("WEBEX_TOKEN", &sandbox.token)
        .env("WEBEX_ROOM", &sandbox.rooms["ops"])
        .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api)
        .env("ALERTMANAGER_WEBEX_CONFIG", &config);
    let service = Service::run(&mut command);
    let ready = over_tls(&config, &service.address);
    assert_eq!(ready.code, 0, "{ready:?}");
    assert!(ready.stdout.starts_with("ready: https://127.0.0.1:"));

    let refused = over_tls(&strange, &service.address);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("has another certificate than `server.tls.cert_file`"),
        "{refused:?}"
    );
    let url = format!("https://{}", service.address);
    let unknown = ended(&mut crate::cli::command(&["healthcheck", "--url", &url]));
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("names no `server.tls.cert_file`"));
}

#[test]
fn what_cannot_be_asked_is_told_with_the_remedy_and_never_exits_with_two() {
    for (variables, expected) in [
        (
            &[("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:1")][..],
            "error: nothing answers at http://127.0.0.1:1/-/ready: Connection refused (os error 111); \
             is `serve` running, and with this configuration?\n",
        ),
        (
            &[("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:0")],
            "error: `server.listen` has port 0, which takes any free port; \
             say by `--url` where the service listens\n",
        ),
        (
            &[("ALERTMANAGER_WEBEX__SERVER__LISTEN", "localhost")],
            "error: `server.listen`: this is not an address with a port\n  \
             --> environment variable ALERTMANAGER_WEBEX__SERVER__LISTEN\n  \
             hint: write it like `0.0.0.0:9091`; a name such as `localhost` is not taken\n\
             the configuration has 1 error\n",
        ),
        (
            &[("ALERTMANAGER_WEBEX_CONFIG", "/nowhere/config.toml")],
            "error: cannot read the configuration /nowhere/config.toml: \
             No such file or directory (os error 2)\n  \
             hint: name an existing file with `--config`, readable for the user that runs this\n",
        ),
    ] {
        let told = ended(command(&["healthcheck"]).envs(variables.iter().copied()));
        assert_eq!((told.code, told.stderr.as_str()), (1, expected));
        assert_eq!(told.stdout, "");
    }
    for arguments in [
        ["--url", "localhost:9091"],
        ["--url", "file:///-/ready"],
        ["--timeout", "soon"],
        ["--timeout", "0s"],
    ] {
        let told = ended(command(&["healthcheck"]).args(arguments));
        assert_eq!(told.code, 2, "{arguments:?}: {told:?}");
        assert!(told.stderr.contains("write it like"), "{told:?}");
    }
}

#[test]
fn who_does_not_answer_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let told = ended(command(&["healthcheck", "--url", &url]).args(["--timeout", "300ms"]));
    assert_eq!(told.code, 1, "{told:?}");
    assert_eq!(
        told.stderr,
        format!(
            "error: no answer at {url}/-/ready within 300ms; \
             look at its log, or give more `--timeout`\n"
        )
    );
}
