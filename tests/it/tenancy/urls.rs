//! What a webhook's URL may ask for, and what it is told where it asks in vain.

use std::fmt::Write as _;

use crate::harness::{Service, firing};

#[tokio::test]
async fn each_url_is_answered_by_the_table() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "letmein\n").unwrap();
    let service = Service::with(&format!(
        "namespaces = [\"team-*\"]\n\
         [receivers.\"team-a/main/webex\"]\nrooms = [\"general\"]\n\
         room_from = {{ query = \"room\", allow = [\"ops\"] }}\n\
         [receivers.strict]\n\
         room_from = {{ query = \"to\", allow = [\"ops\"], otherwise = \"refuse\" }}\n\
         [receivers.\"team-b/main/webex\"]\nrooms = [\"general\"]\nbearer_token_file = \"{}\"\n",
        token.path().display()
    ));
    let mut told = String::new();
    for path in [
        "team-a/main/webex?room=ops",
        "team-a%2Fmain%2Fwebex?room=ops",
        "team-a/main/webex/?room=%6Fps",
        "team-a/main/webex",
        "team-a/main/webex?room=",
        "team-a/main/webex?room=general",
        "team-a/main/webex?room=ops&room=general",
        "team-a/main/webex?romo=ops",
        "team-a/main/webex?s3cret",
        "strict",
        "strict?to=ops",
        "strict?room=ops",
        "strict?to=%1b%5b31m%0a",
        "default",
        "default?room=ops",
        "webex",
        "team-a/main/webx",
        "Team-A/main/webex",
        "monitoring/team-a/main/webex",
        "team-b/main/webx",
        "nothing-alike",
    ] {
        let answer = service
            .post(&format!("/alertmanager/{path}"), firing(path))
            .await;
        writeln!(told, "{path}: {} {}", answer.status, answer.body).unwrap();
    }
    insta::assert_snapshot!(told);
    assert!(!told.contains("s3cret\\"));
    service.stop().await;
}
