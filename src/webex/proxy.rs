//! What stands between us and Webex.

use reqwest::{ClientBuilder, NoProxy};
use secrecy::ExposeSecret as _;

use crate::config::{Proxy, ProxyCredentials};
use crate::secrets::SecretError;

/// Why the proxy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Its credentials cannot be read.
    #[error("`webex.proxy_credentials_file`: {0}")]
    Credentials(#[from] SecretError),
    /// Its address is none. The error itself may hold the address, which is not told.
    #[error(
        "`webex.proxy` is no address of a proxy; write it like `http://proxy.example.org:3128`"
    )]
    Address(#[source] reqwest::Error),
}

/// Lets a client go the way that the configuration says.
pub(super) fn between(builder: ClientBuilder, proxy: &Proxy) -> Result<ClientBuilder, ProxyError> {
    let (address, credentials, except) = match proxy {
        Proxy::FromEnvironment(_) => return Ok(builder),
        Proxy::None => return Ok(builder.no_proxy()),
        Proxy::At {
            address,
            credentials,
            except,
        } => (address, credentials, except),
    };
    let mut proxy = reqwest::Proxy::all(address.as_str()).map_err(ProxyError::Address)?;
    if let Some(source) = credentials {
        let credentials = ProxyCredentials::read(source)?;
        proxy = proxy.basic_auth(&credentials.user, credentials.password.expose_secret());
    }
    proxy = proxy.no_proxy(NoProxy::from_string(&except.join(",")));
    // One that is set takes the place of the environment's.
    Ok(builder.proxy(proxy))
}

/// How an error tells of the proxy.
pub(super) fn through(proxy: &Proxy) -> Option<String> {
    proxy
        .is_some()
        .then(|| format!(" through the proxy {proxy}"))
}
