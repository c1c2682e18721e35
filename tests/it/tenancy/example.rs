//! `examples/tenants/`: what its README promises, row by row.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use alertmanager_webex::config::Sources;
use alertmanager_webex::prepared::{Prepared, prepare};
use alertmanager_webex::sandbox::{Sandbox, Setup};
use tempfile::TempDir;

use super::alert;
use crate::harness::{Answer, Service, client, notification};

const SECRETS: [&str; 6] = [
    "webex/shared",
    "webex/payments",
    "callers/platform",
    "callers/checkout",
    "callers/payments",
    "callers/search",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tenants")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

/// The example's configuration, with secrets in a folder of the test's own: each holds its
/// own name.
fn prepared(secrets: &TempDir) -> Prepared {
    for name in SECRETS {
        let path = secrets.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name.replace('/', "-")).unwrap();
    }
    let config = read("config.toml")
        .replace("/run/secrets", secrets.path().to_str().unwrap())
        .replace("[bots.shared]", "shutdown_delay = \"0s\"\n[bots.shared]");
    let file = secrets.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let free = "127.0.0.1:0".to_owned();
    prepare(&Sources {
        file: Some(file),
        environment: BTreeMap::from([
            (
                "ALERTMANAGER_WEBEX__SERVER__LISTEN".to_owned(),
                free.clone(),
            ),
            ("ALERTMANAGER_WEBEX__SERVER__ADMIN_LISTEN".to_owned(), free),
        ]),
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

/// A sandbox with the rooms of the example.
fn sandbox() -> Sandbox {
    let config: toml::Table = toml::from_str(&read("config.toml")).unwrap();
    let rooms = config["rooms"].as_table().unwrap().iter();
    let setup = Setup::empty()
        .bot("shared", "webex-shared")
        .bot("payments", "webex-payments");
    let setup = rooms.fold(setup, |setup, (name, id)| {
        setup.room_with_id(name, id.as_str().unwrap())
    });
    Sandbox::new(setup)
}

/// The rows of the table that begins with these words, as cells.
fn rows(page: &str, header: &str) -> Vec<Vec<String>> {
    let (_, table) = page.split_once(header).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(str::trim).collect()
}

#[tokio::test]
async fn each_project_can_and_cannot_do_what_the_table_says() {
    let secrets = tempfile::tempdir().unwrap();
    let sandbox = sandbox();
    let service = Service::run(sandbox.clone(), prepared(&secrets));
    let page = read("README.md");
    let rows = rows(&page, "| caller | path");
    assert!(rows.len() > 20, "the table is found");
    for (number, row) in rows.iter().enumerate() {
        let [caller, path, shows, alerts, answer, rooms] = &row[..] else {
            panic!("{row:?}");
        };
        sandbox.clear_messages(None).unwrap();
        let alerts: Vec<String> = quoted(alerts)
            .into_iter()
            .enumerate()
            .map(|(index, written)| {
                let (namespace, room) = written.split_once('>').unwrap_or((written, ""));
                let name = format!("In-{namespace}-{number}-{index}");
                alert(&name, "firing", namespace.trim_matches('-'), room)
            })
            .collect();
        let url = service.url(&format!("/alertmanager/{}", quoted(path)[0]));
        let request = client()
            .post(url.trim_end_matches('/'))
            .header("Content-Type", "application/json")
            .body(notification(&format!("g{number}"), &alerts));
        let secret = format!("callers-{caller}");
        let request = match shows.as_str() {
            "its token" => request.bearer_auth(secret),
            "its password" => request.basic_auth(caller, Some(secret)),
            _ => request,
        };
        let answered = Answer::of(request).await;
        let told = format!(
            "{} `{}`",
            answered.status,
            answered.body["reason"].as_str().unwrap()
        );
        assert_eq!(told, *answer, "{row:?}: {answered:?}");

        let (wanted, says) = rooms.split_once(':').unwrap_or((rooms, ""));
        let all = sandbox.rooms();
        let told: BTreeSet<&str> = all
            .iter()
            .filter(|room| !sandbox.messages(&room.id).is_empty())
            .map(|room| room.title.as_str())
            .collect();
        assert_eq!(told, quoted(wanted).into_iter().collect(), "{row:?}");
        let texts: String = all
            .iter()
            .flat_map(|room| sandbox.messages(&room.id))
            .filter_map(|message| message.markdown)
            .collect();
        for (promise, text) in [
            ("one is withheld", "One alert is withheld"),
            ("no room is named", "no room is named"),
            ("may not be chosen", "may not be chosen"),
        ] {
            assert_eq!(
                says.contains(promise),
                texts.contains(text),
                "{row:?}: {texts}"
            );
        }
        if says.contains("without the alert of `payments`") {
            assert!(!texts.contains("payments"), "{texts}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn the_webhooks_of_the_projects_lead_to_receivers_that_are_theirs() {
    let secrets = tempfile::tempdir().unwrap();
    let prepared = prepared(&secrets);
    for project in ["checkout", "payments", "search"] {
        let text = read(&format!("{project}.yaml"));
        assert!(text.contains(&format!("  namespace: {project}\n")));
        let urls: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- url: "))
            .collect();
        assert!(!urls.is_empty());
        for url in urls {
            let url = url::Url::parse(url).unwrap();
            let path = url.path().strip_prefix("/alertmanager/").unwrap();
            let receiver = prepared.config.routes.find(path).unwrap();
            let takes = |name| receiver.namespaces.iter().any(|one| one.matches(name));
            assert!(takes(project) && path.starts_with(project), "{url}");
            for (key, room) in url.query_pairs() {
                assert_eq!(key, "room");
                let from = receiver.room_from.as_ref().unwrap();
                assert!(from.room(&room).is_some(), "{url}");
            }
        }
    }
}
