//! Who may call which receiver.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::CallerError;
use crate::routing::{Receiver, Routes};

/// The bearer tokens of the receivers that want one.
pub(super) struct Callers(HashMap<Arc<str>, SecretString>);

impl Callers {
    /// Reads the tokens.
    ///
    /// # Errors
    /// With every one that cannot be read.
    pub(super) fn read(routes: &Routes) -> Result<Self, Vec<CallerError>> {
        let (mut tokens, mut errors) = (HashMap::new(), Vec::new());
        for receiver in routes.iter() {
            let Some(source) = &receiver.bearer_token else {
                continue;
            };
            let receiver = Arc::clone(&receiver.name);
            match source.read() {
                Ok(token) => drop(tokens.insert(receiver, token)),
                Err(source) => errors.push(CallerError { receiver, source }),
            }
        }
        if errors.is_empty() {
            Ok(Self(tokens))
        } else {
            Err(errors)
        }
    }

    /// Whether this request may reach this receiver.
    pub(super) fn allow(&self, request: &HttpRequest, receiver: &Receiver) -> bool {
        let Some(expected) = self.0.get(&receiver.name) else {
            return true;
        };
        let shown = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim());
        shown
            .as_bytes()
            .ct_eq(expected.expose_secret().as_bytes())
            .into()
    }
}
