//! The rows, by section.

#![expect(clippy::too_many_lines, reason = "tables read best in one piece")]

use serde_json::{Value, json};

use super::super::card;
use super::{Row, row};

const POST: &str = "POST /v1/messages";
const LONG: &str = "Unable to post message to room: Message length limited to 7439 characters \
    before encryption and 10000 characters after encryption";
const EMPTY: &str = "Both text and file cannot be empty.";
const NO_DESTINATION: &str = "Message destination could not be determined. Provide only one \
    destination in the roomId, toPersonEmail, or toPersonId field";
const NO_ROOM: &str = "Could not find a room with provided ID.";
const NO_RESOURCE: &str = "The requested resource could not be found.";
const BAD_ID: &str = "Expect base64 ID or UUID.";
const TOKEN: &str =
    "The request requires a valid access token set in the Authorization request header.";
const TOO_MANY: &str = "The user has sent too many requests in a given amount of time. Please \
    refer to the Retry-After response header to wait before making a new request.";
const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"roomId\"\r\n\r\n{room}\r\n\
    --B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx\r\n--B--\r\n";
const GRANT: &str =
    "grant_type=refresh_token&client_id=client&client_secret=secret&refresh_token=refresh";
const FORM_TYPE: &str = "application/x-www-form-urlencoded";

pub(super) fn posts() -> Vec<Row> {
    let long = |length: usize| "x".repeat(length);
    vec![
        row("§1 A", "a message is 200, not 201", POST, json!({"roomId": "{room}", "text": "x"}), 200)
            .shows("/roomId", json!("{room}"))
            .shows("/roomType", json!("group"))
            .shows("/personEmail", json!("sandbox@webex.bot")),
        row("§1 B", "html and text are derived from markdown", POST, json!({"roomId": "{room}", "markdown": "**b**"}), 200)
            .shows("/markdown", json!("**b**"))
            .shows("/html", json!("<p><strong>b</strong></p>"))
            .shows("/text", json!("b")),
        row("§1 A", "text of 7,439 bytes", POST, json!({"roomId": "{room}", "text": long(7439)}), 200),
        row("§1 A, C", "text of 7,440 bytes", POST, json!({"roomId": "{room}", "text": long(7440)}), 400).says(LONG),
        row("§1 A", "markdown of 7,439 bytes", POST, json!({"roomId": "{room}", "markdown": long(7439)}), 200),
        row("§1 A, C", "markdown of 7,440 bytes", POST, json!({"roomId": "{room}", "markdown": long(7440)}), 400).says(LONG),
        row("§1 A", "both to the byte", POST, json!({"roomId": "{room}", "text": long(7439), "markdown": long(7439)}), 200),
        row("§1 A, C", "one of both too long", POST, json!({"roomId": "{room}", "text": "x", "markdown": long(7440)}), 400).says(LONG),
        row("§1 inferred", "bytes count, not characters", POST, json!({"roomId": "{room}", "text": "ü".repeat(3720)}), 400).says(LONG),
        row("§1 A", "one file, by its address", POST, json!({"roomId": "{room}", "files": ["https://a.test/1"]}), 200)
            .shows("/files/0", json!("https://a.test/1")),
        row("§1 A", "two files", POST, json!({"roomId": "{room}", "files": ["https://a.test/1", "https://a.test/2"]}), 400),
        row("§1 A", "a file that is no public address", POST, json!({"roomId": "{room}", "files": ["file:///x"]}), 400),
        row("§1 A", "one card", POST, json!({"roomId": "{room}", "text": "x", "attachments": [card()]}), 200)
            .shows("/attachments/0/contentType", json!("application/vnd.microsoft.card.adaptive")),
        row("§1 A", "two cards", POST, json!({"roomId": "{room}", "text": "x", "attachments": [card(), card()]}), 400),
        row("§1 A, C", "fields of a form", POST, Value::Null, 200).form("multipart/form-data; boundary=B", FORM),
        row("§1 C", "no destination", POST, json!({"text": "x"}), 400).says(NO_DESTINATION),
        row("§1 B", "two destinations", POST, json!({"text": "x", "roomId": "{room}", "toPersonEmail": "a@example.org"}), 400)
            .says("Exactly one of the destination fields must not be empty (roomId, toPersonEmail, toPersonId)"),
        row("§1 C", "nothing to post", POST, json!({"roomId": "{room}"}), 400).says(EMPTY),
        row("§1 C", "nothing to post, before the recipient", POST, json!({"toPersonEmail": "no@body"}), 400).says(EMPTY),
        row("§1 A", "to a person by address", POST, json!({"toPersonEmail": "anna@example.org", "text": "x"}), 200)
            .shows("/roomType", json!("direct"))
            .shows("/toPersonEmail", json!("anna@example.org")),
        row("§1 A", "to a person by id", POST, json!({"toPersonId": "{person}", "text": "x"}), 200)
            .shows("/toPersonId", json!("{person}")),
    ]
}

pub(super) fn edits_and_lists() -> Vec<Row> {
    let edit = json!({"roomId": "{room}", "markdown": "y"});
    vec![
        row("§2 A", "an edit", "PUT /v1/messages/{message}", edit.clone(), 200).shows("/text", json!("y")),
        row("§2 A", "an edit without roomId", "PUT /v1/messages/{message}", json!({"markdown": "y"}), 400)
            .says("Required String parameter 'roomId' is not present"),
        row("§2 A", "an edit with html beside markdown", "PUT /v1/messages/{message}", json!({"roomId": "{room}", "markdown": "y", "html": "y"}), 400),
        row("§2 A", "the eleventh edit", "PUT /v1/messages/{edited}", edit.clone(), 400)
            .says("Unable to edit message: the edit limit has been reached"),
        row("§2 A", "an edit of a message with a file", "PUT /v1/messages/{file}", edit.clone(), 400)
            .says("Unable to edit message: this feature is currently unsupported for messages containing files or attachments"),
        row("§2 A", "an edit of a message with a card", "PUT /v1/messages/{card}", edit.clone(), 400),
        row("§2 C", "the same, as samples report it", "PUT /v1/messages/{card}", json!({"roomId": "{room}", "text": "y", "attachments": [card()]}), 200)
            .behaviour(json!({"card_edits": "allow"})),
        row("§2 A", "one's own message", "GET /v1/messages/{message}", Value::Null, 200).shows("/id", json!("{message}")),
        row("§2 A", "a deletion", "DELETE /v1/messages/{message}", Value::Null, 204),
        row("§2 B", "a message that was deleted", "GET /v1/messages/{deleted}", Value::Null, 404).says("Unable to delete message."),
        row("§2 C", "somebody else's message", "GET /v1/messages/{foreign}", Value::Null, 404),
        row("§2 A, §5 B", "a list without roomId", "GET /v1/messages", Value::Null, 400)
            .says("Required String parameter 'roomId' is not present"),
        row("§2 A, C", "a bot's list without mentionedPeople", "GET /v1/messages?roomId={room}", Value::Null, 403),
        row("§2 A", "a bot's list of what mentions it", "GET /v1/messages?roomId={room}&mentionedPeople=me", Value::Null, 200)
            .shows("/items/0/id", json!("{mention}")),
        row("§2 A", "a list of more than 100 with mentionedPeople", "GET /v1/messages?roomId={room}&mentionedPeople=me&max=101", Value::Null, 400),
        row("§2 A", "a list before a message", "GET /v1/messages?roomId={room}&mentionedPeople=me&beforeMessage={mention}", Value::Null, 200)
            .shows("/items", json!([])),
        row("§3 A", "a reply", POST, json!({"roomId": "{room}", "text": "x", "parentId": "{message}"}), 200)
            .shows("/parentId", json!("{message}")),
        row("§3 A", "replies are listed", "GET /v1/messages?roomId={direct}&parentId={direct_root}", Value::Null, 200)
            .shows("/items/0/id", json!("{direct_reply}")),
    ]
}

pub(super) fn limits() -> Vec<Row> {
    let me = "GET /v1/people/me";
    let too_many = |value: Value| json!({ "too_many_requests": value });
    let status = |value: Value| json!({ "status": value });
    vec![
        row("§4 A, C", "429 with seconds", me, Value::Null, 429)
            .fault(&too_many(json!({"retry_after": 60})))
            .header("retry-after", "60")
            .says(TOO_MANY),
        row("§4 A", "429 with an hour and a page", me, Value::Null, 429)
            .fault(&too_many(json!({"retry_after": 3600, "body": "html"})))
            .header("content-type", "text/html"),
        row(
            "§4 C",
            "429 with a header that is no number",
            me,
            Value::Null,
            429,
        )
        .fault(&too_many(json!({"retry_after": "rand(30),add(30)"})))
        .header("retry-after", "rand(30),add(30)"),
        row("§4 A", "423 with Retry-After", me, Value::Null, 423)
            .fault(&status(json!({"code": 423, "retry_after": 5})))
            .header("retry-after", "5"),
        row("§4 A", "502", me, Value::Null, 502).fault(&status(json!({"code": 502}))),
        row("§4 A", "503", me, Value::Null, 503).fault(&status(json!({"code": 503}))),
        row("§4 B", "503 with Retry-After", me, Value::Null, 503)
            .fault(&status(json!({"code": 503, "retry_after": 7})))
            .header("retry-after", "7"),
        row("§4 A", "504", me, Value::Null, 504).fault(&status(json!({"code": 504}))),
    ]
}

pub(super) fn errors() -> Vec<Row> {
    let me = "GET /v1/people/me";
    let member = |id: &str| json!({"roomId": "{room}", "personEmail": id});
    vec![
        row("§5 C", "no token", me, Value::Null, 401)
            .authorization("")
            .says(TOKEN),
        row("§5 C", "an unknown token", me, Value::Null, 401)
            .authorization("Bearer wrong")
            .says(TOKEN),
        row(
            "§5 B, C",
            "an unknown room",
            POST,
            json!({"roomId": "{unknown}", "text": "x"}),
            404,
        )
        .says(NO_ROOM),
        row(
            "§5 C",
            "a room without the bot",
            POST,
            json!({"roomId": "{closed}", "text": "x"}),
            404,
        )
        .says(NO_ROOM),
        row(
            "§5 C",
            "a malformed roomId",
            POST,
            json!({"roomId": "nonsense", "text": "x"}),
            404,
        )
        .says(NO_RESOURCE),
        row(
            "§5 C",
            "a path that is not there",
            "GET /v1/nothing",
            Value::Null,
            404,
        )
        .says(NO_RESOURCE),
        row(
            "§5 C",
            "a version that is not there",
            "GET /v2/messages",
            Value::Null,
            404,
        )
        .says(NO_RESOURCE),
        row(
            "§5 B, C",
            "an unknown room's details",
            "GET /v1/rooms/{unknown}",
            Value::Null,
            404,
        )
        .says(NO_ROOM),
        row(
            "§5 C",
            "a malformed room's details",
            "GET /v1/rooms/nonsense",
            Value::Null,
            404,
        )
        .says(NO_RESOURCE),
        row(
            "§5 B, C",
            "a list of an unknown room",
            "GET /v1/messages?roomId={unknown}",
            Value::Null,
            404,
        )
        .says(NO_ROOM),
        row(
            "§2 B",
            "an unknown message, deleted",
            "DELETE /v1/messages/{unknown}",
            Value::Null,
            404,
        )
        .says("Unable to delete message."),
        row(
            "§5 C",
            "an unknown address",
            POST,
            json!({"toPersonEmail": "no@body.test", "text": "x"}),
            404,
        )
        .says("Failed to find user with specified email address."),
        row(
            "§5 B",
            "a malformed id in a list",
            "GET /v1/messages?roomId=nonsense",
            Value::Null,
            400,
        )
        .says(BAD_ID),
        row(
            "§5 B",
            "a malformed id of a person",
            POST,
            json!({"toPersonId": "nonsense", "text": "x"}),
            400,
        )
        .says(BAD_ID),
        row(
            "§5 B",
            "a malformed id of a membership",
            "GET /v1/memberships/nonsense",
            Value::Null,
            400,
        )
        .says(BAD_ID),
        row(
            "§5 B",
            "a content type that is none",
            POST,
            Value::Null,
            415,
        )
        .form("text/plain", "x")
        .says("Content type 'text/plain' not supported"),
        row(
            "§5 B",
            "who is in the room already",
            "POST /v1/memberships",
            member("sandbox@webex.bot"),
            409,
        )
        .says("User is already a participant in the room."),
        row(
            "§5 A",
            "a method that is not there",
            "PATCH /v1/messages",
            json!({}),
            405,
        ),
    ]
}

pub(super) fn identities() -> Vec<Row> {
    vec![
        row(
            "§9 A",
            "the bot itself",
            "GET /v1/people/me",
            Value::Null,
            200,
        )
        .shows("/emails/0", json!("sandbox@webex.bot"))
        .shows("/type", json!("bot")),
        row(
            "§9 A, B",
            "a token that was replaced",
            "GET /v1/people/me",
            Value::Null,
            401,
        )
        .authorization("Bearer before"),
        row(
            "§9 C",
            "a refresh",
            "POST /v1/access_token",
            Value::Null,
            200,
        )
        .form(FORM_TYPE, GRANT)
        .shows("/expires_in", json!(1_209_600))
        .shows("/refresh_token", json!("refresh"))
        .shows("/refresh_token_expires_in", json!(7_776_000)),
        row(
            "§9 B, C",
            "a refresh token that is none",
            "POST /v1/access_token",
            Value::Null,
            400,
        )
        .form(
            FORM_TYPE,
            "grant_type=refresh_token&client_id=client&client_secret=secret&refresh_token=wrong",
        )
        .says("The refresh token provided is expired, revoked, malformed, or invalid."),
        row(
            "§9 A",
            "when a token expires, in milliseconds",
            "GET /v1/authorizations/tokenExpiry",
            Value::Null,
            200,
        )
        .shows("/exp", json!(4_859_740_800_000_u64)),
        row(
            "§9 A",
            "rooms, at most 1000",
            "GET /v1/rooms?max=1000",
            Value::Null,
            200,
        ),
        row(
            "§9 A",
            "more rooms than that",
            "GET /v1/rooms?max=1001",
            Value::Null,
            400,
        ),
        row(
            "§9 A",
            "a page that is empty and has a next one",
            "GET /v1/rooms",
            Value::Null,
            200,
        )
        .behaviour(json!({"rooms_empty_page": true}))
        .shows("/items", json!([]))
        .header(
            "link",
            "<http://sandbox.test/v1/rooms?max=100&cursor=start>; rel=\"next\"",
        ),
        row(
            "§9 A",
            "a new member",
            "POST /v1/memberships",
            json!({"roomId": "{room}", "personEmail": "ben@example.org"}),
            200,
        )
        .shows("/isModerator", json!(false)),
        row(
            "§9 A",
            "a moderator",
            "POST /v1/memberships",
            json!({"roomId": "{room}", "personEmail": "ben@example.org", "isModerator": true}),
            200,
        )
        .shows("/isModerator", json!(true)),
    ]
}
