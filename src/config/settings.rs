//! The shape of the configuration: each key, its type, its default.
//!
//! `config.example.toml` shows the same with a comment for each key, and a test holds the
//! two together. A key stands here only once something reads it: what is accepted and does
//! nothing misleads. What belongs together across keys is checked in
//! [`resolve`](super::resolve). The keys of a receiver stand in `receivers`.

mod receivers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rooms::Room;
use super::units;
pub(crate) use receivers::{BasicAuth, Conversation, Mention, Otherwise, Receiver, RoomFrom};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[webex]`
    pub webex: Webex,
    /// `[templates]`
    pub templates: Templates,
    /// `[links]`
    pub links: Links,
    /// `[bots.NAME]`
    pub bots: BTreeMap<String, Bot>,
    /// `[rooms]`: names for ids.
    pub rooms: BTreeMap<String, Room>,
    /// `[webhooks.NAME]`
    pub webhooks: BTreeMap<String, Webhook>,
    /// `[receivers.NAME]`
    pub receivers: BTreeMap<String, Receiver>,
    /// `[log]`
    pub log: Log,
}

/// How Alertmanager reaches us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    #[schemars(with = "units::Address")]
    pub listen: SocketAddr,
    /// Threads that read and answer requests, and render; one more delivers.
    pub workers: NonZeroU32,
    /// Whether a receiver may do without credentials. If not, receivers that exist and those
    /// that do not are alike to strangers.
    pub open: bool,
    /// Where metrics, reload and the status page are instead of `listen`.
    #[schemars(with = "Option<units::Address>")]
    pub admin_listen: Option<SocketAddr>,
    /// The file with the tokens that metrics, reload and the status page ask for.
    pub admin_bearer_token_file: Option<PathBuf>,
    /// What every path begins with.
    pub path_prefix: String,
    /// `[server.tls]`
    pub tls: Tls,
    /// The largest request body that is read.
    #[schemars(with = "units::Size")]
    pub body_limit: ByteSize,
    /// Connections at a time; more wait until one ends.
    pub max_connections: NonZeroU32,
    /// How long the head of a request may take, and a TLS handshake.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub head_timeout: Duration,
    /// How long the body of a request may take.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub body_timeout: Duration,
    /// After SIGTERM, how long notifications are still taken while `/-/ready` says no: so
    /// long Kubernetes takes to send them elsewhere.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub shutdown_delay: Duration,
    /// How long what has begun may take after that.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub shutdown_grace: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9091)),
            // Memory grows with each, and two saturate what Webex takes many times over.
            workers: nonzero(2),
            open: true,
            admin_listen: None,
            admin_bearer_token_file: None,
            path_prefix: String::new(),
            tls: Tls::default(),
            body_limit: ByteSize::mib(4),
            // Some 20 KiB each. An Alertmanager keeps at most 1,000 open.
            max_connections: nonzero(4096),
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(5),
            shutdown_delay: Duration::from_secs(2),
            // Above `webex.request_timeout`, so that a post under way is not cut off.
            shutdown_grace: Duration::from_secs(40),
        }
    }
}

/// TLS on the ports of the service; off where no file is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the service's certificate and those between it and its CA.
    pub cert_file: Option<PathBuf>,
    /// PEM file with the certificate's key.
    pub key_file: Option<PathBuf>,
    /// PEM file with the certificates of the CAs whose clients are known.
    pub client_ca_file: Option<PathBuf>,
}

/// When a delivery ends and what is remembered of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Delivery {
    /// Alertmanager is answered within this time, delivered or not. Its flush lives for
    /// `max(group_interval, 10s)`, and the next peer of a cluster starts after 15 s.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub answer_within: Duration,
    /// A delivery is given up when nobody has asked for it for so long.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub give_up_after: Duration,
    /// For so long after it was accepted, the same notification is not posted again.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub duplicate_window: Duration,
    /// When messages would wait longer than this, they go out together.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub digest_after: Duration,
    /// Notifications in memory; past it, new ones are answered 503 at once.
    pub max_waiting: usize,
    /// What they may hold together; past it as well.
    #[schemars(with = "units::Size")]
    pub max_waiting_bytes: ByteSize,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(9),
            give_up_after: Duration::from_secs(15 * 60),
            duplicate_window: Duration::from_secs(3 * 60),
            digest_after: Duration::from_secs(10),
            max_waiting: 10_000,
            max_waiting_bytes: ByteSize::mib(64),
        }
    }
}

/// How Webex is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Webex {
    /// Where the API is, without a slash at the end.
    pub base_url: String,
    /// Generous, because cutting off a slow POST leaves open whether it was accepted.
    #[serde(with = "units::duration")]
    #[schemars(with = "units::Duration")]
    pub request_timeout: Duration,
    /// PEM file of certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxy's address, or `none`; without it, what the environment says.
    pub proxy: Option<String>,
    /// The file that holds `user:password` for the proxy.
    pub proxy_credentials_file: Option<PathBuf>,
    /// Hosts that are reached without the proxy, as in `NO_PROXY`.
    pub no_proxy: Vec<String>,
    /// Whether another machine may be reached without TLS.
    pub allow_http: bool,
}

impl Default for Webex {
    fn default() -> Self {
        Self {
            base_url: "https://webexapis.com/v1".to_owned(),
            request_timeout: Duration::from_secs(30),
            ca_file: None,
            proxy: None,
            proxy_credentials_file: None,
            no_proxy: Vec::new(),
            allow_http: false,
        }
    }
}

/// Where templates come from besides those compiled in, and how they show times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Templates {
    /// A folder of `NAME.md`; they add to the built-in ones or replace them by name.
    pub directory: Option<PathBuf>,
    /// The zone in which messages tell times: a name of the tz database.
    pub timezone: String,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            directory: None,
            timezone: "UTC".to_owned(),
        }
    }
}

/// What becomes of addresses that lead nowhere from a phone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Links {
    /// `[[links.rewrite]]`: the rule whose `from` is the longest that fits counts.
    pub rewrite: Vec<Rewrite>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Rewrite {
    /// What an address begins with, as Alertmanager and Prometheus write it.
    pub from: String,
    /// What it begins with instead.
    pub to: String,
}

/// A Webex identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Bot {
    /// The file that holds its token.
    pub token_file: Option<PathBuf>,
    /// The environment variable that holds its token.
    pub token_env: Option<String>,
    /// Of a service app, instead of a token: its client id.
    pub client_id: Option<String>,
    /// The file that holds its client secret.
    pub client_secret_file: Option<PathBuf>,
    /// The file that holds its refresh token, and gets a new one where Webex gives one.
    pub refresh_token_file: Option<PathBuf>,
    /// A ceiling on what this bot posts.
    pub messages_per_minute: NonZeroU32,
    /// How many messages may go out at once before the ceiling holds them back.
    pub burst: NonZeroU32,
    /// A ceiling for each room on its own; none by default.
    pub room_messages_per_minute: Option<NonZeroU32>,
}

impl Default for Bot {
    fn default() -> Self {
        Self {
            token_file: None,
            token_env: None,
            client_id: None,
            client_secret_file: None,
            refresh_token_file: None,
            messages_per_minute: nonzero(300),
            burst: nonzero(30),
            room_messages_per_minute: None,
        }
    }
}

/// An incoming webhook of Webex: a room that is posted to by an address alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Webhook {
    /// The file that holds its URL.
    pub url_file: Option<PathBuf>,
    /// The environment variable that holds its URL.
    pub url_env: Option<String>,
    /// A ceiling on what is posted there.
    pub messages_per_minute: NonZeroU32,
    /// How many messages may go out at once before the ceiling holds them back.
    pub burst: NonZeroU32,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            url_file: None,
            url_env: None,
            messages_per_minute: nonzero(60),
            burst: nonzero(10),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives as in `RUST_LOG`, which
    /// wins over this.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A sentence with fields behind it.
    Text,
    /// One JSON object a line.
    Json,
}

/// For defaults, which are not zero.
const fn nonzero(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}
