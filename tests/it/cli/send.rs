//! `send`: what it says of what Webex or a service answers.

use serde_json::Value;

use super::{DONE, Ended, FAILED, ROOM, command, ended, run};
use crate::programs::{Sandbox, Service};

fn send(sandbox: &Sandbox, room: &str) -> Ended {
    ended(
        command(&["send", "tests/fixtures/alertmanager-0.34/one-firing.json"])
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("WEBEX_ROOM", room)
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api)
            .env("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "3s"),
    )
}

#[test]
fn send_delivers_and_says_so() {
    let sandbox = Sandbox::start();
    let told = send(&sandbox, &sandbox.rooms["ops"]);
    assert_eq!(told.code, DONE, "{told:?}");
    assert_eq!(told.stdout, "Webex accepted 1 message\n");
    assert_eq!(sandbox.messages("ops").len(), 1);
}

#[test]
fn send_says_what_webex_refuses_and_what_to_do() {
    let mut sandbox = Sandbox::start();
    let told = send(&sandbox, ROOM);
    assert_eq!(told.code, FAILED, "{told:?}");
    assert!(told.stdout.contains("unknown to Webex"), "{told:?}");
    assert!(told.stdout.contains("add the bot to the room"), "{told:?}");

    "s3cr3t".clone_into(&mut sandbox.token);
    let told = send(&sandbox, &sandbox.rooms["ops"]);
    assert_eq!(told.code, FAILED, "{told:?}");
    assert!(
        told.stdout.contains("Webex refuses the bot's token"),
        "{told:?}"
    );
    assert!(!format!("{told:?}").contains("s3cr3t"), "{told:?}");
}

#[test]
fn send_to_a_running_service_shows_its_answer() {
    let sandbox = Sandbox::start();
    let service = Service::start(&sandbox, "ops", &[]);
    let body = "tests/fixtures/alertmanager-0.34/one-firing.json";
    let told = run(&["send", body, "--url", &service.url("/alertmanager")]);
    assert_eq!(told.code, DONE, "{told:?}");
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(answer["reason"], "delivered");

    let told = run(&["send", body, "--url", &service.url("/alertmanager/nobody")]);
    assert_eq!(told.code, FAILED, "{told:?}");
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(answer["reason"], "unknown_receiver");
}

#[test]
fn send_to_nobody_says_that_nobody_is_there() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let body = "tests/fixtures/alertmanager-0.34/one-firing.json";
    let told = run(&[
        "send",
        body,
        "--url",
        &format!("http://{closed}/alertmanager"),
    ]);
    assert_eq!((told.code, told.stdout.as_str()), (FAILED, ""));
    assert!(
        told.stderr.contains("the service does not answer"),
        "{told:?}"
    );
}
