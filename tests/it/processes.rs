//! The programs as processes: what they print, what they answer, how they end.

use std::time::{Duration, Instant};

use crate::programs::{Program, Sandbox, Service, captured, http, ours, shell, until};

#[test]
fn the_lines_that_sandbox_prints_are_all_that_serve_needs() {
    let sandbox = Sandbox::start();
    let service = Service::start(&sandbox, "ops", &[]);
    let answer = service.notify(&captured("one-firing"));
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (200, "delivered")
    );
    assert_eq!(sandbox.messages("ops").len(), 1);
    assert!(sandbox.messages("general").is_empty());
    let page = http("GET", &sandbox.page, "");
    assert!(
        page.status == 200 && page.text.contains("<html"),
        "{page:?}"
    );
}

#[test]
fn the_curl_line_that_dev_prints_can_be_pasted() {
    let dev = Program::dev(&[]);
    let page = dev.word_after("Open ");
    let line = dev.line(|line| line.trim().starts_with("curl ").then(|| line.to_owned()));
    let answer = pasted(&line);
    assert!(answer.contains(r#""reason":"delivered""#), "{answer}");
    let messages = http(
        "GET",
        &format!("{page}control/v1/rooms/general/messages"),
        "",
    );
    let messages = messages.json();
    assert_eq!(messages.as_array().unwrap().len(), 1);
    let markdown = messages[0]["markdown"].as_str().unwrap();
    assert!(markdown.contains("97 % full"), "{markdown}");

    dev.signal("INT");
    let (status, printed) = dev.end();
    assert_eq!(status.code(), Some(0), "{printed}");
}

/// Runs a `curl` line in a shell, or does what it says where there is no curl.
fn pasted(line: &str) -> String {
    let curl = shell(line).output().unwrap();
    if curl.status.code() == Some(127) {
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http"));
        let (_, body) = line.split_once("-d '").unwrap();
        return http("POST", url.unwrap(), body.trim_end_matches('\'')).text;
    }
    assert!(curl.status.success(), "{curl:?}");
    String::from_utf8(curl.stdout).unwrap()
}

#[test]
fn dev_takes_free_ports_where_the_usual_ones_are_taken() {
    // Whoever has the usual ports, this test or somebody else: they are taken.
    let _service = std::net::TcpListener::bind("127.0.0.1:9091");
    let _sandbox = std::net::TcpListener::bind("127.0.0.1:9095");
    let dev = Program::start(ours().arg("dev"));
    dev.says("Ctrl-C");
    let printed = dev.printed();
    assert!(printed.contains("curl -sS http://127.0.0.1:"), "{printed}");
    assert!(!printed.contains("http://127.0.0.1:9091/"), "{printed}");
    assert!(!printed.contains("http://127.0.0.1:9095/"), "{printed}");
    let line = dev.line(|line| line.contains("sed ").then(|| line.trim().to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let seen = shell(&format!("{line} && cat \"$config\""))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let seen = String::from_utf8(seen.stdout).unwrap();
    let (_, address) = printed.split_once("curl -sS ").unwrap();
    let url = address.split_whitespace().next().unwrap();
    assert!(seen.contains(&format!("- url: {url}\n")), "{url}\n{seen}");
}

#[test]
fn where_webex_cannot_be_reached_the_service_is_ready_and_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let service = Service::run(
        ours()
            .env("WEBEX_TOKEN", "t")
            .env("WEBEX_ROOM", "Y2lzY29zcGFyazovL3VzL1JPT00vMTIz")
            .env(
                "ALERTMANAGER_WEBEX__WEBEX__BASE_URL",
                format!("http://{closed}/v1"),
            )
            .env("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "300ms"),
    );
    let warning = service
        .program
        .line(|line| line.contains("WARN").then(|| line.to_owned()));
    assert!(warning.contains("cannot connect to Webex"), "{warning}");
    assert_eq!(http("GET", &service.url("/-/ready"), "").status, 200);
    let answer = service.notify(&captured("one-firing"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.reason(), "webex_unavailable");
}

#[test]
fn an_idle_service_ends_at_once_and_well() {
    let sandbox = Sandbox::start();
    for signal in ["TERM", "INT"] {
        let service = Service::start(&sandbox, "ops", &[]);
        let start = Instant::now();
        service.program.signal(signal);
        let (status, printed) = service.program.end();
        assert_eq!(status.code(), Some(0), "{signal}: {printed}");
        assert!(start.elapsed() < Duration::from_secs(10), "{signal}");
    }
    sandbox.program.signal("TERM");
    let (status, printed) = sandbox.program.end();
    assert_eq!(status.code(), Some(0), "{printed}");
}

#[test]
fn what_waits_at_a_closed_gate_is_given_back_when_the_service_ends() {
    let sandbox = Sandbox::start();
    sandbox.set_fault(r#"{"effect":{"too_many_requests":{"retry_after":3600}}}"#);
    // Longer than the test would wait: it is not this time that ends the wait.
    let variables = [("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "10m")];
    let service = Service::start(&sandbox, "ops", &variables);
    let url = service.url("/alertmanager");
    let caller = std::thread::spawn(move || http("POST", &url, captured("one-firing")));
    until("Webex has said 429", || {
        (sandbox.posts() == [429]).then_some(())
    });

    service.program.signal("TERM");
    let answer = caller.join().unwrap();
    assert_eq!((answer.status, answer.reason().as_str()), (503, "draining"));
    assert_eq!(answer.connection.as_deref(), Some("close"));
    let (status, printed) = service.program.end();
    assert_eq!(status.code(), Some(0), "{printed}");
    assert!(sandbox.messages("ops").is_empty());
}

/// Returns once a notification waits.
fn one_waits(service: &Service) {
    let is_one = |line: &str| {
        line.starts_with("alertmanager_webex_waiting_notifications{") && line.ends_with(" 1")
    };
    until("the notification waits", || {
        let metrics = http("GET", &service.url("/metrics"), "").text;
        metrics.lines().any(is_one).then_some(())
    });
}

#[test]
fn what_is_under_way_is_finished_when_the_service_ends() {
    let sandbox = Sandbox::start();
    sandbox.set_fault(r#"{"effect":{"latency":{"ms":1500}},"method":"POST"}"#);
    let service = Service::start(&sandbox, "ops", &[]);
    let url = service.url("/alertmanager");
    let caller = std::thread::spawn(move || http("POST", &url, captured("one-firing")));
    one_waits(&service);

    service.program.signal("TERM");
    let answer = caller.join().unwrap();
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (200, "delivered")
    );
    let (status, printed) = service.program.end();
    assert_eq!(status.code(), Some(0), "{printed}");
    assert_eq!(sandbox.messages("ops").len(), 1);
}

#[test]
fn a_second_signal_ends_the_service_at_once() {
    let sandbox = Sandbox::start();
    sandbox.set_fault(r#"{"effect":{"hang":{}},"method":"POST"}"#);
    let service = Service::start(&sandbox, "ops", &[]);
    let url = service.url("/alertmanager");
    std::thread::spawn(move || {
        std::panic::catch_unwind(|| http("POST", &url, captured("one-firing")))
    });
    one_waits(&service);
    service.program.signal("TERM");
    service.program.says("stopping");
    service.program.signal("TERM");
    let (status, printed) = service.program.end();
    assert_eq!(status.code(), Some(1), "{printed}");
}

#[test]
fn the_token_is_in_no_log_no_answer_and_no_command_line() {
    const TOKEN: &str = "s3cr3t-0123456789-0123456789-0123456789_0123_0123456789-0123456789";
    let mut sandbox = Sandbox::start();
    sandbox.set_token(TOKEN);
    TOKEN.clone_into(&mut sandbox.token);
    let variables = [
        ("RUST_LOG", "trace"),
        ("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "3s"),
    ];
    let service = Service::start(&sandbox, "ops", &variables);
    let answers = [
        service.notify(&captured("one-firing")),
        service.notify("not JSON"),
        http("GET", &service.url("/metrics"), ""),
        http("GET", &service.url("/nowhere"), ""),
    ];
    assert_eq!(answers[0].reason(), "delivered", "the token was used");
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", service.program.id()));
    if let Ok(command) = command {
        assert!(!command.contains("s3cr3t"), "{command}");
    }
    sandbox.set_token("another");
    let refused = http(
        "POST",
        &service.url("/alertmanager"),
        captured("group-firing").as_str(),
    );
    assert_eq!(refused.reason(), "token_refused");
    service.program.signal("TERM");
    let (_, printed) = service.program.end();
    assert!(
        printed.contains("TRACE"),
        "the log is at its most talkative"
    );
    for text in answers
        .iter()
        .map(|answer| &answer.text)
        .chain([&refused.text, &printed])
    {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_service_whose_log_nobody_reads_any_more_delivers_on() {
    let sandbox = Sandbox::start();
    let mut child = ours()
        .arg("serve")
        .env("WEBEX_TOKEN", &sandbox.token)
        .env("WEBEX_ROOM", &sandbox.rooms["ops"])
        .env("ALERTMANAGER_WEBEX__WEBEX__BASE_URL", &sandbox.api)
        .env("ALERTMANAGER_WEBEX__SERVER__LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "debug")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let address = {
        use std::io::BufRead as _;
        let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let line = stderr.lines().map(Result::unwrap).find_map(|line| {
            let (_, rest) = line.split_once("ready on ")?;
            Some(rest.split(": ").next()?.to_owned())
        });
        line.unwrap()
    };
    let answer = std::panic::catch_unwind(|| {
        http(
            "POST",
            &format!("http://{address}/alertmanager"),
            captured("one-firing"),
        )
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(answer.unwrap().reason(), "delivered");
}
