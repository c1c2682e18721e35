//! Several notifications of a group, as `render --after`, the sequence `life` and `check` show
//! and play them.

use regex::Regex;
use serde_json::Value;

use crate::cli::{command, ended, run};
use crate::programs::{Program, http};

const FIXTURES: &str = "tests/fixtures/alertmanager-0.34";

/// Without what depends on the time of the test: times of day; and links without addresses.
fn timeless(text: &str) -> String {
    let clock = Regex::new(r"(\d+ \w{3} )?\d\d:\d\d UTC").unwrap();
    let link = Regex::new(r"\]\([^)]*\)").unwrap();
    let long = Regex::new(r"for (\d+ \w+ ?)+").unwrap();
    let text = clock.replace_all(text, "hh:mm UTC");
    let text = long.replace_all(&text, "for …");
    link.replace_all(&text, "]").into_owned()
}

#[test]
fn a_groups_life_is_shown_as_the_room_looks_in_each_conversation() {
    for mode in ["new", "thread", "update"] {
        let told = run(&["render", "--sample", "life", "--conversation", mode]);
        assert_eq!(told.code, 0, "{told:?}");
        let room = timeless(&told.stdout);
        insta::assert_snapshot!(format!("life_{mode}"), format!("{room}\n{}", told.stderr));
    }
}

#[test]
fn what_a_real_alertmanager_sent_is_shown_one_after_the_other() {
    let file = |name: &str| format!("{FIXTURES}/{name}.json");
    let told = run(&[
        "render",
        &file("group-resolved"),
        "--after",
        &file("group-firing"),
        &file("group-mixed"),
        "--format",
        "text",
    ]);
    assert_eq!(told.code, 0, "{told:?}");
    insta::assert_snapshot!(format!("{}\n{}", timeless(&told.stdout), told.stderr));
    let html = run(&["render", "--sample", "life", "--format", "html"]);
    assert!(html.stdout.contains("<strong>All resolved"), "{html:?}");
}

#[test]
fn a_configuration_says_how_its_receiver_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let templates = folder.path().display();
    std::fs::write(folder.path().join("team.md"), "now {{ status }}").unwrap();
    std::fs::write(folder.path().join("thread.md"), "then {{ status }}").unwrap();
    let file = format!(
        "[templates]\ndirectory = \"{templates}\"\n[receivers.default]\n\
         rooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA\"]\ntemplate = \"team\"\n\
         conversation = \"update\"\nreply_on_resolve = true\n"
    );
    std::fs::write(&config, file).unwrap();
    let config = config.to_str().unwrap();
    let arguments = ["render", "--config", config, "--sample", "life"];
    let told = ended(command(&arguments).env("WEBEX_TOKEN", "t"));
    assert_eq!(told.code, 0, "{told:?}");
    insta::assert_snapshot!(told.stdout);
}

#[test]
fn what_cannot_be_shown_as_a_room_is_told_with_the_remedy() {
    let mistakes: [(&[&str], &str); 5] = [
        (
            &[
                "render",
                "--sample",
                "one_firing",
                "--conversation",
                "thread",
            ],
            "name earlier ones with `--after`",
        ),
        (
            &["render", "--sample", "life", "--format", "card"],
            "a room is shown as `markdown`, `text` or `html`",
        ),
        (
            &[
                "render",
                "--sample",
                "one_firing",
                "--after",
                "/nowhere/a.json",
            ],
            "cannot read /nowhere/a.json",
        ),
        (
            &["render", "--sample", "one_firing", "--after", "README.md"],
            "README.md cannot be told: the body is not JSON",
        ),
        (
            &["send", "--sample", "one_firing", "--speed", "3"],
            "`--speed` is for a sequence",
        ),
    ];
    for (arguments, remedy) in mistakes {
        let told = run(arguments);
        assert_eq!((told.code, told.stdout.as_str()), (1, ""), "{told:?}");
        assert!(told.stderr.contains(remedy), "{told:?}");
    }
    for speed in ["0", "-1", "fast", "inf", "NaN"] {
        let told = run(&["send", "--sample", "life", &format!("--speed={speed}")]);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.stderr.contains("--speed"), "{told:?}");
    }
}

/// Plays a life at full speed into a service.
fn played(dev: &Program) -> Value {
    let page = dev.word_after("Open ");
    let service = dev.word_after("curl -sS ");
    let told = run(&["send", "--sample", "life", "--speed=1e6", "--url", &service]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(told.stdout.matches("delivered").count(), 6, "{told:?}");
    assert!(told.stderr.contains("6 of 6: one fires again"), "{told:?}");
    let room = format!("{page}control/v1/rooms/general/messages");
    http("GET", &room, "").json()
}

#[test]
fn a_life_is_played_into_dev_in_each_conversation() {
    for (mode, messages, replies, edits) in
        [("new", 6, 0, 0), ("thread", 6, 4, 0), ("update", 4, 2, 4)]
    {
        let dev = Program::dev(&["--conversation", mode]);
        let room = played(&dev);
        let room = room.as_array().unwrap();
        let number = |found: &dyn Fn(&Value) -> u64| -> u64 { room.iter().map(found).sum() };
        let is_reply = |message: &Value| u64::from(message["parent_id"].is_string());
        let edits_of = |message: &Value| message["edits"].as_u64().unwrap();
        assert_eq!(
            (room.len(), number(&is_reply), number(&edits_of)),
            (messages, replies, edits),
            "{mode}"
        );
        if mode == "thread" {
            // A reload keeps what the command line said. Each playing is a group of its own.
            let service = dev.word_after("curl -sS ");
            let reload = service.replace("/alertmanager", "/-/reload");
            assert_eq!(http("POST", &reload, "").status, 200);
            let again = played(&dev);
            let again = again.as_array().unwrap();
            let replies: u64 = again.iter().map(is_reply).sum();
            assert_eq!((again.len(), replies), (12, 8));
        }
    }
}

#[test]
fn a_sequence_ends_with_the_notification_that_is_not_taken() {
    let dev = Program::dev(&["--conversation", "thread"]);
    let service = dev.word_after("curl -sS ");
    let url = format!("{service}/nobody");
    let told = run(&["send", "--sample", "life", "--speed=1e6", "--url", &url]);
    assert_eq!(told.code, 1, "{told:?}");
    assert!(
        told.stderr.ends_with("stopped; 5 notifications not sent\n"),
        "{told:?}"
    );
}

#[test]
fn check_renders_each_state_of_a_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let check = |conversation: &str, team: &str, thread: &str| {
        std::fs::write(folder.path().join("team.md"), team).unwrap();
        std::fs::write(folder.path().join("thread.md"), thread).unwrap();
        let file = format!(
            "[templates]\ndirectory = \"{}\"\n[receivers.default]\n\
             rooms = [\"Y2lzY29zcGFyazovL3VzL1JPT00vZGVhZA\"]\ntemplate = \"team\"\n\
             conversation = \"{conversation}\"\n",
            folder.path().display()
        );
        std::fs::write(&config, file).unwrap();
        let arguments = ["check", "--config", config.to_str().unwrap()];
        let told = ended(command(&arguments).env("WEBEX_TOKEN", "t"));
        (told.code, told.stderr)
    };
    let on_edit = "a{% if edit_number %}{{ nothing }}{% endif %}";
    let on_repeat = "a{% if is_repeat %}{{ nothing }}{% endif %}";
    assert_eq!(check("new", on_edit, on_repeat).0, 0);
    let (code, told) = check("thread", on_edit, on_repeat);
    assert_eq!(code, 1);
    assert!(told.contains("thread.md:1:23"), "{told}");
    assert!(!told.contains("team.md:1"), "{told}");
    let (code, told) = check("update", on_edit, "a");
    assert_eq!(code, 1);
    assert!(told.contains("team.md:1:25"), "{told}");
    assert!(told.contains("with every sample"), "{told}");
    let (code, told) = check("update", "a", "a");
    assert_eq!((code, told.as_str()), (0, ""));
    std::fs::write(folder.path().join("team.card.json"), "").unwrap();
    let (code, told) = check("update", "a", "a");
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("its messages go without the card of template `team`"),
        "{told}"
    );
}
