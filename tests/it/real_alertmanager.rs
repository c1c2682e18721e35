//! The whole way: `amtool alert add`, a real Alertmanager, `serve`, and the message in the
//! room. All of them processes, with the configuration that `examples/` shows.
//!
//! Both Alertmanagers are tried, the current one and the old one of Debian 12: they are told
//! apart by what they send and by when they try again.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{Program, Sandbox, Service, http, shell};

pub(crate) const CURRENT: Release = Release {
    alertmanager: "ALERTMANAGER_BIN",
    amtool: "AMTOOL_BIN",
};
pub(crate) const OLD: Release = Release {
    alertmanager: "ALERTMANAGER_OLD_BIN",
    amtool: "AMTOOL_OLD_BIN",
};
/// What `alertmanager` and `amtool` are told by default, and what the examples say.
const USUAL_ADDRESS: &str = "127.0.0.1:9093";

/// Names the variables of the Makefile that hold where a release is.
#[derive(Clone, Copy)]
pub(crate) struct Release {
    alertmanager: &'static str,
    amtool: &'static str,
}

fn program(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let Some(path) = path.filter(|path| path.is_file()) else {
        panic!("{variable} names no program; run `make test`, which builds it and says where")
    };
    path
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/alertmanager.yml");
    std::fs::read_to_string(path).unwrap()
}

/// A real Alertmanager that notifies a service, by the configuration in `examples/`.
pub(crate) struct Alertmanager {
    release: Release,
    program: Program,
    address: String,
    _folder: TempDir,
}

impl Alertmanager {
    fn start(release: Release, service: &Service) -> Self {
        let config = example().replace("127.0.0.1:9091", &service.address);
        Self::with(release, &config)
    }

    /// By a configuration of the test's own.
    pub(crate) fn with(release: Release, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let program = Program::start(
            Command::new(program(release.alertmanager))
                .env_clear()
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.path={}", folder.path().display()))
                .arg("--web.listen-address=127.0.0.1:0")
                .arg("--cluster.listen-address="),
        );
        // 0.25: `msg=Listening address=…`; since 0.28: `msg="Listening on" address=…`.
        let address = program.line(|line| {
            let (_, rest) = line.split_once("Listening")?;
            let (_, address) = rest.split_once("address=")?;
            Some(address.split_whitespace().next()?.to_owned())
        });
        Self {
            release,
            program,
            address,
            _folder: folder,
        }
    }

    /// Tells Alertmanager of an alert, as Prometheus would.
    pub(crate) fn add(&self, alert: &[&str]) {
        let output = Command::new(program(self.release.amtool))
            .env_clear()
            .arg(format!("--alertmanager.url=http://{}", self.address))
            .args(["alert", "add"])
            .args(alert)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// How many notifications Alertmanager counts as failed for good.
    pub(crate) fn failed(&self) -> u32 {
        let metrics = http("GET", &format!("http://{}/metrics", self.address), "").text;
        let counts = metrics
            .lines()
            .filter(|line| line.starts_with("alertmanager_notifications_failed_total{"))
            .filter(|line| line.contains(r#"integration="webhook""#));
        counts
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap())
            .sum()
    }
}

const DISK_FULL: [&str; 4] = [
    "alertname=DiskFull",
    "severity=critical",
    "instance=db-1",
    r#"--annotation=summary="Disk of db-1 is 97 % full""#,
];

fn an_alert_and_its_end_become_two_messages(release: Release) {
    let sandbox = Sandbox::start();
    let service = Service::start(&sandbox, "ops", &[]);
    let alertmanager = Alertmanager::start(release, &service);

    alertmanager.add(&DISK_FULL);
    let messages = sandbox.await_messages("ops", 1);
    assert!(messages[0].contains("Firing"), "{messages:?}");
    assert!(messages[0].contains("DiskFull"), "{messages:?}");
    assert!(messages[0].contains("97 % full"), "{messages:?}");

    let now = format!("--end={:.0}", jiff::Timestamp::now());
    alertmanager.add(&[&DISK_FULL[..], &[now.as_str()]].concat());
    let messages = sandbox.await_messages("ops", 2);
    assert!(messages[1].contains("Resolved"), "{messages:?}");
    assert!(messages[1].contains("DiskFull"), "{messages:?}");

    assert_eq!(sandbox.posts(), [200, 200], "nothing was posted twice");
    assert!(sandbox.messages("general").is_empty());
    assert_eq!(alertmanager.failed(), 0);
    let printed = alertmanager.program.printed();
    assert!(
        !printed.contains("level=ERROR") && !printed.contains("level=error"),
        "{printed}"
    );
}

#[test]
fn an_alert_of_the_current_alertmanager_and_its_end_become_two_messages() {
    an_alert_and_its_end_become_two_messages(CURRENT);
}

#[test]
fn an_alert_of_the_old_alertmanager_and_its_end_become_two_messages() {
    an_alert_and_its_end_become_two_messages(OLD);
}

/// The message arrives once, however Webex answered before.
fn one_message_in_spite_of(release: Release, fault: &str, answers: &[u64]) {
    let sandbox = Sandbox::start();
    sandbox.set_fault(fault);
    // Shorter than the trouble lasts, so that Alertmanager is told 503 and tries again.
    let variables = [("ALERTMANAGER_WEBEX__DELIVERY__ANSWER_WITHIN", "500ms")];
    let service = Service::start(&sandbox, "ops", &variables);
    let alertmanager = Alertmanager::start(release, &service);
    alertmanager.add(&DISK_FULL);

    sandbox.await_messages("ops", 1);
    // Alertmanager has its 200 when the service has counted one, and tries no more then.
    let metrics = service.url("/metrics");
    crate::programs::until("Alertmanager is told", || {
        let metrics = http("GET", &metrics, "").text;
        let told = |reason: &str| {
            let label = format!(r#"outcome="{reason}""#);
            metrics.lines().any(|line| {
                line.starts_with("alertmanager_webex_notifications_total{receiver=\"default\"")
                    && line.contains(&label)
                    && !line.ends_with(" 0")
            })
        };
        (told("delivered") || told("duplicate")).then_some(())
    });
    assert_eq!(sandbox.messages("ops").len(), 1);
    assert_eq!(sandbox.posts(), answers);
    assert_eq!(alertmanager.failed(), 0);
}

#[test]
fn an_outage_of_webex_costs_no_message_and_doubles_none() {
    let fault = r#"{"effect":{"status":{"code":503}},"method":"POST","times":3}"#;
    one_message_in_spite_of(CURRENT, fault, &[503, 503, 503, 200]);
}

#[test]
fn a_limit_of_webex_is_waited_out_and_the_message_comes_once() {
    let fault = r#"{"effect":{"too_many_requests":{"retry_after":2}},"method":"POST","times":1}"#;
    one_message_in_spite_of(CURRENT, fault, &[429, 200]);
    one_message_in_spite_of(OLD, fault, &[429, 200]);
}

#[test]
fn the_lines_that_dev_prints_can_be_pasted() {
    let dev = Program::dev(&[]);
    let page = dev.word_after("Open ");
    let lines: Vec<String> = dev.printed().lines().map(str::to_owned).collect();
    let printed = |start: &str| {
        let lines = lines.iter().map(|line| line.trim());
        lines
            .filter(|line| line.starts_with(start))
            .collect::<Vec<_>>()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Where the lines say `mktemp`.
    let folder = tempfile::tempdir().unwrap();
    let path = |variable: &str| {
        let folder = program(variable).parent().unwrap().display().to_string();
        format!("{folder}:{}", std::env::var("PATH").unwrap())
    };

    // Two lines of one terminal: what the first sets, the second takes. The shell gives its
    // process to Alertmanager, so that ending it ends that.
    let [configure, alertmanager] = [printed("config=")[0], printed("alertmanager ")[0]];
    let free = alertmanager.replace(USUAL_ADDRESS, "127.0.0.1:0");
    let alertmanager = Program::start(
        shell(&format!("{configure}\nexec {free}"))
            .current_dir(root)
            .env("TMPDIR", folder.path())
            .env("PATH", path("ALERTMANAGER_BIN")),
    );
    let address = alertmanager.line(|line| {
        let (_, rest) = line.split_once("Listening")?;
        let (_, address) = rest.split_once("address=")?;
        Some(address.split_whitespace().next()?.to_owned())
    });

    let [firing, resolved] = printed("amtool ")[..] else {
        panic!("{lines:?}")
    };
    for line in [firing, resolved] {
        let output = shell(&line.replace(USUAL_ADDRESS, &address))
            .env("PATH", path("AMTOOL_BIN"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(complaints, "", "amtool warns of annotations without quotes");
        if line == firing {
            let messages = format!("{page}control/v1/rooms/general/messages");
            let text = crate::programs::until("the message is there", || {
                let messages = http("GET", &messages, "").json();
                Some(messages[0]["markdown"].as_str()?.to_owned())
            });
            assert!(text.contains("97 % full"), "{text}");
        }
    }
}
