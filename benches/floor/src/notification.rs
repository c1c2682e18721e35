//! The payload, as far as the template shows it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tera::{Context, Tera, TeraResult, Value};

type Labels<'a> = BTreeMap<&'a str, Cow<'a, str>>;

/// One webhook body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification<'a> {
    #[serde(borrow)]
    alerts: Vec<Alert<'a>>,
    #[serde(borrow)]
    common_labels: Labels<'a>,
    #[serde(borrow)]
    common_annotations: Labels<'a>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    status: &'a str,
    #[serde(borrow)]
    labels: Labels<'a>,
    #[serde(borrow)]
    annotations: Labels<'a>,
    starts_at: &'a str,
    ends_at: &'a str,
    #[serde(rename = "generatorURL")]
    generator_url: Cow<'a, str>,
}

/// What the template sees of an alert.
#[derive(Serialize)]
struct Shown<'a> {
    status: &'a str,
    labels: &'a Labels<'a>,
    annotations: &'a Labels<'a>,
    own_labels: BTreeMap<&'a str, &'a str>,
    own_annotations: BTreeMap<&'a str, &'a str>,
    starts_at: &'a str,
    ends_at: &'a str,
    generator_url: &'a str,
    silence_url: String,
}

/// What stands in one and not, or otherwise, in the other.
fn own<'a>(all: &'a Labels<'a>, common: &Labels<'a>) -> BTreeMap<&'a str, &'a str> {
    let all = all.iter();
    all.filter(|(name, value)| common.get(*name) != Some(value))
        .map(|(name, value)| (*name, value.as_ref()))
        .collect()
}

impl Notification<'_> {
    /// The message.
    pub(crate) fn render(&self, tera: &Tera) -> TeraResult<String> {
        let mut shown = Vec::with_capacity(self.alerts.len());
        let (mut firing, mut resolved) = (Vec::new(), Vec::new());
        for alert in &self.alerts {
            let value = Value::try_from_serializable(&Shown {
                status: alert.status,
                labels: &alert.labels,
                annotations: &alert.annotations,
                own_labels: own(&alert.labels, &self.common_labels),
                own_annotations: own(&alert.annotations, &self.common_annotations),
                starts_at: alert.starts_at,
                ends_at: alert.ends_at,
                generator_url: &alert.generator_url,
                silence_url: self.silence(&alert.labels),
            })?;
            if alert.status == "firing" {
                firing.push(value.clone());
            } else {
                resolved.push(value.clone());
            }
            shown.push(value);
        }
        let mut context = Context::new();
        let name = self.common_labels.get("alertname");
        let names: Vec<&str> = name.iter().map(AsRef::as_ref).collect();
        context.insert("alert_names", &names);
        context.insert_value("alerts", shown.into());
        context.insert_value("firing", firing.into());
        context.insert_value("resolved", resolved.into());
        context.insert("severity", &self.common_labels.get("severity"));
        context.insert("common_labels", &self.common_labels);
        context.insert("common_annotations", &self.common_annotations);
        context.insert("silence_url", &self.silence(&self.common_labels));
        context.insert("alertmanager_url", self.external_url);
        context.insert("truncated_alerts", &0);
        context.insert("notification_reason", "");
        context.insert("edit_number", &0);
        context.insert("mention", "");
        context.insert_value("br", Value::safe_string("  \n"));
        tera.render("default.md", &context)
    }

    fn silence(&self, labels: &Labels<'_>) -> String {
        let mut url = format!("{}/#/silences/new?filter=%7B", self.external_url);
        for (name, value) in labels {
            url.push_str(name);
            url.push_str("%3D%22");
            url.push_str(value);
            url.push_str("%22%2C");
        }
        url.push_str("%7D");
        url
    }
}
