//! The facts of docs/facts/webex-api.md §1 to §5 and §9 that carry A, B or C, as a table: what is
//! sent, what is answered, and how certain that is.
//!
//! `{…}` in paths and bodies stands for what [`World`] made before: rooms, messages, people.

mod table;

use std::collections::BTreeMap;

use super::control::control;
use super::*;
use table::{edits_and_lists, errors, identities, limits, posts};

/// One fact.
struct Row {
    /// Section and certainty.
    source: &'static str,
    what: &'static str,
    /// Method and path.
    call: &'static str,
    body: Value,
    status: u16,
    text: Option<&'static str>,
    /// Fields of the answer, by JSON pointer.
    shows: Vec<(&'static str, Value)>,
    header: Option<(&'static str, &'static str)>,
    fault: Option<Value>,
    behaviour: Option<Value>,
    authorization: &'static str,
    /// Content type and body, where it is not JSON.
    form: Option<(&'static str, &'static str)>,
}

fn row(
    source: &'static str,
    what: &'static str,
    call: &'static str,
    body: Value,
    status: u16,
) -> Row {
    Row {
        source,
        what,
        call,
        body,
        status,
        text: None,
        shows: Vec::new(),
        header: None,
        fault: None,
        behaviour: None,
        authorization: "Bearer sandbox",
        form: None,
    }
}

impl Row {
    fn says(mut self, text: &'static str) -> Self {
        self.text = Some(text);
        self
    }

    fn shows(mut self, pointer: &'static str, value: Value) -> Self {
        self.shows.push((pointer, value));
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    fn fault(mut self, effect: &Value) -> Self {
        self.fault = Some(json!({ "effect": effect }));
        self
    }

    fn behaviour(mut self, behaviour: Value) -> Self {
        self.behaviour = Some(behaviour);
        self
    }

    fn authorization(mut self, authorization: &'static str) -> Self {
        self.authorization = authorization;
        self
    }

    fn form(mut self, content_type: &'static str, body: &'static str) -> Self {
        self.form = Some((content_type, body));
        self
    }
}

/// A sandbox with everything that the rows speak of.
struct World {
    sandbox: Sandbox,
    names: BTreeMap<&'static str, String>,
}

impl World {
    async fn new() -> Self {
        let setup = Setup::default().bot("other", "before").room("closed");
        let sandbox = Sandbox::new(setup);
        sandbox.remove_member("closed", "sandbox").unwrap();
        let app = ServiceApp::new("client", "secret", "refresh");
        sandbox.add_service_app("app", app).unwrap();
        let room = ops(&sandbox);
        let mut names = BTreeMap::from([
            ("room", room.clone()),
            ("closed", sandbox.room_id("closed").unwrap()),
            (
                "unknown",
                "Y2lzY29zcGFyazovL3VzL1JPT00vMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAw"
                    .to_owned(),
            ),
        ]);
        let say = async |token: &str, body: Value| {
            let post = request("POST", "/v1/messages", token, &body);
            let answer = try_send(&sandbox, post).await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let id = |message: &Value| message["id"].as_str().unwrap().to_owned();
        for (name, body) in [
            ("message", json!({"roomId": room, "text": "x"})),
            ("edited", json!({"roomId": room, "text": "x"})),
            ("deleted", json!({"roomId": room, "text": "x"})),
            (
                "file",
                json!({"roomId": room, "files": ["https://a.test/x"]}),
            ),
            (
                "card",
                json!({"roomId": room, "text": "x", "attachments": [card()]}),
            ),
        ] {
            names.insert(name, id(&say("sandbox", body).await));
        }
        let foreign = json!({"roomId": room, "text": "x"});
        names.insert("foreign", id(&say("before", foreign).await));
        let mention = json!({"roomId": room, "markdown": "<@personEmail:sandbox@webex.bot>"});
        names.insert("mention", id(&say("before", mention).await));
        let first = say(
            "sandbox",
            json!({"toPersonEmail": "anna@example.org", "text": "x"}),
        )
        .await;
        let direct = first["roomId"].as_str().unwrap().to_owned();
        let reply = json!({"roomId": direct, "text": "x", "parentId": first["id"]});
        names.insert("direct_reply", id(&say("sandbox", reply).await));
        names.insert("person", first["toPersonId"].as_str().unwrap().to_owned());
        names.insert("direct_root", id(&first));
        names.insert("direct", direct);
        for _ in 0..EDIT_LIMIT {
            let path = format!("/v1/messages/{}", names["edited"]);
            let body = json!({"roomId": room, "text": "y"});
            assert_eq!(call(&sandbox, "PUT", &path, &body).await.status, 200);
        }
        let path = format!("/v1/messages/{}", names["deleted"]);
        call(&sandbox, "DELETE", &path, &Value::Null).await;
        sandbox.set_token("other", "after").unwrap();
        Self { sandbox, names }
    }

    fn filled(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    async fn answer(&self, row: &Row) -> Answer {
        if let Some(fault) = &row.fault {
            let (status, _) = control(&self.sandbox, "POST", "faults", &fault.to_string());
            assert_eq!(status, 201, "{fault}");
        }
        if let Some(patch) = &row.behaviour {
            let (status, _) = control(&self.sandbox, "PATCH", "behaviour", &patch.to_string());
            assert_eq!(status, 200, "{patch}");
        }
        let (method, path) = row.call.split_once(' ').unwrap();
        let body: Value = serde_json::from_str(&self.filled(&row.body.to_string())).unwrap();
        let mut request = request(method, &self.filled(path), "sandbox", &body);
        let headers = request.headers_mut();
        headers.insert("authorization", row.authorization.parse().unwrap());
        if let Some((content_type, form)) = row.form {
            headers.insert("content-type", content_type.parse().unwrap());
            *request.body_mut() = self.filled(form).into();
        }
        try_send(&self.sandbox, request).await.unwrap()
    }

    /// What is not as the row says.
    async fn differs(&self, row: &Row) -> Vec<String> {
        let answer = self.answer(row).await;
        let mut wrong = Vec::new();
        if answer.status != row.status {
            wrong.push(format!("status {}, not {}", answer.status, row.status));
        }
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(text) = row.text
            && json["message"] != text
        {
            wrong.push(format!("says {}, not {text}", json["message"]));
        }
        for (pointer, value) in &row.shows {
            let value: Value = serde_json::from_str(&self.filled(&value.to_string())).unwrap();
            let got = json.pointer(pointer).cloned().unwrap_or_default();
            if got != value {
                wrong.push(format!("{pointer} is {got}, not {value}"));
            }
        }
        if let Some((name, value)) = row.header
            && answer.header(name) != Some(value)
        {
            wrong.push(format!("{name} is {:?}, not {value}", answer.header(name)));
        }
        // §4 B, §5 B and C: each error has Webex' shape, and its tracking id stands in a header.
        if answer.status >= 400 && answer.header("content-type") != Some("text/html") {
            let tracking_id = answer.header("trackingid").unwrap_or_default();
            if json["trackingId"] != tracking_id
                || json["errors"][0]["description"] != json["message"]
                || !tracking_id.starts_with("ROUTERGW_")
            {
                wrong.push(format!("is no error of Webex' shape: {json}"));
            }
        }
        wrong
    }
}

#[tokio::test(start_paused = true)]
async fn the_sandbox_answers_as_the_facts_say() {
    let mut table = posts();
    table.extend(edits_and_lists());
    table.extend(limits());
    table.extend(errors());
    table.extend(identities());
    let mut wrong = Vec::new();
    for row in &table {
        for difference in World::new().await.differs(row).await {
            wrong.push(format!("{}, {}: {difference}", row.source, row.what));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
