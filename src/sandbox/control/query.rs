//! Query parameters, strictly: an unknown one is an error, as an unknown field is.

use bytes::Bytes;
use http::{Request, StatusCode};

use super::reply::Refused;

/// The parameters of one request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Takes the query apart; only the parameters in `known` may be there, each once.
    pub(super) fn of(request: &Request<Bytes>, known: &[&str]) -> Result<Self, Refused> {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query) {
            if !known.contains(&&*name) {
                let list = match known {
                    [] => "there are none here".to_owned(),
                    known => format!("known here: `{}`", known.join("`, `")),
                };
                return Err(wrong(format!("unknown query parameter `{name}`; {list}")));
            }
            if found.iter().any(|(other, _)| *other == name) {
                return Err(wrong(format!("`{name}` is given more than once")));
            }
            found.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(found))
    }

    /// A value, where the parameter is given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// A whole number within bounds.
    pub(super) fn number_within(
        &self,
        name: &str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, Refused> {
        let what = format!("from {least} to {most}");
        match self.number(name, &what)? {
            Some(number) if !(least..=most).contains(&number) => {
                Err(wrong(format!("`{name}` must be {what}, a whole number")))
            }
            number => Ok(number),
        }
    }

    /// A whole number; `what` says which kind.
    pub(super) fn number(&self, name: &str, what: &str) -> Result<Option<u64>, Refused> {
        let number = |text: &str| {
            text.parse()
                .map_err(|_| wrong(format!("`{name}` must be {what}, a whole number")))
        };
        self.text(name).map(number).transpose()
    }
}

/// 400, and why.
pub(super) fn wrong(message: impl Into<String>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, message)
}
