use proptest::prelude::*;

use super::*;
use crate::render::fuzzing::card::value_is_text;

fn refused(card: &str) -> String {
    Card::parse(card).unwrap_err()
}

fn with_body(body: &str) -> String {
    format!(r#"{{"type":"AdaptiveCard","version":"1.3","body":[{body}]}}"#)
}

fn with_actions(actions: &str) -> String {
    format!(r#"{{"type":"AdaptiveCard","version":"1.2","body":[],"actions":[{actions}]}}"#)
}

const OPEN: &str = r#"{"type":"Action.OpenUrl","title":"t","url":"https://a.b"}"#;

#[test]
fn a_card_that_webex_takes_is_taken() {
    let all = r#"{"type":"TextBlock","text":"a"},
        {"type":"RichTextBlock","inlines":["a",{"type":"TextRun","text":"b"}]},
        {"type":"Image","url":"https://a.b/c.png"},
        {"type":"ImageSet","images":[{"type":"Image","url":"https://a.b/c.png"}]},
        {"type":"Container","style":"attention","items":[{"type":"TextBlock","text":"a"}]},
        {"type":"ColumnSet","columns":[{"type":"Column","width":"auto","items":[]},{"items":[]}]},
        {"type":"FactSet","facts":[{"title":"a","value":"b"}]},
        {"type":"Input.Text","id":"x"},
        {"type":"ActionSet","actions":[{"type":"Action.OpenUrl","title":"t","url":"https://a.b"},
            {"type":"Action.ShowCard","title":"more","card":{"type":"AdaptiveCard","body":[]}}]}"#;
    let card = Card::parse(&with_body(all)).unwrap().unwrap();
    assert!(card.json().starts_with('{'));
}

#[test]
fn nothing_is_no_card() {
    assert_eq!(Card::parse(" \n"), Ok(None));
}

#[test]
fn a_card_that_webex_refuses_is_told_with_its_place() {
    let many = |action: &str, count: usize| vec![action; count].join(",");
    let deep = (0..40).fold(
        r#"{"type":"TextBlock","text":"a"}"#.to_owned(),
        |inner, _| format!(r#"{{"type":"Container","items":[{inner}]}}"#),
    );
    let cases = [
        "[]".to_owned(),
        "{\"type\": \"AdaptiveCard\",\n \"body\" [] }".to_owned(),
        r#"{"contentType":"application/vnd.microsoft.card.adaptive","content":{}}"#.to_owned(),
        r#"{"type":"AdaptiveCrd","version":"1.3"}"#.to_owned(),
        r#"{"type":"AdaptiveCard","version":"1.5","body":[]}"#.to_owned(),
        r#"{"type":"AdaptiveCard","version":"1.3","body":[]}"#.to_owned(),
        r#"{"type":"AdaptiveCard","version":"1.3","speak":"x","body":[]}"#.to_owned(),
        with_body(r#"{"type":"TextBlok","text":"a"}"#),
        with_body(r#"{"type":"Media","sources":[]}"#),
        with_body(r#"{"type":"TextBlock"}"#),
        with_body(r#"{"type":"TextBlock","text":7}"#),
        with_body(r#"{"text":"a"}"#),
        with_body(r#"{"type":"ColumnSet","height":"stretch","columns":[]}"#),
        with_body(r#"{"type":"FactSet","facts":[{"title":"a"}]}"#),
        with_body(r#"{"type":"Image","url":"data:image/png;base64,AAAA"}"#),
        with_body(r#"{"type":"Container","items":{}}"#),
        with_body(&deep),
        with_actions(&many(OPEN, 6)),
        with_actions(r#"{"type":"Action.Execute","title":"t"}"#),
        with_actions(r#"{"type":"Action.OpenUrl","title":"t","url":"javascript:alert(1)"}"#),
        with_actions(r#"{"type":"Action.ShowCard","title":"t"}"#),
        with_body(&format!(
            r#"{{"type":"TextBlock","text":"{}"}}"#,
            "x".repeat(CARD_BYTES)
        )),
    ];
    let told: Vec<String> = cases.iter().map(|card| refused(card)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_loops_last_comma_does_no_harm() {
    let card = with_body(r#"{"type":"TextBlock","text":"a,] \",}",} , "#);
    assert_eq!(
        Card::parse(&card).unwrap().unwrap().json(),
        r#"{"body":[{"text":"a,] \",}","type":"TextBlock"}],"type":"AdaptiveCard","version":"1.3"}"#
    );
}

proptest! {
    #[test]
    fn a_value_is_text_within_json_and_no_link(value in ".{0,60}|([\\[\\]()<@\"\\\\\n\r\t,}]|a){0,30}") {
        value_is_text(&value);
    }
}
