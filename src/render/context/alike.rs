//! Maps that are much alike, such as the labels of a group's alerts: the same names in the same
//! order, and many of the same values.
//!
//! Tera takes in each pair of a map by itself, whatever the map is made of, and hashes its name.
//! So what is the same is shared; what is alike is made of a copy, whose names are not made anew;
//! and the rest of the list that it costs least to make.

use std::collections::BTreeMap;

use tera::Value;
use tera::value::Key;

/// Makes one map after the other.
#[derive(Default)]
pub(super) struct Alike {
    last: Option<Value>,
}

impl Alike {
    /// The map of these pairs; no name stands twice.
    pub(super) fn map<'a>(
        &mut self,
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Value {
        let last = self.last.as_ref();
        let last = last.and_then(|last| Some((last, last.as_map()?)));
        let names = pairs.clone().map(|(name, _)| Some(name));
        let made = match last.filter(|(_, map)| names.eq(map.keys().map(Key::as_str))) {
            Some((last, map)) => {
                let texts = pairs.clone().map(|(_, text)| Some(text));
                if texts.eq(map.values().map(Value::as_str)) {
                    return last.clone();
                }
                let mut map = map.clone();
                for (value, (_, text)) in map.values_mut().zip(pairs) {
                    if value.as_str() != Some(text) {
                        *value = text.into();
                    }
                }
                map.into()
            }
            None => in_order(pairs.map(|(name, text)| (Key::String(name.into()), text.into()))),
        };
        self.last.insert(made).clone()
    }
}

/// Makes maps that have the same names in the same order, and other values.
#[derive(Default)]
pub(super) struct Rows {
    last: Option<Value>,
}

impl Rows {
    /// The map of these values under these names, of which there are as many.
    pub(super) fn map<const N: usize>(
        &mut self,
        names: &[&'static str; N],
        values: [Value; N],
    ) -> Value {
        let made = match self.last.as_ref().and_then(Value::as_map) {
            Some(last) => {
                let mut map = last.clone();
                for (value, new) in map.values_mut().zip(values) {
                    *value = new;
                }
                map.into()
            }
            None => in_order(names.iter().map(|name| Key::Str(name)).zip(values)),
        };
        self.last.insert(made).clone()
    }
}

/// The map of these pairs, in this order; no name stands twice.
fn in_order(pairs: impl Iterator<Item = (Key<'static>, Value)>) -> Value {
    let placed = |(place, (name, value))| (Placed { place, name }, value);
    let sorted: BTreeMap<Placed, Value> = pairs.enumerate().map(placed).collect();
    sorted.into()
}

/// A name that is sorted by its place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    place: usize,
    name: Key<'static>,
}

impl From<Placed> for Key<'static> {
    fn from(placed: Placed) -> Self {
        placed.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_shared_and_rows_keep_the_order_of_their_names() {
        let mut alike = Alike::default();
        let mut map = |text| alike.map([("z", text), ("a", "1")].into_iter());
        let at = |value: &Value| std::ptr::from_ref(value.as_map().unwrap());
        let (first, same, other) = (map("x"), map("x"), map("y"));
        assert_eq!(at(&first), at(&same));
        assert_eq!(pairs(&first)[0], ("z".to_owned(), "x".to_owned()));
        assert_eq!(pairs(&other)[0], ("z".to_owned(), "y".to_owned()));
        let mut rows = Rows::default();
        for text in ["x", "y"] {
            let row = rows.map(&["z", "a"], [text.into(), "1".into()]);
            assert_eq!(pairs(&row)[0], ("z".to_owned(), text.to_owned()));
            assert_eq!(pairs(&row)[1], ("a".to_owned(), "1".to_owned()));
        }
    }

    fn pairs(value: &Value) -> Vec<(String, String)> {
        let map = value.as_map().unwrap();
        map.iter()
            .map(|(name, value)| (name.to_string(), value.as_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn each_map_has_its_own_pairs_whatever_the_one_before_had() {
        let mut alike = Alike::default();
        let rows: [&[(&str, &str)]; 7] = [
            &[("a", "1"), ("b", "2")],
            &[("a", "1"), ("b", "3")],
            &[("a", "1")],
            &[("b", "3"), ("a", "1")],
            &[],
            &[],
            &[("a", "1"), ("b", "2")],
        ];
        let made: Vec<Value> = rows
            .iter()
            .map(|row| alike.map(row.iter().copied()))
            .collect();
        for (row, made) in rows.iter().zip(&made) {
            let expected: Vec<_> = row
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(pairs(made), expected);
        }
    }
}
