//! Without the feature `otel` there are no traces, and nothing is done for them.

use std::borrow::Cow;
use std::fmt::Display;

use super::Kind;

/// Nothing. Not `Copy`, so that what handles it reads the same with the feature.
#[derive(Debug, Clone, Default)]
pub struct Trace(());

/// Nothing.
#[derive(Debug, Clone, Copy)]
pub struct Moment;

impl Moment {
    /// Nothing.
    #[inline]
    #[must_use]
    pub fn now() -> Self {
        Self
    }
}

impl Trace {
    /// Nothing.
    #[inline]
    #[must_use]
    pub fn request(_traceparent: Option<&str>, _tracestate: Option<&str>) -> Self {
        Self(())
    }

    /// Nothing.
    #[inline]
    #[must_use]
    pub fn current() -> Self {
        Self(())
    }

    /// Nothing.
    #[inline]
    #[must_use]
    pub fn child(&self, _name: impl Into<Cow<'static, str>>, _kind: Kind) -> Self {
        Self(())
    }

    /// Nothing.
    #[inline]
    pub fn waited(&self, _since: Moment) {}

    /// Nothing.
    #[inline]
    pub fn set(&self, _key: &'static str, _value: impl Display) {}

    /// Nothing.
    #[inline]
    pub fn count(&self, _key: &'static str, _number: usize) {}

    /// Nothing.
    #[inline]
    pub fn failed(&self, _why: impl Display) {}

    /// Nothing.
    #[inline]
    pub fn link(&self, _other: &Self) {}

    /// Nothing.
    #[inline]
    pub fn end(&self) {}

    /// `None`.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Option<String> {
        None
    }

    /// Does it.
    #[inline]
    pub fn in_scope<T>(&self, act: impl FnOnce() -> T) -> T {
        act()
    }
}
