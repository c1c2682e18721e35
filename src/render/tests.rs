//! What the built-in template makes of each sample, and what holds for all of them.

use super::samples::{self, NOW};
use super::*;

fn render(body: &str) -> Rendered {
    let renderer = Renderer::new(&Options::default()).unwrap();
    let notification = Notification::parse(body.as_bytes()).unwrap();
    renderer.render(&Subject {
        notification: &notification,
        receiver: "default",
        template: DEFAULT_TEMPLATE,
        now: NOW.parse().unwrap(),
    })
}

#[test]
fn the_default_template_reads_well() {
    for (name, body) in samples::all() {
        let rendered = render(&body);
        assert_eq!(rendered.fallback, None, "{name}");
        println!(
            "--- {name} ({} bytes)\n{}\n",
            rendered.messages[0].markdown.len(),
            rendered.messages[0].markdown
        );
    }
}
