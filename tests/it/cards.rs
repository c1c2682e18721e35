//! Cards on their way to Webex: beside the Markdown, and left out where Webex refuses them.

use alertmanager_webex::delivery::Outcome;
use alertmanager_webex::sandbox::Effect;

use crate::harness::{Rig, firing};

fn rig() -> Rig {
    Rig::with("template = \"compact\"\n")
}

fn fallbacks(rig: &Rig, reason: &str) -> u64 {
    rig.count(&format!(
        r#"fallbacks_total{{receiver="default",reason="{reason}"}}"#
    ))
}

#[tokio::test(start_paused = true)]
async fn a_card_goes_beside_the_markdown() {
    let rig = rig();
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(matches!(outcome, Outcome::Delivered { messages: 1 }));
    let message = rig.messages("general").remove(0);
    assert!(message.markdown.unwrap().contains("**1 firing: Down**"));
    let card = message.card.unwrap();
    assert_eq!(
        card["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    assert_eq!(card["content"]["body"][0]["items"][1]["text"], "Down");
    assert_eq!(fallbacks(&rig, "card_refused"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_webex_refuses_is_left_out_and_the_room_is_told() {
    let rig = rig();
    rig.fail(Effect::CardRefused, 0);
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(matches!(outcome, Outcome::Delivered { messages: 1 }));
    assert_eq!(rig.posts(), 2);
    let message = rig.messages("general").remove(0);
    assert_eq!(message.card, None);
    let markdown = message.markdown.unwrap();
    assert!(markdown.contains("**1 firing: Down**"), "{markdown}");
    assert!(
        markdown.contains("Shown without its card, because Webex refused it"),
        "{markdown}"
    );
    assert_eq!(fallbacks(&rig, "card_refused"), 1);
    assert_eq!(fallbacks(&rig, "markdown_refused"), 0);
    assert_eq!(
        rig.count(r#"messages_total{receiver="default",kind="fallback"}"#),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn where_the_markdown_is_refused_as_well_plain_text_goes_out() {
    let rig = rig();
    let refused = Effect::Status {
        code: 400,
        retry_after: None,
        body: alertmanager_webex::sandbox::FaultBody::Json,
    };
    rig.fail(refused, 2);
    assert!(matches!(
        rig.outcome(&firing("Down")).await,
        Outcome::Delivered { messages: 1 }
    ));
    assert_eq!(rig.posts(), 3);
    let message = rig.messages("general").remove(0);
    assert_eq!((message.card, message.markdown), (None, None));
    assert!(message.text.unwrap().contains("1 firing: Down"));
}
