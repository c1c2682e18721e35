//! Variables of the environment, alone and above a file.

use super::{ROOM, accepted, read, sound_with, warned};

#[test]
fn token_and_room_alone_suffice() {
    let prepared = read(None, &[("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", ROOM)]).unwrap();
    let config = prepared.config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.server.listen.port(), 9091);
    assert_eq!(config.webex.base_url.as_str(), "https://webexapis.com/v1");
    let receiver = config.routes.find("").expect("`POST /alertmanager`");
    assert_eq!(receiver.destinations[0].id().as_ref(), ROOM);
    assert_eq!(&*receiver.destinations[0].bot, "default");
}

#[test]
fn without_file_and_variables_the_remedy_is_both() {
    insta::assert_snapshot!(read(None, &[]).unwrap_err(), @"
    error: `bots`: there is no bot, so nothing can be posted
      hint: set WEBEX_TOKEN, or write `[bots.default]` with a `token_file`
    error: `receivers`: there is no receiver, so nobody can be told
      hint: set WEBEX_ROOM, or write `[receivers.default]` with `rooms`
    ");
}

#[test]
fn what_a_variable_alone_gets_wrong_is_told_of_the_variable() {
    for (room, expected) in [
        (
            "ops",
            "error: `receivers.default.rooms`: no room is named `ops`\n  \
             --> environment variable WEBEX_ROOM\n  \
             hint: write its id, or give it a name in `[rooms]`",
        ),
        (
            "",
            "error: `receivers.default.rooms`: this is empty\n  \
             --> environment variable WEBEX_ROOM\n  \
             hint: write a room's name or its id",
        ),
    ] {
        let told = read(None, &[("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", room)]).unwrap_err();
        assert_eq!(told, expected);
    }
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let file = sound_with("[server]\nlisten = \"127.0.0.1:1111\"\nworkers = 3");
    let variables = [("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:2222")];
    let server = accepted(&file, &variables).config.server;
    assert_eq!(server.listen.port(), 2222);
    assert_eq!(server.workers.get(), 3);
    assert_eq!(server.body_limit.as_u64(), 4 << 20);
}

#[test]
fn a_variable_sets_every_kind_of_value() {
    let variables = [
        ("ALERTMANAGER_WEBEX__SERVER__WORKERS", "5"),
        ("ALERTMANAGER_WEBEX__SERVER__BODY_LIMIT", "1MiB"),
        ("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "300ms"),
        ("ALERTMANAGER_WEBEX__DELIVERY__MAX_WAITING", "7"),
        (
            "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
            "http://[::1]:9095/v1/",
        ),
        ("ALERTMANAGER_WEBEX__LOG__FORMAT", "json"),
        ("ALERTMANAGER_WEBEX__TEMPLATES__TIMEZONE", "Europe/Berlin"),
        (
            "ALERTMANAGER_WEBEX__LOG__LEVEL",
            "warn,alertmanager_webex=debug",
        ),
    ];
    let config = accepted(&sound_with(""), &variables).config;
    assert_eq!(config.server.workers.get(), 5);
    assert_eq!(config.server.body_limit.as_u64(), 1 << 20);
    assert_eq!(config.delivery.answer_within.as_millis(), 300);
    assert_eq!(config.delivery.max_waiting, 7);
    assert_eq!(config.webex.base_url.as_str(), "http://[::1]:9095/v1");
    assert_eq!(config.log.level, "warn,alertmanager_webex=debug");
}

#[test]
fn what_kubernetes_sets_for_a_service_of_our_name_is_not_ours() {
    let variables = [
        ("ALERTMANAGER_WEBEX_SERVICE_HOST", "10.0.0.1"),
        ("ALERTMANAGER_WEBEX_PORT_9091_TCP", "tcp://10.0.0.1:9091"),
    ];
    let config = accepted(&sound_with(""), &variables).config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_variable_that_the_file_makes_useless_is_a_warning() {
    let variables = [("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", "x")];
    insta::assert_snapshot!(warned(&sound_with(""), &variables), @"
    warning: this has no effect, because the file has `receivers` of its own
      --> environment variable WEBEX_ROOM
      hint: unset it, or remove those from the file
    warning: this has no effect, because the file has `bots` of its own
      --> environment variable WEBEX_TOKEN
      hint: unset it, or remove those from the file
    ");
}

#[test]
fn a_file_may_leave_token_or_room_to_the_variables() {
    let bot = "[bots.team]\ntoken_env = \"WEBEX_TOKEN\"\n";
    let variables = [("WEBEX_TOKEN", "t"), ("WEBEX_ROOM", ROOM)];
    let config = accepted(bot, &variables).config;
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let receiver = config.routes.find("default").unwrap();
    assert_eq!(&*receiver.destinations[0].bot, "team");
}
