//! Requests that never become a notification.

use actix_web::test::TestRequest;

use super::stage::Stage;
use crate::harness::firing;

#[tokio::test(start_paused = true)]
async fn rejected() {
    let more = "[receivers.guarded]\nrooms = [\"ops\"]\nbearer_token_file = \"FOLDER/token\"\n\
        [receivers.open]\nrooms = [\"ops\"]\n";
    let token = [("token", "a-token-that-is-long-enough-for-one")];
    let stage = Stage::with_files("rejected", more, &token);
    stage.post("/nobody", &firing("Down")).await;
    stage.scene("no receiver has this name");
    stage.post("/no-one", &firing("Down")).await;
    stage.scene("nor this one");
    stage.post("", "{\"title\":\"Grafana\"}").await;
    stage.scene("no notification");
    stage.post("?room=ops", &firing("Down")).await;
    stage.scene("the receiver takes no room");
    stage.post("/guarded", &firing("Down")).await;
    stage.scene("no credentials");
    let wrong = TestRequest::post().insert_header(("Authorization", "Bearer wrong"));
    stage.call(wrong, "/alertmanager/guarded", "").await;
    stage.scene("wrong credentials");
    for _ in 0..31 {
        let wrong = TestRequest::post().insert_header(("Authorization", "Bearer wrong"));
        stage.call(wrong, "/alertmanager/guarded", "").await;
    }
    stage.scene("wrong ones again and again");
    stage.post("", &"x".repeat(4 << 20 | 1)).await;
    stage.scene("too much");
    stage.call(TestRequest::get(), "/alertmanager", "").await;
    stage.scene("not posted");
    stage.call(TestRequest::get(), "/nothing", "").await;
    stage.scene("there is no such path");
    stage.end();
}
