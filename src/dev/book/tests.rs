//! What the book keeps, told in any order.

use super::*;

const BODY: &[u8] =
    br#"{"version":"4","groupKey":"{}:{}","groupLabels":{"alertname":"Down","team":"a"},
    "alerts":[{"status":"firing"}]}"#;

#[test]
fn what_is_told_in_any_order_is_one_line() {
    let orders: [[usize; 3]; 3] = [[0, 1, 2], [1, 2, 0], [1, 0, 2]];
    for order in orders {
        let book = Book::default();
        let id = DeliveryId(7);
        for step in order {
            match step {
                0 => book.received(&"ops".into(), Some(id), BODY),
                1 => book.posted(&[id], "room", "message"),
                _ => book.ended(id, &Outcome::Delivered { messages: 1 }),
            }
        }
        assert!(book.underway().is_empty(), "{order:?}");
        let outcomes = book.outcomes();
        assert_eq!(outcomes.len(), 1, "{order:?}");
        assert_eq!(outcomes[0].reason, "delivered");
        assert_eq!(outcomes[0].group, "alertname=Down, team=a");
        assert_eq!(outcomes[0].messages[0].id, "message");
        let origin = book.notifications("message");
        assert_eq!(origin[0].1.body, BODY);
    }
}

#[test]
fn what_is_kept_is_bounded_and_what_is_under_way_is_kept_longest() {
    let book = Book::default();
    let most = u64::try_from(MOST_DELIVERIES).unwrap();
    book.received(&"ops".into(), Some(DeliveryId(0)), BODY);
    for number in 1..=most + 10 {
        let id = DeliveryId(number);
        book.received(&"ops".into(), Some(id), BODY);
        book.posted(&[id], "room", &format!("message {number}"));
        book.ended(id, &Outcome::Delivered { messages: 1 });
    }
    let underway = book.underway();
    assert_eq!(underway.len(), 1);
    assert_eq!(underway[0].delivery, DeliveryId(0));
    assert!(book.notifications("message 1").is_empty());
    assert_eq!(book.notifications(&format!("message {most}")).len(), 1);
    assert_eq!(book.outcomes().len(), MOST_LINES);
    let pages = book.pages();
    assert_eq!(pages.deliveries.len(), MOST_DELIVERIES);
    assert_eq!(pages.bytes, MOST_DELIVERIES * BODY.len());
    assert_eq!(
        (pages.messages.len(), pages.order.len()),
        (MOST_MESSAGES, MOST_MESSAGES)
    );
}

#[test]
fn a_replaced_notification_has_ended_and_says_by_which() {
    let book = Book::default();
    book.received(&"ops".into(), Some(DeliveryId(1)), BODY);
    book.superseded(DeliveryId(1), DeliveryId(2));
    assert!(book.underway().is_empty());
    assert_eq!(book.outcomes()[0].reason, "superseded");
    assert!(book.outcomes()[0].message.contains("delivery 2"));
}
