//! Delivered in a plainer form.

use alertmanager_webex::sandbox::Effect;

use super::stage::Stage;
use super::status;
use crate::harness::firing;

#[tokio::test(start_paused = true)]
async fn template_broken() {
    let more = "template = \"team\"\n[templates]\ndirectory = \"FOLDER\"\n";
    // It renders the samples, and not this one.
    let text = "{% if common_labels.alertname == 'Down' %}{{ common_labels.team }}{% endif %}x";
    let stage = Stage::with_files("template_broken", more, &[("team.md", text)]);
    stage.post("", &firing("Down")).await;
    stage.scene("the built-in template stands in");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn card_refused() {
    let stage = Stage::new("card_refused", "template = \"compact\"\n");
    stage.fail(Effect::CardRefused, 1);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex refuses the card");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn markdown_refused() {
    let stage = Stage::new("markdown_refused", "");
    stage.fail(status(400), 1);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex refuses the Markdown");
    stage.end();
}

#[tokio::test(start_paused = true)]
async fn card_and_markdown_refused() {
    let stage = Stage::new("card_and_markdown_refused", "template = \"compact\"\n");
    stage.fail(status(400), 2);
    stage.post("", &firing("Down")).await;
    stage.scene("Webex refuses both");
    stage.end();
}
