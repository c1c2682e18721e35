//! Delivered in a plainer form.

use super::stage::Stage;
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
