//! The description of the control API against the API itself.

use std::collections::BTreeSet;

use super::super::control::ROUTES;
use super::control::control;
use super::*;

fn description() -> Value {
    serde_json::from_str(include_str!("../../../docs/sandbox-openapi.json")).unwrap()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn documented() -> BTreeSet<(String, String)> {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let rows = paths.iter().flat_map(|(path, item)| {
        METHODS
            .iter()
            .filter(|method| item[**method].is_object())
            .map(|method| (path[1..].to_owned(), method.to_uppercase()))
    });
    rows.collect()
}

#[test]
fn every_route_and_method_is_documented_and_no_other() {
    let built = ROUTES.iter().flat_map(|(path, methods)| {
        methods
            .iter()
            .map(|method| ((*path).to_owned(), (*method).to_owned()))
    });
    assert_eq!(built.collect::<BTreeSet<_>>(), documented());
}

/// A sandbox in which every `{…}` of a path exists, and that path.
async fn concrete(pattern: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::default();
    sandbox.add_webhook("hook", "ops").unwrap();
    let fault = sandbox.set_fault(Fault::new(Effect::EditRefused)).unwrap();
    let message = post(&sandbox, "x").await.id();
    let path = pattern
        .replace("{room}", "ops")
        .replace("webhooks/{name}", "webhooks/hook")
        .replace("{name}", "sandbox")
        .replace("faults/{id}", &format!("faults/{fault}"))
        .replace("{id}", &message);
    (sandbox, path)
}

#[tokio::test(start_paused = true)]
async fn every_documented_call_is_answered_as_it_says_and_its_examples_are_taken() {
    let description = description();
    for (path, method) in documented() {
        if path == "events" {
            continue; // A stream, which has tests of its own.
        }
        let operation = &description["paths"][format!("/{path}")][method.to_lowercase()];
        let examples = &operation["requestBody"]["content"]["application/json"]["examples"];
        let bodies: Vec<String> = match examples.as_object() {
            Some(examples) => examples
                .values()
                .map(|example| example["value"].to_string())
                .collect(),
            None => vec![String::new()],
        };
        for body in bodies {
            let (sandbox, path) = concrete(&path).await;
            let (status, answer) = control(&sandbox, &method, &path, &body);
            let responses = operation["responses"].as_object().unwrap();
            assert!(status.is_success(), "{method} {path} {body}: {answer}");
            assert!(
                responses.contains_key(status.as_str()),
                "{method} {path}: {status} is not documented"
            );
            let schema = &responses[status.as_str()]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                check(&description, schema, &answer, &format!("{method} {path}"));
            }
        }
    }
}

/// Holds a value to the part of JSON Schema that the description uses: names, and presence.
fn check(description: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = description.pointer(&name[1..]).unwrap();
        return check(description, schema, value, place);
    }
    if let Some(Value::Array(choices)) = schema.get("oneOf") {
        if let [only, Value::Object(null)] = choices.as_slice()
            && null["type"] == "null"
            && !value.is_null()
        {
            check(description, only, value, place);
        }
        return;
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for value in values {
            check(description, items, value, &format!("{place}[]"));
        }
    }
    let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    else {
        return;
    };
    for (name, value) in fields {
        let property = properties
            .get(name)
            .unwrap_or_else(|| panic!("{place}: `{name}` is not documented"));
        check(description, property, value, &format!("{place}.{name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(name.as_str().unwrap()),
            "{place}: {name}"
        );
    }
}

#[test]
fn the_description_is_served_and_refers_to_nothing_that_is_not_there() {
    let (status, served) = control(&Sandbox::default(), "GET", "openapi.json", "");
    assert_eq!(status, 200);
    assert_eq!(served["openapi"], "3.1.0");
    let text = served.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let target = reference.split('"').next().unwrap();
        assert!(served.pointer(&target[1..]).is_some(), "{target}");
    }
    let schemas = served["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(
            text.contains(&format!("schemas/{name}\"")),
            "{name} is not used"
        );
    }
}

#[test]
fn a_method_that_is_not_there_is_405_and_names_those_that_are() {
    let request = Request::put("/control/v1/rooms")
        .body(Bytes::new())
        .unwrap();
    let response = super::control::answered(&Sandbox::default(), &request);
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "GET, POST");
}
