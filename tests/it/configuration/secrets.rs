//! Secrets in the wrong place are shown nowhere.

use super::{SECRET, read, refused};

#[test]
fn a_secret_in_the_wrong_place_is_shown_nowhere() {
    let values = [
        ("server", "listen"),
        ("server", "body_limit"),
        ("server", "workers"),
        ("server", "shutdown_grace"),
        ("server", "no_such_key"),
        ("delivery", "answer_within"),
        ("delivery", "max_waiting"),
        ("webex", "base_url"),
        ("webex", "ca_file"),
        ("webex", "request_timeout"),
        ("bots.default", "token"),
        ("bots.default", "token_env"),
        ("bots.default", "burst"),
        ("bots", "another"),
        ("receivers.default", "bot"),
        ("receivers.default", "template"),
        ("receivers.default", "rooms"),
        ("receivers.default", "dry_run"),
        ("receivers.default", "bearer_token_file"),
        ("receivers.default", "basic_auth"),
        ("receivers.default", "client_subjects"),
        ("server", "admin_listen"),
        ("server", "admin_bearer_token_file"),
        ("server", "open"),
        ("server", "max_connections"),
        ("server", "head_timeout"),
        ("server", "tls"),
        ("server.tls", "cert_file"),
        ("receivers", "another"),
        ("receivers.default", "mention"),
        ("receivers.default.mention", "severity"),
        ("receivers.default.mention", "people"),
        ("receivers.default.mention", "everyone"),
        ("templates", "timezone"),
        ("links", "rewrite"),
        ("log", "format"),
        ("log", "level"),
    ];
    for (section, key) in values {
        for value in [
            format!("\"{SECRET}\""),
            SECRET.to_owned(),
            format!("\"{SECRET}"),
            format!("'{SECRET}"),
            format!("\"\"\"{SECRET}"),
            format!("\"a\" {SECRET}"),
            format!("[\"{SECRET}\""),
            format!("[{{ token = \"{SECRET}\" }}]"),
            format!("{{ token = \"{SECRET}\" }}"),
        ] {
            let told = refused(&format!("[{section}]\n{key} = {value}\n"), &[]);
            assert!(
                !told.contains("SECRET"),
                "{section}.{key} = {value}\n{told}"
            );
            assert!(told.contains("--> config.toml:"), "{section}.{key}\n{told}");
        }
    }
    for file in [
        format!("{SECRET}\n"),
        format!("[bots.default]\ntoken_file\n{SECRET}\n"),
        format!("[bots.default]\ntoken_file = \"{SECRET}\"\n"),
        format!("[bots.default\n{SECRET} = 1\n"),
    ] {
        let told = refused(&file, &[]);
        assert!(!told.contains("SECRET"), "{file}\n{told}");
    }
}

#[test]
fn a_secret_in_the_wrong_variable_is_shown_nowhere() {
    for variable in [
        "WEBEX_ROOM",
        "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
        "ALERTMANAGER_WEBEX__SERVER__LISTEN",
        "ALERTMANAGER_WEBEX__LOG__FORMAT",
        "ALERTMANAGER_WEBEX__LOG__LEVEL",
        "ALERTMANAGER_WEBEX__TOKEN",
        "ALERTMANAGER_WEBEX__BOTS__DEFAULT__TOKEN_ENV",
        "ALERTMANAGER_WEBEX__BOTS",
        "ALERTMANAGER_WEBEX__WEBEX",
    ] {
        match read(None, &[(variable, SECRET)]) {
            Ok(_) => panic!("{variable} alone was accepted"),
            Err(told) => assert!(!told.contains("SECRET"), "{variable}\n{told}"),
        }
    }
}
