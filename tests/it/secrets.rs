//! No secret leaves the process but to where it belongs: with every line logged that can be,
//! through good and bad days, none stands in what is logged, answered, measured or listed.

use std::fmt::Write as _;
use std::path::Path;

use alertmanager_webex::config::Sources;
use alertmanager_webex::prepared::prepare;
use base64::Engine as _;

use crate::programs::{Answer, Sandbox, Service, captured, http, ours};

/// Every secret holds this, so that one search finds any of them.
const MARK: &str = "S3CR3T";
const TOKEN: &str = "S3CR3T-bot-6fe2a8c0-3b1d-11ef-9f6a-5d0c7e1b2a34-4c8b";
const ROTATED: &str = "S3CR3T-rotated-6fe2a8c0-3b1d-11ef-9f6a-5d0c7e1b2a34-4c8b";
const BEARER: &str = "S3CR3T-bearer-8d2f1b603b1d11ef";
const PASSWORD: &str = "S3CR3T-password-8d2f1b603b1d11ef";
const ADMIN: &str = "S3CR3T-admin-8d2f1b603b1d11ef";
const WEBEX: &str = "https://webexapis.com/v1";
const PROXY: &str = "S3CR3T-proxy-8d2f1b603b1d11ef";

/// Everything that anybody but Webex can see.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn note(&mut self, what: &str, text: &str) {
        writeln!(self.0, "== {what}\n{text}").unwrap();
    }

    fn answer(&mut self, what: &str, answer: &Answer) {
        self.note(what, &format!("{} {}", answer.status, answer.text));
    }

    /// Also as `Authorization: Basic` would show it, nor the ids of webhooks.
    fn holds_no_secret(&self, webhook: &str) {
        let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let basic = encode(format!("prometheus:{PASSWORD}"));
        let proxy = encode(format!("me:{PROXY}"));
        for secret in [MARK, &basic, &proxy, webhook] {
            let line = self.0.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret}: {}", line.unwrap_or_default());
        }
    }
}

/// One request, with an `Authorization`.
fn call(method: &str, url: &str, authorization: &str, body: &str) -> Answer {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let answer = crate::harness::client()
            .request(method.parse().unwrap(), url)
            .header("Content-Type", "application/json")
            .header("Authorization", authorization)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        Answer {
            status: answer.status().as_u16(),
            connection: None,
            text: answer.text().await.unwrap(),
        }
    })
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A configuration with every kind of secret; `webhook` is the id of one.
fn toml(sandbox: &Sandbox, folder: &Path, webhook: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\nadmin_bearer_token_file = \"{}\"\n\
         [delivery]\nanswer_within = \"1s\"\n[webex]\nbase_url = \"{}\"\nproxy = \"http://127.0.0.1:9\"\n\
         proxy_credentials_file = \"{}\"\nno_proxy = [\"127.0.0.1\"]\n[bots.default]\ntoken_file = \"{}\"\n\
         [receivers.default]\nrooms = [\"{}\"]\n\
         [receivers.guarded]\nrooms = [\"{}\"]\nbearer_token_file = \"{}\"\n\
         basic_auth = [{{ username = \"prometheus\", password_file = \"{}\" }}]\n\
         [receivers.hooked]\nwebhooks = [\"alerts\", \"gone\"]\n\
         [webhooks.alerts]\nurl_file = \"{}\"\n[webhooks.gone]\nurl_file = \"{}\"\n",
        write(folder, "admin", ADMIN),
        sandbox.api,
        write(folder, "proxy", &format!("me:{PROXY}")),
        write(folder, "token", TOKEN),
        sandbox.rooms["ops"],
        sandbox.rooms["general"],
        write(folder, "bearer", BEARER),
        write(folder, "password", PASSWORD),
        write(folder, "webhook", &incoming(&sandbox.api, webhook)),
        write(folder, "gone", &incoming(&sandbox.api, MARK)),
    )
}

/// The URL of a webhook.
fn incoming(api: &str, id: &str) -> String {
    format!("{api}/webhooks/incoming/{id}\n")
}

/// Configurations in which a secret stands where it does not belong.
fn slips(sound: &str) -> Vec<String> {
    let bot = |line: &str| {
        let lines = sound.lines().map(|old| {
            if old.starts_with("token_file") {
                line
            } else {
                old
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut slips = vec![
        bot(&format!("token = \"{TOKEN}\"")),
        bot(&format!("token = \"{TOKEN}")),
        bot(&format!("token_file = {TOKEN}")),
        bot(&format!("token_file = \"{TOKEN}\"")),
        bot(&format!("token_env = \"{TOKEN}\"")),
        bot(&format!("token_file = [\"{TOKEN}\"]")),
    ];
    for (old, new) in [
        ("proxy = \"http://", format!("proxy = \"http://me:{PROXY}@")),
        (
            "base_url = \"http://",
            format!("base_url = \"http://me:{TOKEN}@"),
        ),
        (
            "answer_within = \"1s\"",
            format!("answer_within = \"{TOKEN}\""),
        ),
        (
            "no_proxy = [\"127.0.0.1\"]",
            format!("no_proxy = \"{PROXY}\""),
        ),
        (
            "[receivers.default]\n",
            format!("[receivers.default]\nbot = \"{TOKEN}\"\n"),
        ),
        (
            "[receivers.default]\n",
            format!("[receivers.default]\ntemplate = \"{TOKEN}\"\n"),
        ),
        (
            "webhooks = [\"alerts\"",
            format!("webhooks = [\"{}\"", incoming(WEBEX, MARK).trim()),
        ),
        (
            "[webhooks.alerts]\nurl_file = \"",
            format!(
                "[webhooks.alerts]\nurl_file = \"{}",
                incoming(WEBEX, MARK).trim()
            ),
        ),
        (
            "[webhooks.alerts]\nurl_file = \"",
            format!(
                "[webhooks.alerts]\nurl_env = \"{}",
                incoming(WEBEX, MARK).trim()
            ),
        ),
        (
            "[webhooks.alerts]\nurl_file = \"",
            format!(
                "[webhooks.alerts]\nurl = \"{}",
                incoming(WEBEX, MARK).trim()
            ),
        ),
    ] {
        assert!(sound.contains(old), "{old}");
        slips.push(sound.replacen(old, &new, 1));
    }
    slips
}

/// One webhook takes the notification, the other is none that Webex knows.
fn hooked(seen: &mut Seen, url: &str, firing: &str) {
    let answer = call("POST", url, "", firing);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text.contains("partial"), "{answer:?}");
    seen.answer("hooked", &answer);
}

/// A URL that is none of Webex's is told by `check`, and not taken by a reload.
fn url_elsewhere(seen: &mut Seen, folder: &Path, reload: &str) {
    let elsewhere = incoming("https://elsewhere.example.org/v1", MARK);
    write(folder, "gone", &elsewhere);
    let answer = call("POST", reload, &format!("Bearer {ADMIN}"), "");
    assert!(answer.status >= 400, "{answer:?}");
    seen.answer("elsewhere", &answer);
    let config = folder.join("config.toml");
    let check = ours().arg("check").arg("--config").arg(config).output();
    let check = check.unwrap();
    assert!(!check.status.success(), "{check:?}");
    let said = String::from_utf8(check.stderr).unwrap();
    assert!(said.contains("its host is neither Webex's"), "{said}");
    seen.note("check", &said);
}

/// What there is to read for whoever may.
fn metrics_and_status(seen: &mut Seen, service: &Service, admin: &str) {
    for path in ["/metrics", "/", "/api/v1/status?limit=5000"] {
        let answer = call("GET", &service.url(path), admin, "");
        assert_eq!(answer.status, 200, "{path}");
        seen.answer(path, &answer);
    }
    let own = service.url("/api/v1/status?receiver=guarded");
    let answer = call("GET", &own, &format!("Bearer {BEARER}"), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    seen.answer("own status", &answer);
    seen.answer("no status", &call("GET", &own, BEARER, ""));
}

#[test]
fn no_secret_is_logged_answered_measured_or_listed() {
    let sandbox = Sandbox::start();
    sandbox.set_token(TOKEN);
    let folder = tempfile::tempdir().unwrap();
    let webhook = sandbox.add_webhook("alerts", "ops");
    let sound = toml(&sandbox, folder.path(), &webhook);
    let config = write(folder.path(), "config.toml", &sound);
    let mut command = ours();
    command
        .env("RUST_LOG", "trace")
        .env("HTTPS_PROXY", format!("http://me:{PROXY}@127.0.0.1:9"));
    let service = Service::with_config_and(&mut command, Path::new(&config));
    let mut seen = Seen::default();
    let process = format!("/proc/{}/cmdline", service.program.id());
    seen.note("process", &std::fs::read_to_string(process).unwrap());
    let (firing, admin) = (captured("one-firing"), format!("Bearer {ADMIN}"));

    let delivered = service.notify(&firing);
    assert_eq!(delivered.reason(), "delivered");
    seen.answer("delivered", &delivered);
    let guarded = service.url("/alertmanager/guarded");
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    for (shown, status) in [
        (format!("Bearer {BEARER}"), 200),
        (
            format!("Basic {}", encode(format!("prometheus:{PASSWORD}"))),
            200,
        ),
        (format!("Bearer {BEARER}x"), 401),
        (
            format!("Basic {}", encode(format!("prometheus:{PASSWORD}x"))),
            401,
        ),
        (BEARER.to_owned(), 401),
    ] {
        let answer = call("POST", &guarded, &shown, &firing);
        assert_eq!(answer.status, status, "{answer:?}");
        seen.answer("guarded", &answer);
    }
    hooked(&mut seen, &service.url("/alertmanager/hooked"), &firing);
    seen.answer(
        "no payload",
        &call("POST", &service.url("/alertmanager"), &admin, "{"),
    );

    for fault in [
        r#"{"effect":{"too_many_requests":{"retry_after":1}},"times":1}"#,
        r#"{"effect":{"status":{"code":502}},"times":1}"#,
        r#"{"effect":"reset","times":1}"#,
    ] {
        sandbox.set_fault(fault);
        let body = firing.replace(
            "\"groupKey\":\"",
            &format!("\"groupKey\":\"{}", fault.len()),
        );
        seen.answer("fault", &service.notify(&body));
    }
    sandbox.set_token(ROTATED);
    let other = firing.replace("\"groupKey\":\"", "\"groupKey\":\"other");
    let refused = service.notify(&other);
    assert_eq!(refused.status, 503, "{refused:?}");
    seen.answer("token refused", &refused);

    let reload = service.url("/-/reload");
    for slip in slips(&sound) {
        write(folder.path(), "config.toml", &slip);
        let answer = call("POST", &reload, &admin, "");
        assert_eq!(answer.status, 422, "{slip}\n{answer:?}");
        seen.answer("slip", &answer);
        let status = call("GET", &service.url("/api/v1/status"), &admin, "");
        assert!(status.text.contains("\"errors\":[\"error: "), "{status:?}");
        seen.answer("status of a slip", &status);
        let check = ours()
            .args(["check", "--config", &config])
            .output()
            .unwrap();
        assert!(!check.status.success(), "{slip}");
        seen.note("check", &String::from_utf8(check.stderr).unwrap());
    }
    write(folder.path(), "config.toml", &sound);
    url_elsewhere(&mut seen, folder.path(), &reload);
    write(folder.path(), "gone", &incoming(&sandbox.api, MARK));
    write(folder.path(), "token", ROTATED);
    write(folder.path(), "config.toml", &sound);
    seen.answer("reload", &call("POST", &reload, &admin, ""));
    seen.answer("refused", &http("POST", &reload, ""));
    metrics_and_status(&mut seen, &service, &admin);
    let send = ours()
        .args(["send", "--sample", "firing", "--config", &config])
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    seen.note("send", &format!("{send:?}"));
    service.program.signal("TERM");
    let (_, printed) = service.program.end();
    assert!(printed.contains("TRACE"), "it says all that it can");
    seen.note("log", &printed);
    seen.holds_no_secret(&webhook);
}

#[test]
fn no_debug_shows_a_secret() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let sound = toml(&sandbox, folder.path(), MARK);
    let config = write(folder.path(), "config.toml", &sound);
    let sources = Sources {
        file: Some(config.into()),
        environment: [("WEBEX_TOKEN".to_owned(), TOKEN.to_owned())].into(),
    };
    let prepared = prepare(&sources).unwrap_or_else(|error| panic!("{error}"));
    let mut seen = Seen::default();
    seen.note("debug", &format!("{sources:?}\n{prepared:#?}"));
    seen.holds_no_secret(MARK);
}

#[test]
fn no_secret_of_a_service_app_is_logged_answered_or_measured() {
    const SECRET: &str = "S3CR3T-client-8d2f1b603b1d11ef";
    const REFRESH: &str = "S3CR3T-refresh-8d2f1b603b1d11ef";
    let sandbox = Sandbox::start();
    sandbox.control(
        "POST",
        "bots",
        &format!(
            r#"{{"name":"team","service_app":{{"client_id":"C0ffee","client_secret":"{SECRET}","refresh_token":"{REFRESH}"}}}}"#
        ),
    );
    sandbox.control("PUT", "rooms/ops/bots/team", "");
    let folder = tempfile::tempdir().unwrap();
    let toml = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\n\
         [delivery]\nanswer_within = \"5s\"\n[webex]\nbase_url = \"{}\"\n\
         [bots.team]\nclient_id = \"C0ffee\"\nclient_secret_file = \"{}\"\n\
         refresh_token_file = \"{}\"\n[receivers.default]\nrooms = [\"{}\"]\n",
        sandbox.api,
        write(folder.path(), "secret", SECRET),
        write(folder.path(), "refresh", REFRESH),
        sandbox.rooms["ops"],
    );
    let config = write(folder.path(), "config.toml", &toml);
    let mut command = ours();
    command.env("RUST_LOG", "trace");
    let service = Service::with_config_and(&mut command, Path::new(&config));
    let mut seen = Seen::default();
    let firing = captured("one-firing");
    let delivered = service.notify(&firing);
    assert_eq!(delivered.reason(), "delivered", "{delivered:?}");
    seen.answer("delivered", &delivered);

    let refused = r#"{"service_app":{"expire_tokens":true,"refresh_token":"another"}}"#;
    sandbox.control("PATCH", "bots/team", refused);
    let other = firing.replace("\"groupKey\":\"", "\"groupKey\":\"other");
    let refused = service.notify(&other);
    assert_eq!(refused.reason(), "token_refused", "{refused:?}");
    seen.answer("refused", &refused);
    seen.answer("metrics", &http("GET", &service.url("/metrics"), ""));
    let check = ours()
        .args(["check", "--online", "--config", &config])
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    assert!(!check.status.success());
    seen.note("check", &format!("{check:?}"));
    service.program.signal("TERM");
    let (_, printed) = service.program.end();
    assert!(printed.contains("TRACE"), "it says all that it can");
    seen.note("log", &printed);
    seen.holds_no_secret(MARK);
}
