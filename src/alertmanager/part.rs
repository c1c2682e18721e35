//! A part of a notification, as if Alertmanager had sent only these alerts.
//!
//! What does not belong here: which alerts are whose (`routing`).

use super::wire::{common, group_status};
use super::{Alert, Labels, Notification, REPEAT_INTERVAL, Status};

impl<'a> Notification<'a> {
    /// The notification of some of its alerts, by index. Status and what the alerts share
    /// are computed anew, as Alertmanager does; group and route stay. How many alerts
    /// `max_alerts` cut off is not known for a part, so that stays, too.
    #[must_use]
    pub fn part(&self, alerts: &[usize]) -> Self {
        let kept = alerts.iter().filter_map(|index| self.alerts.get(*index));
        let alerts: Vec<Alert<'a>> = kept.cloned().collect();
        let status = group_status(&alerts);
        let is_repeat = self.reason.as_deref() == Some(REPEAT_INTERVAL);
        let reason = match status {
            // What became of the others is not this part's.
            Status::Resolved if !is_repeat && self.reason.is_some() => {
                Some("all alerts resolved".into())
            }
            _ => self.reason.clone(),
        };
        Self {
            group_key: self.group_key.clone(),
            truncated_alerts: self.truncated_alerts,
            status,
            receiver: self.receiver.clone(),
            reason,
            group_labels: self.group_labels.clone(),
            common_labels: common(&alerts, |alert| &alert.labels),
            common_annotations: common(&alerts, |alert| &alert.annotations),
            route_labels: self.route_labels.clone(),
            external_url: self.external_url.clone(),
            alerts,
            notes: self.notes.clone(),
            is_old_news: self.is_old_news,
        }
    }
}

impl Alert<'_> {
    /// The label that Kubernetes' alerts carry, where it is there.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        Labels::get(&self.labels, "namespace").filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_alertmanager_would_have_sent_of_these_alerts() {
        let body = r#"{"version":"4","groupKey":"g","status":"firing","truncatedAlerts":2,
            "notification_reason":"some alerts resolved",
            "groupLabels":{"job":"x"},"commonLabels":{"job":"x"},"commonAnnotations":{},
            "alerts":[
              {"status":"firing","labels":{"job":"x","namespace":"b","pod":"1"},"annotations":{"summary":"s"}},
              {"status":"resolved","labels":{"job":"x","namespace":"a","pod":"2"},"annotations":{"summary":"t","a":"1"}},
              {"status":"resolved","labels":{"job":"x","namespace":"a","pod":"3"},"annotations":{"summary":"t","a":"2"}}]}"#;
        let whole = Notification::parse(body.as_bytes()).unwrap();
        let part = whole.part(&[1, 2]);
        assert_eq!(part.status, Status::Resolved);
        assert_eq!(part.reason.as_deref(), Some("all alerts resolved"));
        let common: Vec<_> = part.common_labels.iter().collect();
        assert_eq!(common, [("job", "x"), ("namespace", "a")]);
        let annotations: Vec<_> = part.common_annotations.iter().collect();
        assert_eq!(annotations, [("summary", "t")]);
        assert_eq!((part.group_key.as_ref(), part.truncated_alerts), ("g", 2));
        assert_eq!(whole.part(&[0, 1, 2]), whole);
        assert_eq!(whole.part(&[0]).status, Status::Firing);
    }
}
