//! The way to Webex: the address, the proxy, the certificates.

use std::fmt;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::judge::Judge;
use super::layers::Sources;
use super::settings;
use crate::secrets::{SecretError, SecretSource, has_user, is_this_machine};

/// What `webex.proxy` says where no proxy is wanted, not even that of the environment.
const NO_PROXY: &str = "none";
/// Where programs look for a proxy for https, in this order.
const HTTPS_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// And for http.
const HTTP_VARIABLES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// How Webex is reached.
#[derive(Debug, Clone)]
pub struct Webex {
    /// Where the API is; its path has no slash at the end.
    pub base_url: Url,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// Certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// What stands between.
    pub proxy: Proxy,
}

/// What stands between us and Webex.
#[derive(Debug, Clone)]
pub enum Proxy {
    /// What the environment says; shown here without credentials, for people.
    FromEnvironment(Option<String>),
    /// Nothing.
    None,
    /// This one.
    At {
        /// Its address, without credentials.
        address: Url,
        /// `user:password`.
        credentials: Option<SecretSource>,
        /// Hosts that are reached without it, as in `NO_PROXY`.
        except: Vec<String>,
    },
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromEnvironment(Some(found)) => f.write_str(found),
            Self::FromEnvironment(None) | Self::None => f.write_str("none"),
            Self::At { address, .. } => write!(f, "{} (`webex.proxy`)", bare(address)),
        }
    }
}

impl Proxy {
    /// Whether there is one.
    #[must_use]
    pub fn is_some(&self) -> bool {
        matches!(self, Self::At { .. } | Self::FromEnvironment(Some(_)))
    }
}

/// User and password for a proxy.
pub struct ProxyCredentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl ProxyCredentials {
    /// Reads `user:password`.
    ///
    /// # Errors
    /// When it cannot be read, or lacks the colon.
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        let secrets = source.read_passwords()?;
        let pair = secrets.first().and_then(|line| {
            let (user, password) = line.expose_secret().split_once(':')?;
            Some(Self {
                user: user.to_owned(),
                password: password.into(),
            })
        });
        pair.ok_or_else(|| SecretError::NotAPair(source.to_string()))
    }
}

/// An address as it may be shown: without user, password and path.
fn bare(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port().map(|port| format!(":{port}"));
    format!("{}://{host}{}", address.scheme(), port.unwrap_or_default())
}

impl Judge<'_> {
    pub(super) fn webex(&mut self, webex: settings::Webex, sources: &Sources) -> Option<Webex> {
        if let Some(file) = &webex.ca_file {
            self.file(&["webex", "ca_file"], file);
        }
        let base_url = self.base_url(&webex)?;
        let proxy = self.proxy(&webex, &base_url, sources)?;
        Some(Webex {
            base_url,
            request_timeout: webex.request_timeout,
            ca_file: webex.ca_file,
            proxy,
        })
    }

    fn base_url(&mut self, webex: &settings::Webex) -> Option<Url> {
        let path = ["webex", "base_url"];
        let hint = "write it like `https://webexapis.com/v1`";
        let base_url = match Url::parse(webex.base_url.trim_end_matches('/')) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => {
                self.error(&path, "this is not an http or https address", hint);
                return None;
            }
            Err(_) => {
                self.error(&path, "this is not a URL", hint);
                return None;
            }
        };
        if base_url.query().is_some() || base_url.fragment().is_some() || has_user(&base_url) {
            self.error(&path, "this address holds more than host and path", hint);
            return None;
        }
        if base_url.scheme() == "http" && !is_this_machine(&base_url) && !webex.allow_http {
            self.error(
                &path,
                "this is not https, so anybody on the way could read the bot's token",
                "write `https://…`; or set `allow_http = true` where the way is safe, \
                 as to a sandbox in the same cluster",
            );
            return None;
        }
        Some(base_url)
    }

    fn proxy(
        &mut self,
        webex: &settings::Webex,
        base_url: &Url,
        sources: &Sources,
    ) -> Option<Proxy> {
        let path = ["webex", "proxy"];
        if let Some(file) = &webex.proxy_credentials_file {
            self.file(&["webex", "proxy_credentials_file"], file);
        }
        let address = match webex.proxy.as_deref() {
            None | Some(NO_PROXY) => {
                self.without_proxy(webex);
                return Some(match webex.proxy {
                    Some(_) => Proxy::None,
                    None => Proxy::FromEnvironment(in_environment(base_url, sources)),
                });
            }
            Some(address) => address,
        };
        let hint = "write it like `http://proxy.example.org:3128`, or `none` for no proxy at all";
        let address = match Url::parse(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                self.error(&path, "this is not an http or https address", hint);
                return None;
            }
        };
        if has_user(&address) {
            self.error(
                &path,
                "this address holds credentials, which do not belong into this file",
                "write `user:password` into a file, and name it in `proxy_credentials_file`",
            );
            return None;
        }
        if !matches!(address.path(), "" | "/") || address.query().is_some() {
            self.error(&path, "this address holds more than host and port", hint);
            return None;
        }
        Some(Proxy::At {
            address,
            credentials: webex.proxy_credentials_file.clone().map(SecretSource::File),
            except: webex.no_proxy.clone(),
        })
    }

    /// What only means something beside a proxy.
    fn without_proxy(&mut self, webex: &settings::Webex) {
        let hint = "set `webex.proxy` as well, or remove it";
        if webex.proxy_credentials_file.is_some() {
            let path = ["webex", "proxy_credentials_file"];
            self.error(&path, "there is no `proxy` that these are for", hint);
        }
        if !webex.no_proxy.is_empty() {
            let path = ["webex", "no_proxy"];
            self.error(&path, "there is no `proxy` to do without", hint);
        }
    }
}

/// The proxy that the environment names, for people.
fn in_environment(base_url: &Url, sources: &Sources) -> Option<String> {
    let variables = match base_url.scheme() {
        "https" => HTTPS_VARIABLES,
        _ => HTTP_VARIABLES,
    };
    let value = |name: &str| {
        let value = sources.environment.get(name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    };
    let (name, address) = variables
        .into_iter()
        .find_map(|name| Some((name, value(name)?)))?;
    // Programs take `proxy:3128` as well. What cannot be read is not shown.
    let address = Url::parse(address)
        .ok()
        .filter(Url::has_host)
        .or_else(|| Url::parse(&format!("http://{address}")).ok())
        .map_or_else(
            || "an address that cannot be read".to_owned(),
            |url| bare(&url),
        );
    let unless = ["NO_PROXY", "no_proxy"]
        .into_iter()
        .find(|name| value(name).is_some());
    let unless = unless.map(|name| format!(", unless {name} excepts the host"));
    Some(format!("{address} ({name}{})", unless.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn found(base_url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let environment: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let sources = Sources {
            file: None,
            environment,
        };
        in_environment(&Url::parse(base_url).unwrap(), &sources)
    }

    #[test]
    fn the_proxy_of_the_environment_is_shown_without_its_credentials() {
        let webex = "https://webexapis.com/v1";
        for (variables, shown) in [
            (
                vec![("HTTPS_PROXY", "http://u:s3cret@proxy:3128/s3cret")],
                "http://proxy:3128 (HTTPS_PROXY)",
            ),
            (
                vec![("https_proxy", "u:s3cret@proxy:3128")],
                "http://proxy:3128 (https_proxy)",
            ),
            (
                vec![("ALL_PROXY", "proxy:3128"), ("NO_PROXY", "x")],
                "http://proxy:3128 (ALL_PROXY, unless NO_PROXY excepts the host)",
            ),
        ] {
            assert_eq!(found(webex, &variables).as_deref(), Some(shown));
        }
        assert_eq!(found(webex, &[("HTTP_PROXY", "http://proxy")]), None);
        assert_eq!(found(webex, &[("HTTPS_PROXY", "")]), None);
    }

    #[test]
    fn only_what_stays_on_this_machine_may_do_without_tls() {
        for (address, is) in [
            ("http://localhost:9095/v1", true),
            ("http://127.0.0.2/v1", true),
            ("http://[::1]:9095/v1", true),
            ("http://10.0.0.1/v1", false),
            ("http://localhost.example.org/v1", false),
        ] {
            assert_eq!(
                is_this_machine(&Url::parse(address).unwrap()),
                is,
                "{address}"
            );
        }
    }

    #[test]
    fn credentials_are_two_and_debug_shows_neither() {
        let source = |text: &str| SecretSource::Variable("T".into(), text.to_owned().into());
        let read = ProxyCredentials::read(&source("me:a b:c\n")).unwrap();
        assert_eq!(
            (read.user.as_str(), read.password.expose_secret()),
            ("me", "a b:c")
        );
        let error = ProxyCredentials::read(&source("s3cret"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("user:password") && !error.contains("s3cret"),
            "{error}"
        );
    }
}
