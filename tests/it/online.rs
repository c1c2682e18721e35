//! What the command line asks Webex: `check --online` and `rooms`.

use std::sync::{Arc, Mutex};

use alertmanager_webex::sandbox;
use alertmanager_webex::webex::{Client, Error, Transport, TransportError};
use bytes::Bytes;
use http::{Request, Response};
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli::{Ended, command, ended};
use crate::harness::Direct;
use crate::programs::{Sandbox, http};

/// A configuration for the sandbox, with a room that is none.
fn config(sandbox: &Sandbox) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let toml = format!(
        "[webex]\nbase_url = \"{}\"\n\
         [bots.good]\ntoken_env = \"GOOD\"\n\
         [bots.stale]\ntoken_env = \"STALE\"\n\
         [bots.absent]\ntoken_file = \"/nowhere/token\"\n\
         [rooms]\ngeneral = \"{}\"\nops = \"{}\"\ngone = \"Y2lzY29zcGFyazovL3VzL1JPT00vZ29uZQ\"\n\
         [receivers.default]\nbot = \"good\"\nrooms = [\"general\", \"gone\"]\n\
         [receivers.\"team-a/alerts/webex\"]\nbot = \"good\"\nrooms = [\"general\"]\npeople = [\"oncall@example.org\"]\n\
         room_from = {{ annotation = \"webex_room\", allow = [\"g*\"] }}\n\
         [receivers.second]\nbot = \"stale\"\nrooms = [\"ops\"]\n\
         [receivers.hooked]\nwebhooks = [\"alerts\"]\n[webhooks.alerts]\nurl_env = \"HOOK\"\n\
         [receivers.third]\nbot = \"absent\"\nrooms = [\"ops\"]\n",
        sandbox.api, sandbox.rooms["general"], sandbox.rooms["ops"],
    );
    std::fs::write(file.path(), toml).unwrap();
    file
}

fn online(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let config = config(sandbox);
    let file = config.path().to_str().unwrap();
    ended(
        command(arguments)
            .args(["--config", file])
            .env("GOOD", &sandbox.token)
            .env("STALE", "a-token-that-was-regenerated")
            .env("HOOK", format!("{}/webhooks/incoming/s3cret", sandbox.api)),
    )
}

#[test]
fn what_webex_refuses_is_told_before_an_alert_needs_it() {
    let sandbox = Sandbox::start();
    let checked = online(&sandbox, &["check", "--online"]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert_snapshot!(checked.stdout);
    assert!(sandbox.posts().is_empty(), "nothing is posted");
    let told = checked.stdout + &checked.stderr;
    assert!(!told.contains("a-token-that-was-regenerated"));
    assert!(!told.contains(&format!("{}\n", sandbox.token)));
}

#[test]
fn programs_read_the_same_as_json() {
    let sandbox = Sandbox::start();
    let checked = online(&sandbox, &["check", "--online", "--format", "json"]);
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(
        report["receivers"][0],
        json!({
            "receiver": "default", "bot": "good", "kind": "room", "destination": "general",
            "title": "general", "state": {"state": "ok"},
        })
    );
    assert_eq!(report["receivers"][1]["state"]["state"], "failed");
    assert_eq!(report["bots"].as_array().unwrap().len(), 3);
}

#[test]
fn a_configuration_that_can_post_everywhere_passes() {
    let sandbox = Sandbox::start();
    let mut check = command(&["check", "--online"]);
    check
        .env("WEBEX_TOKEN", &sandbox.token)
        .env("WEBEX_ROOM", &sandbox.rooms["ops"])
        .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api);
    assert_eq!(ended(&mut check).code, 0);
    // The bot is taken out of the room: the same command fails.
    let room = format!("{}control/v1/rooms/ops/bots/sandbox", sandbox.page);
    assert_eq!(http("DELETE", &room, "").status, 204);
    let out = ended(&mut check);
    assert_eq!(out.code, 1);
    assert!(out.stdout.contains("add the bot to the room"), "{out:?}");
}

#[test]
fn webex_out_of_reach_is_a_failure_with_its_address() {
    let out = ended(
        command(&["check", "--online"])
            .env("WEBEX_TOKEN", "t")
            .env("WEBEX_ROOM", "Y2lzY29zcGFyazovL3VzL1JPT00vb3Bz")
            // Port 1 is reserved, and nothing listens there.
            .env(
                "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
                "http://127.0.0.1:1/v1",
            ),
    );
    assert_eq!(out.code, 1, "{out:?}");
    assert!(out.stdout.contains("127.0.0.1:1"), "{out:?}");
}

#[test]
fn the_rooms_of_a_bot_are_listed_with_their_ids() {
    let sandbox = Sandbox::start();
    let listed = online(&sandbox, &["rooms", "--bot", "good"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    for (title, id) in &sandbox.rooms {
        let row = |line: &str| line.starts_with(title.as_str()) && line.ends_with(id.as_str());
        assert!(listed.stdout.lines().any(row), "{listed:?}");
    }
    // Who asks for ids has none yet, so a token alone is enough.
    let with_token = ended(
        command(&["rooms"])
            // As in the image, which comes with an empty file.
            .env("ALERTMANAGER_WEBEX_CONFIG", "/dev/null")
            .env("WEBEX_TOKEN", &sandbox.token)
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api),
    );
    assert_eq!(with_token.stdout, listed.stdout, "{with_token:?}");
    let json = online(&sandbox, &["rooms", "--bot", "good", "--format", "json"]);
    let rooms: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rooms.as_array().unwrap().len(), sandbox.rooms.len());
}

#[rstest]
#[case(&["rooms"], "say which by `--bot`: `absent`, `good`, `stale`")]
#[case(&["rooms", "--bot", "god"], "no bot is named `god`")]
#[case(&["rooms", "--bot", "stale"], "Webex answered 401")]
#[case(&["rooms", "--bot", "absent"], "/nowhere/token")]
fn what_cannot_be_listed_says_why(#[case] arguments: &[&str], #[case] words: &str) {
    let sandbox = Sandbox::start();
    let refused = online(&sandbox, arguments);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains(words), "{refused:?}");
}

// Pages.

fn client(transport: impl Transport) -> Client {
    let base = "http://webex.invalid/v1".parse().unwrap();
    Client::new(&base, Arc::new(transport)).unwrap()
}

#[tokio::test]
async fn pages_are_followed_to_the_end_also_through_empty_ones() {
    let sandbox = sandbox::Sandbox::default();
    for number in 0..120 {
        sandbox.add_room(&format!("room {number}"), None).unwrap();
        sandbox
            .add_member(&format!("room {number}"), "sandbox")
            .unwrap();
    }
    let mut behaviour = sandbox.behaviour();
    behaviour.rooms_empty_page = true;
    sandbox.set_behaviour(behaviour);
    let rooms = client(Direct(sandbox)).rooms(&"sandbox".into()).await;
    assert_eq!(rooms.unwrap().len(), 122);
}

/// Answers each page with a link, and remembers what it was asked.
struct Linking(&'static str, Arc<Mutex<Vec<String>>>);

impl Transport for Linking {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + '_>>
    {
        self.1.lock().unwrap().push(request.uri().to_string());
        let answer = Response::builder()
            .header("Link", self.0)
            .body(Bytes::from_static(b"{\"items\":[]}"));
        Box::pin(async move { Ok(answer.unwrap()) })
    }
}

#[rstest]
#[case::another_host("<http://elsewhere.example/v1/rooms?cursor=1>; rel=\"next\"")]
#[case::another_port("<http://webex.invalid:8080/v1/rooms?cursor=1>; rel=\"next\"")]
#[case::another_scheme("<https://webex.invalid/v1/rooms?cursor=1>; rel=\"next\"")]
#[tokio::test]
async fn no_page_of_another_host_gets_the_token(#[case] link: &'static str) {
    let asked = Arc::default();
    let rooms = client(Linking(link, Arc::clone(&asked)))
        .rooms(&"t".into())
        .await;
    assert!(matches!(rooms, Err(Error::Paging(_))), "{rooms:?}");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn pages_that_go_round_in_circles_end() {
    let link = "<http://webex.invalid/v1/rooms?cursor=same>; rel=\"next\"";
    let asked = Arc::default();
    let rooms = client(Linking(link, Arc::clone(&asked)))
        .rooms(&"t".into())
        .await;
    assert!(matches!(rooms, Err(Error::Paging(_))), "{rooms:?}");
    assert_eq!(asked.lock().unwrap().len(), 2);
}

/// A configuration with a service app whose refresh token Webex replaces each time.
fn with_service_app(sandbox: &Sandbox, folder: &std::path::Path) -> std::path::PathBuf {
    let app = json!({"name": "team", "service_app": {"client_id": "C0ffee", "client_secret": "s3cret",
                     "refresh_token": "first", "rotate_refresh_token": true}});
    sandbox.control("POST", "bots", &app.to_string());
    sandbox.control("PUT", "rooms/ops/bots/team", "");
    let (secret, refresh) = (folder.join("secret"), folder.join("refresh"));
    std::fs::write(&secret, "s3cret\n").unwrap();
    std::fs::write(&refresh, "first\n").unwrap();
    let config = folder.join("config.toml");
    let toml = format!(
        "[webex]\nbase_url = \"{}\"\n[bots.team]\nclient_id = \"C0ffee\"\n\
         client_secret_file = \"{}\"\nrefresh_token_file = \"{}\"\n\
         [receivers.default]\nrooms = [\"{}\"]\n",
        sandbox.api,
        secret.display(),
        refresh.display(),
        sandbox.rooms["ops"],
    );
    std::fs::write(&config, toml).unwrap();
    config
}

#[test]
fn a_service_app_is_asked_for_with_its_refresh_token_which_is_kept() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let config = with_service_app(&sandbox, folder.path());
    let config = config.to_str().unwrap();
    for arguments in [["check", "--online"], ["rooms", "--format=text"]] {
        let checked = ended(command(&arguments).args(["--config", config]));
        assert_eq!(checked.code, 0, "{checked:?}");
        assert!(!checked.stderr.contains("may lose it"), "{checked:?}");
    }
    let kept = std::fs::read_to_string(folder.path().join("refresh")).unwrap();
    assert_ne!(kept, "first\n");
}

#[test]
fn a_service_app_whose_refresh_token_would_be_lost_is_warned_of_and_not_asked_for() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let config = with_service_app(&sandbox, folder.path());
    // Nothing can be put beside the file, which holds for root as well.
    std::fs::create_dir(folder.path().join(".refresh.new")).unwrap();
    let checked = ended(command(&["check", "--online", "--config"]).arg(&config));
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked.stderr.contains("a restart may lose it"),
        "{checked:?}"
    );
    assert!(
        checked.stdout.contains("not checked: asking might replace"),
        "{checked:?}"
    );
    assert!(!checked.stdout.contains("FAILED"), "{checked:?}");
    let kept = std::fs::read_to_string(folder.path().join("refresh")).unwrap();
    assert_eq!(kept, "first\n");
}
