//! Rooms whose ids stand in files of their own, as a Secret is mounted.

use std::path::{Path, PathBuf};

use crate::cli::{Ended, command, ended};
use crate::programs::{Sandbox, Service, captured, http, ours};

const ROOM: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vNmZlMmE4YzAtM2IxZC0xMWVmLTlmNmEtNWQwYzdlMWIyYTM0";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A configuration with a room, and more.
    fn config(&self, room: &str, more: &str) -> PathBuf {
        let toml = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\n[bots.default]\ntoken_env = \"TOKEN\"\n\
             [receivers.default]\nrooms = [\"ops\"]\n[rooms]\nops = {room}\n{more}"
        );
        self.write("config.toml", toml)
    }

    /// How a command ended, with the folder's name left out.
    fn run(&self, subcommand: &[&str], config: &Path) -> Ended {
        let mut ended = ended(
            command(subcommand)
                .arg("--config")
                .arg(config)
                .env("TOKEN", "t"),
        );
        let folder = format!("{}/", self.0.path().display());
        ended.stderr = ended.stderr.replace(&folder, "");
        ended
    }

    fn checked(&self, room: &str) -> Ended {
        self.run(&["check"], &self.config(room, ""))
    }
}

#[test]
fn a_room_whose_id_is_in_a_file_is_posted_to_and_a_new_id_counts_without_a_restart() {
    let sandbox = Sandbox::start();
    let folder = Folder::new();
    let file = folder.write("room", format!("  {}\r\n", sandbox.rooms["ops"]));
    let config = folder.config(
        &format!("{{ id_file = \"{}\" }}", file.display()),
        &format!("[webex]\nbase_url = \"{}\"\n", sandbox.api),
    );
    let service = Service::with_config_and(ours().env("TOKEN", &sandbox.token), &config);
    assert_eq!(
        service.notify(&captured("one-firing")).reason(),
        "delivered"
    );
    assert_eq!(sandbox.messages("ops").len(), 1);

    folder.write("room", &sandbox.rooms["general"]);
    service.program.says("configuration reloaded");
    assert_eq!(
        service.notify(&captured("group-firing")).reason(),
        "delivered"
    );
    assert_eq!(sandbox.messages("ops").len(), 1);
    assert_eq!(sandbox.messages("general").len(), 1);

    std::fs::remove_file(&file).unwrap();
    let answer = http("POST", &service.url("/-/reload"), "");
    assert_eq!(answer.reason(), "config_refused");
    let told = answer.json()["errors"][0].as_str().unwrap().to_owned();
    assert!(
        told.contains("`rooms.ops.id_file`: cannot read the file"),
        "{told}"
    );
    assert_eq!(
        service.notify(&captured("one-resolved")).reason(),
        "delivered",
        "the old one stays"
    );
}

#[test]
fn what_a_file_holds_instead_of_an_id_is_refused_without_being_repeated() {
    let folder = Folder::new();
    let file = folder.path("room");
    let room = format!("{{ id_file = \"{}\" }}", file.display());
    for (content, expected) in [
        (&b" \n"[..], "this file is empty"),
        (b"my s3cret room", "this is not a Webex room id"),
        (b"s3cret\xff", "this is not a Webex room id"),
    ] {
        std::fs::write(&file, content).unwrap();
        let told = folder.checked(&room);
        assert_eq!(told.code, 1, "{told:?}");
        let expected =
            format!("error: `rooms.ops.id_file`: {expected}\n  --> config.toml:9\n  hint: ");
        assert!(told.stderr.starts_with(&expected), "{}", told.stderr);
        assert!(!told.stderr.contains("s3cret"), "{}", told.stderr);
        assert!(told.stderr.ends_with("has 1 error\n"), "{}", told.stderr);
    }
    std::fs::write(&file, format!("{ROOM}\n")).unwrap();
    let told = folder.checked(&room);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told:?}");
}

#[test]
fn a_file_that_is_not_here_hinders_what_runs_and_not_what_looks() {
    let folder = Folder::new();
    let config = folder.config("{ id_file = \"/nowhere/room\" }", "");
    let checked = folder.run(&["check"], &config);
    assert_eq!(checked.code, 0, "{checked:?}");
    insta::assert_snapshot!(checked.stderr, @r#"
    warning: `rooms.ops.id_file`: cannot read the file /nowhere/room: No such file or directory (os error 2)
      --> config.toml:9
      hint: `serve` needs it; here nothing depends on it
    "#);
    let served = folder.run(&["serve"], &config);
    assert_eq!(served.code, 1, "{served:?}");
    insta::assert_snapshot!(served.stderr, @r#"
    error: `rooms.ops.id_file`: cannot read the file /nowhere/room: No such file or directory (os error 2)
      --> config.toml:9
      hint: mount it, and let the user that runs this read it
    "#);
    let asked = folder.run(&["check", "--online"], &config);
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(
        asked
            .stderr
            .starts_with("error: `rooms.ops.id_file`: cannot")
    );
    // A folder and a pipe are no files; to read a pipe would wait for ever.
    let config = folder.config(
        &format!("{{ id_file = \"{}\" }}", folder.0.path().display()),
        "",
    );
    let served = folder.run(&["serve"], &config);
    assert!(served.stderr.contains("it is no file"), "{served:?}");
}

#[test]
fn a_room_that_is_written_otherwise_is_told_with_the_remedy() {
    let folder = Folder::new();
    let told: Vec<String> = [
        "5",
        "{}",
        "{ file = \"/run/room\" }",
        "{ id_file = \"\" }",
        &format!("{{ id_file = \"{ROOM}\" }}"),
    ]
    .into_iter()
    .map(|room| folder.checked(room).stderr)
    .collect();
    let told = told.join("\n");
    insta::assert_snapshot!(told, @r#"
    error: `rooms.ops`: this is a number, not a room's id
      --> config.toml:9
      hint: write it in quotes, or `{ id_file = "/run/secrets/webex/room" }`
    the configuration has 1 error

    error: `rooms.ops`: this room has no id
      --> config.toml:9
      hint: write `{ id_file = "/run/secrets/webex/room" }`, or the id itself in quotes
    the configuration has 1 error

    error: `rooms.ops.file`: this key is unknown
      --> config.toml:9
      hint: known in `[rooms.ops]`: `id_file`
    the configuration has 1 error

    error: `rooms.ops.id_file`: this path is empty
      --> config.toml:9
      hint: write `{ id_file = "/run/secrets/webex/room" }`, or the id itself in quotes
    the configuration has 1 error

    error: `rooms.ops.id_file`: this is not the path of a file
      --> config.toml:9
      hint: write `{ id_file = "/run/secrets/webex/room" }`, or the id itself in quotes
    the configuration has 1 error
    "#);
    assert!(!told.contains(ROOM));
}

#[test]
fn an_image_is_told_of_files_by_variables_alone() {
    let sandbox = Sandbox::start();
    let folder = Folder::new();
    let token = folder.write("token", &sandbox.token);
    let room = folder.write("room", &sandbox.rooms["ops"]);
    let service = Service::run(
        ours()
            .env("WEBEX_TOKEN_FILE", &token)
            .env("WEBEX_ROOM_FILE", &room)
            .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api),
    );
    assert_eq!(
        service.notify(&captured("one-firing")).reason(),
        "delivered"
    );
    assert_eq!(sandbox.messages("ops").len(), 1);
}

#[test]
fn of_two_variables_that_say_the_same_neither_is_guessed() {
    let told = ended(command(&["check"]).envs([
        ("WEBEX_TOKEN", "s3cret"),
        ("WEBEX_TOKEN_FILE", "/run/token"),
        ("WEBEX_ROOM", ROOM),
        ("WEBEX_ROOM_FILE", "/run/room"),
    ]));
    assert_eq!(told.code, 1);
    insta::assert_snapshot!(told.stderr, @r#"
    error: WEBEX_ROOM is set as well, and says the same thing otherwise
      --> environment variable WEBEX_ROOM_FILE
      hint: unset one of the two
    error: WEBEX_TOKEN is set as well, and says the same thing otherwise
      --> environment variable WEBEX_TOKEN_FILE
      hint: unset one of the two
    the configuration has 2 errors
    "#);
    let folder = Folder::new();
    let config = folder.config(&format!("{ROOM:?}"), "");
    let told = ended(command(&["check", "--config"]).arg(config).envs([
        ("TOKEN", "t"),
        ("WEBEX_TOKEN_FILE", "/run/token"),
        ("WEBEX_ROOM_FILE", "/run/room"),
    ]));
    assert_eq!(told.code, 0);
    insta::assert_snapshot!(told.stderr, @r#"
    warning: this has no effect, because the file has `receivers` of its own
      --> environment variable WEBEX_ROOM_FILE
      hint: unset it, or remove those from the file
    warning: this has no effect, because the file has `bots` of its own
      --> environment variable WEBEX_TOKEN_FILE
      hint: unset it, or remove those from the file
    "#);
}
