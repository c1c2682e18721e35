//! The arguments of filters and functions, and the words for what is wrong with them.
//!
//! Tera's own words for a wrong argument name Rust's types, and neither the filter nor a
//! remedy. Whoever reads ours sees them in the room, below the message that fell back.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tera::{Error, Kwargs, Map, State, Tera, TeraResult, Value};

use crate::render::Locality;
use crate::render::pattern::Patterns;

/// The longest text that a filter gives back. Filters in a loop can double a text with each
/// turn; a message holds a thirtieth of this.
const RESULT_BYTES: usize = 256 * 1024;

/// The most items of a list or map that a filter gives back.
const RESULT_ITEMS: usize = 10_000;

/// The filter that is meant to pass a value on as it is.
const OPTS_OUT: &str = "safe_html";

/// What filters need besides their arguments.
#[derive(Clone)]
pub(super) struct Kit {
    pub(super) locality: Arc<Locality>,
    pub(super) patterns: Arc<Patterns>,
    /// Whether it is for cards, where what is safe in Markdown is not: a quote would end the
    /// text that it stands in.
    pub(super) is_card: bool,
}

thread_local! {
    /// The present as it was read last: a rendering asks for it again with each alert.
    static READ: RefCell<(String, Timestamp)> = RefCell::default();
}

/// One call of a filter or function.
pub(super) struct Call<'c> {
    name: &'static str,
    kwargs: &'c Kwargs,
    state: &'c State<'c>,
    pub(super) kit: &'c Kit,
}

/// A filter; a function is one that is given nothing to filter.
pub(super) type Body = fn(&Value, &Call<'_>) -> TeraResult<Value>;

/// Puts filters and functions into Tera.
pub(super) struct Registry<'t> {
    pub(super) tera: &'t mut Tera,
    pub(super) kit: Kit,
}

impl Registry<'_> {
    /// A filter and the names of its arguments.
    pub(super) fn filter(
        &mut self,
        name: &'static str,
        arguments: &'static [&'static str],
        body: Body,
    ) {
        let kit = self.kit.clone();
        self.tera.register_filter(
            name,
            move |value: &Value, kwargs: Kwargs, state: &State<'_>| {
                run(name, Some(arguments), body, value, &kwargs, state, &kit)
            },
        );
    }

    /// A function and the names of its arguments; `None` where any may be given.
    pub(super) fn function(
        &mut self,
        name: &'static str,
        arguments: Option<&'static [&'static str]>,
        body: Body,
    ) {
        let kit = self.kit.clone();
        self.tera
            .register_function(name, move |kwargs: Kwargs, state: &State<'_>| {
                run(name, arguments, body, &Value::none(), &kwargs, state, &kit)
            });
    }
}

fn run(
    name: &'static str,
    arguments: Option<&[&str]>,
    body: Body,
    value: &Value,
    kwargs: &Kwargs,
    state: &State<'_>,
    kit: &Kit,
) -> TeraResult<Value> {
    let call = Call {
        name,
        kwargs,
        state,
        kit,
    };
    if let Some(known) = arguments {
        for (given, _) in kwargs.iter() {
            let given = given.as_str().unwrap_or_default();
            if !known.contains(&given) {
                return Err(call.unknown_argument(given, known));
            }
        }
    }
    let result = body(value, &call)?;
    let items = result.as_array().map(<[Value]>::len);
    let items = items.or_else(|| result.as_map().map(Map::len));
    if result
        .as_str()
        .is_some_and(|text| text.len() > RESULT_BYTES)
        || items.is_some_and(|items| items > RESULT_ITEMS)
    {
        return Err(call.too_much());
    }
    if kit.is_card && result.is_safe() && name != OPTS_OUT {
        return Ok(Value::from(result.as_str().unwrap_or_default()));
    }
    Ok(result)
}

impl<'c> Call<'c> {
    /// An error that names this filter.
    pub(super) fn error(&self, what: impl Display) -> Error {
        Error::message(format!("`{}` {what}", self.name))
    }

    pub(super) fn too_much(&self) -> Error {
        self.error("gives more than a message can hold; shorten what it is given")
    }

    fn unknown_argument(&self, given: &str, known: &[&str]) -> Error {
        let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        match known[..] {
            [] => self.error(format!("takes no argument `{given}`; remove it")),
            _ => self.error(format!(
                "takes no argument `{given}`; it takes {}",
                known.join(", ")
            )),
        }
    }

    /// What is filtered, as text. A missing label is told apart: it is the common case.
    pub(super) fn text<'v>(&self, value: &'v Value) -> TeraResult<Cow<'v, str>> {
        if let Some(text) = value.as_str() {
            Ok(Cow::Borrowed(text))
        } else if value.is_number() || value.is_bool() {
            Ok(Cow::Owned(value.to_string()))
        } else if value.is_undefined() || value.is_none() {
            Err(self.error(format!(
                "was given nothing; where a label may be missing, write `(labels.NAME or \"\") | {}`",
                self.name
            )))
        } else {
            Err(self.error(format!("takes text, not a {}", kind(value))))
        }
    }

    pub(super) fn map<'v>(&self, value: &'v Value) -> TeraResult<&'v Map> {
        value.as_map().ok_or_else(|| {
            self.error(format!(
                "takes a map such as `labels`, not {}",
                article(value)
            ))
        })
    }

    pub(super) fn list<'v>(&self, value: &'v Value) -> TeraResult<&'v [Value]> {
        value
            .as_array()
            .ok_or_else(|| self.error(format!("takes a list, not {}", article(value))))
    }

    /// All arguments, in the order in which they were given.
    pub(super) fn arguments(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.kwargs
            .iter()
            .filter_map(|(name, value)| Some((name.as_str()?, value)))
    }

    /// An argument as it was given; a missing label may have been.
    pub(super) fn given(&self, name: &str) -> Option<&'c Value> {
        let mut arguments = self.kwargs.iter();
        arguments.find_map(|(key, value)| (key.as_str() == Some(name)).then_some(value))
    }

    fn argument(&self, name: &str) -> Option<&'c Value> {
        self.given(name)
            .filter(|value| !value.is_none() && !value.is_undefined())
    }

    pub(super) fn must(&self, name: &str, example: &str) -> TeraResult<&'c Value> {
        self.argument(name)
            .ok_or_else(|| self.error(format!("needs `{name}`; write it like `{example}`")))
    }

    /// A text argument that must be there; the example is the whole call.
    pub(super) fn must_text(&self, name: &str, example: &str) -> TeraResult<&'c str> {
        let value = self.must(name, example)?;
        value.as_str().ok_or_else(|| {
            self.error(format!(
                "takes text as `{name}`, not {}; write it like `{example}`",
                article(value)
            ))
        })
    }

    pub(super) fn text_or(&self, name: &str, default: &'c str) -> TeraResult<&'c str> {
        match self.argument(name) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| {
                self.error(format!("takes text as `{name}`, not {}", article(value)))
            }),
        }
    }

    pub(super) fn count_or(&self, name: &str, default: usize) -> TeraResult<usize> {
        match self.argument(name) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .ok_or_else(|| {
                    self.error(format!(
                        "takes a whole number as `{name}`, not {}",
                        article(value)
                    ))
                }),
        }
    }

    /// A list of texts; empty where the argument is left out.
    pub(super) fn texts(&self, name: &str) -> TeraResult<Vec<&'c str>> {
        let Some(value) = self.argument(name) else {
            return Ok(Vec::new());
        };
        let list = value.as_array();
        let texts: Option<&[Value]> = list.filter(|list| list.iter().all(Value::is_string));
        let Some(texts) = texts else {
            return Err(self.error(format!(
                "takes a list of texts as `{name}`, such as `[\"job\"]`"
            )));
        };
        Ok(texts
            .iter()
            .map(|text| text.as_str().unwrap_or_default())
            .collect())
    }

    /// Whether what the template prints is escaped.
    pub(super) fn escapes(&self) -> bool {
        self.state.autoescaping_enabled()
    }

    /// A variable of the template's data.
    pub(super) fn variable(&self, name: &str) -> TeraResult<Value> {
        Ok(self.state.get::<Value>(name)?.unwrap_or_else(Value::none))
    }

    pub(super) fn now(&self) -> TeraResult<Timestamp> {
        let now = self.variable("now")?;
        let text = now.as_str().unwrap_or_default();
        let known = READ.with_borrow(|(read, at)| (read == text).then_some(*at));
        if let Some(at) = known.filter(|_| !text.is_empty()) {
            return Ok(at);
        }
        let at = self.time(&now)?.map(|now| now.timestamp()).ok_or_else(|| {
            self.error("needs the variable `now`; do not set it to something else")
        })?;
        READ.set((text.to_owned(), at));
        Ok(at)
    }

    /// A time, in a zone of its own if it names one, else in the configured one; `None` where
    /// it is not known, as `ends_at` of an alert that fires.
    pub(super) fn time(&self, value: &Value) -> TeraResult<Option<Zoned>> {
        if value.is_none() || value.is_undefined() {
            return Ok(None);
        }
        let text = value.as_str().ok_or_else(|| {
            self.error(format!(
                "takes a time such as `starts_at`, not {}",
                article(value)
            ))
        })?;
        if text.is_empty() {
            return Ok(None);
        }
        let time = if text.ends_with(']') {
            text.parse().ok()
        } else {
            let zone = || self.kit.locality.timezone.clone();
            let at = text.parse::<Timestamp>().ok();
            at.map(|at| at.to_zoned(zone()))
        };
        time.map(Some).ok_or_else(|| {
            self.error(
                "was given text that is no time; use `starts_at`, `ends_at`, `now()` or `to_date`",
            )
        })
    }

    /// The zone of that name.
    pub(super) fn zone(&self, name: &str) -> TeraResult<TimeZone> {
        TimeZone::get(name).map_err(|_| {
            self.error(format!(
                "knows no time zone `{name}`; write a name such as `Europe/Berlin`"
            ))
        })
    }
}

/// What people call a kind of value.
fn kind(value: &Value) -> &'static str {
    if value.is_array() {
        "list"
    } else if value.is_map() {
        "map"
    } else if value.is_string() {
        "text"
    } else if value.is_number() {
        "number"
    } else if value.is_bool() {
        "switch"
    } else {
        "nothing"
    }
}

fn article(value: &Value) -> Cow<'static, str> {
    match kind(value) {
        kind @ ("text" | "nothing") => Cow::Borrowed(kind),
        kind => Cow::Owned(format!("a {kind}")),
    }
}
