//! The JSON Schema of the configuration, for editors and for the chart's values.
//!
//! It is made from the types of [`settings`](super::settings), whose comments become its
//! descriptions. It tells shapes; what belongs together across keys is told by `check`.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::settings::Settings;

/// The schema, in JSON Schema's draft 7: Helm and editors read that.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>().to_value();
    without_null(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), "alertmanager-webex".into());
        root.insert(
            "description".to_owned(),
            "The configuration of alertmanager-webex".into(),
        );
    }
    schema
}

/// TOML knows no null: a key that has no value is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".to_owned(), one);
                }
            }
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            if let Some(one) = alternative_to_null(object) {
                object.remove("anyOf");
                object.extend(one);
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// What stands beside null as the only other way.
fn alternative_to_null(object: &Map<String, Value>) -> Option<Map<String, Value>> {
    let ways = object.get("anyOf")?.as_array()?;
    let mut others = ways.iter().filter(|way| way["type"] != "null");
    match (others.next(), others.next()) {
        (Some(Value::Object(one)), None) if ways.len() == 2 => Some(one.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use boon::{Compiler, SchemaIndex, Schemas};
    use rstest::rstest;

    use super::super::example::with_optional_keys;
    use super::*;

    fn compiled() -> (Schemas, SchemaIndex) {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema()).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        (schemas, index)
    }

    fn validate(toml: &str) -> Result<(), String> {
        let (schemas, index) = compiled();
        let value: Value = toml::from_str(toml).unwrap();
        let valid = schemas.validate(&value, index);
        valid.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_example_is_valid_with_every_optional_key() {
        validate(include_str!("../../config.example.toml")).unwrap();
        validate(&with_optional_keys()).unwrap();
    }

    #[rstest]
    #[case("[sever]\nlisten = \"0.0.0.0:9091\"", "sever")]
    #[case("[server]\nport = 9091", "port")]
    #[case("[server]\nlisten = \"localhost\"", "listen")]
    #[case("[server]\nbody_limit = \"large\"", "body_limit")]
    #[case("[delivery]\nanswer_within = \"soon\"", "answer_within")]
    #[case("[delivery]\nanswer_within = 9", "answer_within")]
    #[case("[bots.default]\nburst = 0", "burst")]
    #[case("[bots.default]\ntoken = \"t\"", "token")]
    #[case("[receivers.default]\nrooms = \"ops\"", "rooms")]
    #[case("[receivers.default]\nconversation = \"threads\"", "conversation")]
    #[case("[receivers.default.mention]\npeople = [1]", "people")]
    #[case("[log]\nformat = \"xml\"", "format")]
    fn what_has_another_shape_is_refused_by_its_key(#[case] toml: &str, #[case] key: &str) {
        let error = validate(toml).unwrap_err();
        assert!(error.contains(key), "{error}");
    }

    #[test]
    fn each_key_is_described_and_none_may_be_added() {
        fn look(schema: &Value, path: &str) {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                assert_eq!(schema["additionalProperties"], false, "{path}");
                for (key, property) in properties {
                    let described = property.get("description").is_some();
                    assert!(described, "{path}.{key}");
                }
            }
            if let Some(definitions) = schema.get("definitions").and_then(Value::as_object) {
                for (name, definition) in definitions {
                    look(definition, name);
                }
            }
        }
        look(&schema(), "");
    }
}
