//! Notifications that are all distinct and cost next to nothing to make: a body is made once,
//! and its number is written into the places that it has there.

use serde_json::{Map, Value, json};

/// Stands in a body where its number goes.
const PLACE: &str = "@@@@@@@@";

/// When all of them began to fire.
const STARTS_AT: &str = "2026-01-01T00:00:00Z";

/// A notification with ten labels and three annotations an alert, to be numbered.
pub(crate) struct Body {
    text: Vec<u8>,
    places: Vec<usize>,
}

impl Body {
    /// A notification of so many alerts.
    pub(crate) fn new(alerts: usize) -> Self {
        let text = notification(alerts).to_string().into_bytes();
        let places = text
            .windows(PLACE.len())
            .enumerate()
            .filter(|(_, window)| *window == PLACE.as_bytes())
            .map(|(at, _)| at)
            .collect();
        Self { text, places }
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Adds the notification of that number to what is to be sent.
    pub(crate) fn write(&self, number: u32, to: &mut Vec<u8>) {
        let start = to.len();
        to.extend_from_slice(&self.text);
        let number = format!("{number:08x}");
        for place in &self.places {
            let at = start + place;
            to[at..at + PLACE.len()].copy_from_slice(number.as_bytes());
        }
    }
}

/// The labels of an alert of a group; `group` is its number.
pub(crate) fn labels(group: &str, alert: usize) -> Map<String, Value> {
    let mut labels = Map::new();
    labels.insert("alertname".to_owned(), json!(format!("Alert{group}")));
    labels.insert("instance".to_owned(), json!(format!("node-{alert}:9100")));
    for number in 0..7 {
        labels.insert(
            format!("label_{number}"),
            json!(format!("value-{number}-of-it")),
        );
    }
    labels.insert("severity".to_owned(), json!("critical"));
    labels
}

/// The annotations of an alert.
pub(crate) fn annotations(alert: usize) -> Value {
    json!({
        "summary": format!("Disk of node-{alert} is 97% full"),
        "description": "It fills with 3 GiB an hour and is full by noon.",
        "runbook_url": "https://runbooks.example.org/disk",
    })
}

fn notification(alerts: usize) -> Value {
    let every: Vec<Value> = (0..alerts)
        .map(|index| {
            json!({
                "status": "firing",
                "labels": labels(PLACE, index),
                "annotations": annotations(index),
                "startsAt": STARTS_AT,
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://prometheus.example.org/graph?g0.expr=disk_free",
                "fingerprint": format!("{PLACE}{index:08x}"),
            })
        })
        .collect();
    let mut common = labels(PLACE, 0);
    let mut common_annotations = annotations(0);
    if alerts > 1 {
        common.remove("instance");
        common_annotations = json!({
            "description": common_annotations["description"],
            "runbook_url": common_annotations["runbook_url"],
        });
    }
    json!({
        "receiver": "webex",
        "status": "firing",
        "alerts": every,
        "groupLabels": {"alertname": format!("Alert{PLACE}")},
        "commonLabels": common,
        "commonAnnotations": common_annotations,
        "externalURL": "https://alertmanager.example.org",
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"Alert{PLACE}\"}}"),
        "truncatedAlerts": 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_all_that_tells_two_bodies_apart() {
        let body = Body::new(2);
        let made = |number| {
            let mut text = Vec::new();
            body.write(number, &mut text);
            assert_eq!(text.len(), body.len());
            String::from_utf8(text).unwrap()
        };
        let (one, other) = (made(1), made(0xabc));
        assert_eq!(
            one.replace("00000001", "00000abc")
                .replace("00000abc00000abc", "00000abc00000001"),
            other
        );
        let read: Value = serde_json::from_str(&other).unwrap();
        assert_eq!(read["alerts"][1]["fingerprint"], "00000abc00000001");
        assert_eq!(
            read["alerts"][0]["labels"].as_object().map(Map::len),
            Some(10)
        );
        assert_eq!(read["groupKey"], "{}:{alertname=\"Alert00000abc\"}");
    }
}
