//! What is asked of the status, behind the `?`.

use url::form_urlencoded;

use super::super::answers::Rejection;
use super::judge::State;

/// Receivers in one answer, unless more are asked for.
const USUAL: usize = 50;
/// And at most.
const MOST: usize = 5000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// One receiver and nothing else.
    pub(super) receiver: Option<String>,
    /// Only receivers of which the name, or a destination's name, holds this; in lower case.
    pub(super) filter: String,
    /// Only receivers that are so.
    pub(super) states: Vec<State>,
    /// So many receivers at most.
    pub(super) limit: usize,
}

impl Asked {
    /// Reads what stands behind the `?`.
    ///
    /// # Errors
    /// When that is not understood.
    pub(super) fn read(query: &str) -> Result<Self, Rejection> {
        let mut asked = Self {
            receiver: None,
            filter: String::new(),
            states: Vec::new(),
            limit: USUAL,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "receiver" => asked.receiver = Some(value.into_owned()),
                "filter" => asked.filter = value.trim().to_lowercase(),
                "state" => {
                    asked.states = State::named(&value).ok_or(Rejection::BadStatusQuery(
                        "`state` is one of `trouble`, `failing`, `rejected`, `waiting`, `ok`, `unused`",
                    ))?;
                }
                "limit" => {
                    let limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=MOST).contains(limit));
                    asked.limit = limit.ok_or(Rejection::BadStatusQuery(
                        "`limit` is a number from 1 to 5000",
                    ))?;
                }
                _ => {
                    return Err(Rejection::BadStatusQuery(
                        "it takes `receiver`, `filter`, `state` and `limit`",
                    ));
                }
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_and_what_is_not_understood_is_said() {
        let asked = Asked::read("filter=%20Team-A&state=trouble&limit=7").unwrap();
        assert_eq!((asked.filter.as_str(), asked.limit), ("team-a", 7));
        assert_eq!(
            asked.states,
            [State::Failing, State::Rejected, State::Waiting]
        );
        let asked = Asked::read("receiver=a%2Fb%2Fc").unwrap();
        assert_eq!(asked.receiver.as_deref(), Some("a/b/c"));
        for (query, said) in [
            ("state=broken", "`state` is one of"),
            ("limit=0", "from 1 to 5000"),
            ("limit=5001", "from 1 to 5000"),
            ("limit=x", "from 1 to 5000"),
            ("token=secret", "it takes `receiver`"),
        ] {
            let error = Asked::read(query).unwrap_err().to_string();
            assert!(error.contains(said), "{query}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
