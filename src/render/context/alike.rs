//! Maps that are much alike, such as the labels of a group's alerts: the same names in the same
//! order, and many of the same values.
//!
//! To insert into a map, its keys are made and hashed. To copy one takes neither, and its values
//! are shared.

use tera::value::Key;
use tera::{Map, Value};

/// Makes one map after the other.
#[derive(Default)]
pub(super) struct Alike {
    last: Map,
}

impl Alike {
    /// The map of these pairs; no name stands twice.
    pub(super) fn map<'a>(
        &mut self,
        pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Value {
        let names = pairs.clone().map(|(name, _)| Some(name));
        if names.eq(self.last.keys().map(Key::as_str)) {
            for (value, (_, text)) in self.last.values_mut().zip(pairs) {
                if value.as_str() != Some(text) {
                    *value = text.into();
                }
            }
        } else {
            self.last = pairs
                .map(|(name, text)| (Key::String(name.into()), text.into()))
                .collect();
        }
        self.last.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
