//! Which URLs are those of incoming webhooks: whoever has one can post, so it is a secret.

use std::net::IpAddr;

use url::{Host, Url};

/// Hosts of Webex's own webhooks; older integrations still show the second.
const HOSTS: [&str; 2] = ["webexapis.com", "api.ciscospark.com"];
/// What the path of an incoming webhook holds, before the part that nobody may know.
const PATH: &str = "/webhooks/incoming/";

/// Which URLs are those of incoming webhooks.
#[derive(Debug, Clone)]
pub struct WebhookRule {
    /// `webex.base_url`, whose host counts besides Webex's.
    pub(crate) base_url: Url,
    /// `webex.allow_http`
    pub(crate) allow_http: bool,
}

impl WebhookRule {
    /// What is wrong with a URL, in words that hold nothing of it.
    pub(super) fn fault(&self, url: &str) -> Option<&'static str> {
        let Ok(url) = Url::parse(url) else {
            return Some("it is not a URL");
        };
        let is_safe = url.scheme() == "https"
            || url.scheme() == "http" && (self.allow_http || is_this_machine(&url));
        if !is_safe {
            return Some("it is not https, so anybody on the way could read it");
        }
        if has_user(&url) {
            return Some("it holds a user or a password");
        }
        let is_webex = url.port().is_none() && url.host_str().is_some_and(|h| HOSTS.contains(&h));
        let is_base = url.host() == self.base_url.host()
            && url.port_or_known_default() == self.base_url.port_or_known_default();
        if !is_webex && !is_base {
            return Some("its host is neither Webex's nor that of `webex.base_url`");
        }
        let id = url.path().split_once(PATH).map(|(_, id)| id);
        if id.is_none_or(str::is_empty) {
            return Some("its path holds no `/webhooks/incoming/` with an id behind it");
        }
        None
    }
}

/// Whether a URL holds a name or a password.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether requests do not leave this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(base_url: &str, allow_http: bool, url: &str) -> Option<&'static str> {
        let base_url = Url::parse(base_url).unwrap();
        let rule = WebhookRule {
            base_url,
            allow_http,
        };
        rule.fault(url)
    }

    #[test]
    fn only_webexs_webhooks_are_taken_and_no_word_repeats_them() {
        let webex = "https://webexapis.com/v1";
        for url in [
            "https://webexapis.com/v1/webhooks/incoming/Y2lz",
            "https://api.ciscospark.com/v1/webhooks/incoming/Y2lz",
        ] {
            assert_eq!(fault(webex, false, url), None, "{url}");
        }
        for (url, word) in [
            ("Y2lzs3cret", "not a URL"),
            (
                "http://webexapis.com/v1/webhooks/incoming/s3cret",
                "not https",
            ),
            ("file:///v1/webhooks/incoming/s3cret", "not https"),
            (
                "https://me:s3cret@webexapis.com/v1/webhooks/incoming/x",
                "a user",
            ),
            (
                "https://evil.example.org/v1/webhooks/incoming/s3cret",
                "host",
            ),
            (
                "https://webexapis.com:8443/v1/webhooks/incoming/s3cret",
                "host",
            ),
            ("https://webexapis.com/v1/webhooks/incoming/", "path"),
            ("https://webexapis.com/v1/messages?s3cret", "path"),
        ] {
            let told = fault(webex, false, url).unwrap();
            assert!(
                told.contains(word) && !told.contains("s3cret"),
                "{url}: {told}"
            );
        }
    }

    #[test]
    fn a_sandbox_counts_as_webex_where_it_is_the_base_url() {
        let url = "http://127.0.0.1:8080/v1/webhooks/incoming/x";
        assert_eq!(fault("http://127.0.0.1:8080/v1", false, url), None);
        assert!(fault("http://127.0.0.1:9090/v1", false, url).is_some());
        let (base, url) = (
            "http://sandbox.test:80/v1",
            "http://sandbox.test/v1/webhooks/incoming/x",
        );
        assert!(fault(base, false, url).is_some());
        assert_eq!(fault(base, true, url), None);
    }
}
