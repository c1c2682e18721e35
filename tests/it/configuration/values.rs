//! Values that make no sense, by what they are about.

use alertmanager_webex::routing::Conversation;

use super::{ROOM, SECRET, accepted, read, refused, sound_with, warned};

#[test]
fn times_that_work_hardly_as_meant_are_warnings() {
    let file = sound_with(
        "[delivery]\nanswer_within = \"20s\"\n\
         [server]\nshutdown_grace = \"5s\"",
    );
    insta::assert_snapshot!(warned(&file, &[]), @"
    warning: `delivery.answer_within`: Alertmanager hangs up after its group_interval, which may be 10 s, and sends again at once
      --> config.toml:6
      hint: stay below 10s, unless every group_interval is longer
    warning: `server.shutdown_grace`: this is shorter than `webex.request_timeout`, so a post that is under way may be cut off at shutdown and arrive twice
      --> config.toml:8
      hint: make it longer than `webex.request_timeout`
    ");
}

#[test]
fn values_that_would_break_later_are_refused_at_start() {
    for (section, expected) in [
        (
            "[delivery]\nmax_waiting = 0",
            "every notification would be turned away",
        ),
        (
            "[delivery]\ngive_up_after = \"5000000h\"",
            "longer than 30 days",
        ),
        ("[server]\nworkers = 4000000000", "more threads than 512"),
        ("[server]\nbody_limit = \"0B\"", "no body would be read"),
        (
            "[webex]\nbase_url = \"https://user:pass@host/v1\"",
            "more than host and path",
        ),
        (
            "[webex]\nbase_url = \"ftp://host/v1\"",
            "not an http or https address",
        ),
        ("[log]\nlevel = \"alertmanager_webex\"", "not a log level"),
        ("[log]\nlevel = \"info,\"", "not a log level"),
    ] {
        let told = refused(&sound_with(section), &[]);
        assert!(told.contains(expected), "{section}\n{told}");
        assert_eq!(told.matches("error:").count(), 1, "{section}\n{told}");
    }
}

#[test]
fn a_conversation_is_one_of_three_and_its_option_belongs_to_one() {
    for (written, meant) in [
        ("", Conversation::New),
        ("conversation = \"new\"", Conversation::New),
        ("conversation = \"thread\"", Conversation::Thread),
        (
            "conversation = \"update\"",
            Conversation::Update {
                reply_on_resolve: false,
            },
        ),
        (
            "conversation = \"update\"\nreply_on_resolve = true",
            Conversation::Update {
                reply_on_resolve: true,
            },
        ),
    ] {
        let config = accepted(&sound_with(written), &[]).config;
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(config.routes.find("").unwrap().conversation, meant);
    }
    let alone = |mode| {
        let room = ("WEBEX_ROOM", ROOM);
        read(
            None,
            &[("WEBEX_TOKEN", "t"), room, ("WEBEX_CONVERSATION", mode)],
        )
    };
    let config = alone(" thread\n").unwrap().config;
    let receiver = config.routes.find("").unwrap();
    assert_eq!(receiver.conversation, Conversation::Thread);
    insta::assert_snapshot!(alone("threads").unwrap_err(), @"
    error: this is not a way to tell a group's later notifications
      --> environment variable WEBEX_CONVERSATION
      hint: write `new`, `thread` or `update`
    ");
    let file = sound_with("");
    insta::assert_snapshot!(warned(&file, &[("WEBEX_CONVERSATION", "thread")]), @"
    warning: this has no effect, because the file has `receivers` of its own
      --> environment variable WEBEX_CONVERSATION
      hint: unset it, or remove those from the file
    ");
    let without_effect = sound_with("reply_on_resolve = true");
    insta::assert_snapshot!(warned(&without_effect, &[]), @r#"
    warning: `receivers.default.reply_on_resolve`: this has no effect, because `conversation` is not `update`
      --> config.toml:5
      hint: write `conversation = "update"`, or leave this out
    "#);
    let wrong = sound_with("conversation = \"threads\"\nreply_on_resolve = \"perhaps\"");
    insta::assert_snapshot!(refused(&wrong, &[]), @r#"
    error: `receivers.default.conversation`: this is not a way to tell a group's later notifications
      --> config.toml:5
      hint: write `"new"`, `"thread"` or `"update"`
    error: `receivers.default.reply_on_resolve`: this is text, not `true` or `false`
      --> config.toml:6
      hint: write it without quotes
    "#);
}

#[test]
fn a_room_of_the_wrong_kind_is_a_warning() {
    // ciscospark://us/PEOPLE/…
    let person = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS82ZmUyYThjMC0zYjFkLTExZWYtOWY2YS01ZDBjN2UxYjJhMzQ";
    let file = sound_with(&format!("[rooms]\nops = \"{person}\""));
    insta::assert_snapshot!(warned(&file, &[]), @"
    warning: `rooms.ops`: this is the id of a PEOPLE, not of a ROOM
      --> config.toml:6
      hint: copy the id of the room itself
    ");
}

#[test]
fn broken_templates_are_told_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("team.md"), "{{ status }\n").unwrap();
    let directory = folder.path().to_str().unwrap();
    let file = sound_with(&format!(
        "[templates]\ndirectory = \"{directory}\"\n[log]\nformat = \"xml\""
    ));
    let told = refused(&file, &[]).replace(directory, "templates");
    assert!(told.contains("templates/team.md:1:11"), "{told}");
    assert!(
        told.contains("`log.format`: this is not a log format"),
        "{told}"
    );
}

#[test]
fn a_template_of_ones_own_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("team.md"), "{{ status }}\n").unwrap();
    let file = format!(
        "[templates]\ndirectory = \"{}\"\n\
         [bots.default]\ntoken_file = \"/run/token\"\n\
         [receivers.default]\nrooms = [\"{ROOM}\"]\ntemplate = \"team\"\n",
        folder.path().display()
    );
    accepted(&file, &[]);
}

#[test]
fn a_time_zone_that_is_none_is_told_with_the_one_that_was_meant() {
    for (name, hint) in [
        ("Europe/Berli", "did you mean `Europe/Berlin`?"),
        ("berlin", "did you mean `Europe/Berlin`?"),
        ("new york", "did you mean `America/New_York`?"),
        ("", "such as `UTC` or `Europe/Berlin`"),
    ] {
        let told = refused(
            &sound_with(&format!("[templates]\ntimezone = \"{name}\"")),
            &[],
        );
        assert!(
            told.starts_with("error: `templates.timezone`: no time zone has this name"),
            "{told}"
        );
        assert!(told.contains(hint), "{told}");
    }
}

#[test]
fn rules_that_would_go_round_in_circles_are_refused() {
    let told = refused(
        &sound_with(
            "[[links.rewrite]]\nfrom = \"http://a\"\nto = \"http://b\"\n\
             [[links.rewrite]]\nfrom = \"http://b/c\"\nto = \"https://d\"",
        ),
        &[],
    );
    insta::assert_snapshot!(told, @"
    error: `links.rewrite.to`: another rule would rewrite this address again
      --> config.toml:7
      hint: write where both lead in the end
    ");
}

#[test]
fn a_service_app_that_lacks_something_or_has_too_much_is_told_what() {
    let told = refused(
        &format!(
            "[bots.a]\nclient_id = \"C1\"\n\
             [bots.b]\nclient_id = \"C1\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/r\"\ntoken_env = \"T\"\n\
             [bots.c]\nclient_id = \"two words\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/s\"\n\
             [bots.d]\nclient_id = \"C2\"\nclient_secret_file = \"{SECRET}\"\nrefresh_token_file = \"/r\"\n\
             [bots.e]\nclient_id = 5\nclient_secret_file = \"\"\nrefresh_token_file = \"/e\"\n\
             [receivers.default]\nbot = \"a\"\nrooms = [\"{ROOM}\"]\n"
        ),
        &[("T", "t")],
    );
    assert!(!told.contains(SECRET));
    insta::assert_snapshot!(told);
}

#[test]
fn a_service_app_that_is_whole_is_accepted() {
    let toml = format!(
        "[bots.default]\nclient_id = \"C1\"\nclient_secret_file = \"/s\"\nrefresh_token_file = \"/r\"\n\
         [receivers.default]\nrooms = [\"{ROOM}\"]\n"
    );
    assert_eq!(warned(&toml, &[]), "");
}
