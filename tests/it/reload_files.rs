//! Files change under a running process, as Kubernetes and people change them.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::programs::{Program, Sandbox, Service, captured, http, ours, until};

/// A folder as Kubernetes mounts a `ConfigMap` or a Secret: the files are links through
/// `..data`, which is swapped as one.
struct Mount {
    folder: tempfile::TempDir,
    generation: Cell<u32>,
}

impl Mount {
    fn new(files: &[(&str, &str)]) -> Self {
        let mount = Self {
            folder: tempfile::tempdir().unwrap(),
            generation: Cell::new(0),
        };
        mount.publish(files);
        mount
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the kubelet does with a new version.
    fn publish(&self, files: &[(&str, &str)]) {
        let generation = self.generation.replace(self.generation.get() + 1);
        let name = format!("..2026_01_01_{generation}");
        std::fs::create_dir(self.path(&name)).unwrap();
        for (file, text) in files {
            std::fs::write(self.path(&name).join(file), text).unwrap();
        }
        let old = std::fs::read_link(self.path("..data")).ok();
        std::os::unix::fs::symlink(&name, self.path("..data_tmp")).unwrap();
        std::fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
        for (file, _) in files {
            if !self.path(file).is_symlink() {
                let target = Path::new("..data").join(file);
                std::os::unix::fs::symlink(target, self.path(file)).unwrap();
            }
        }
        if let Some(old) = old {
            std::fs::remove_dir_all(self.folder.path().join(old)).unwrap();
        }
    }
}

/// A configuration for the sandbox; `more` is TOML behind it.
fn toml(sandbox: &Sandbox, token: &Path, more: &str) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nshutdown_delay = \"0s\"\n\
         [webex]\nbase_url = \"{}\"\n[bots.default]\ntoken_file = \"{}\"\n\
         [rooms]\nops = \"{}\"\ngeneral = \"{}\"\n[receivers.default]\nrooms = [\"ops\"]\n{more}",
        sandbox.api,
        token.display(),
        sandbox.rooms["ops"],
        sandbox.rooms["general"],
    )
}

/// A sandbox, and a folder with the configuration for it and the token.
struct Files {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let (sandbox, folder) = (Sandbox::start(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("token"), &sandbox.token).unwrap();
        Self { sandbox, folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn toml(&self, more: &str) -> String {
        toml(&self.sandbox, &self.folder.path().join("token"), more)
    }

    fn write(&self, more: &str) {
        std::fs::write(self.config(), self.toml(more)).unwrap();
    }

    /// The service with this at the end of its configuration.
    fn serve(&self, more: &str) -> Service {
        self.write(more);
        Service::with_config(&self.config())
    }
}

fn metric(service: &Service, name: &str) -> String {
    let text = http("GET", &service.url("/metrics"), "").text;
    let beginning = format!("alertmanager_webex_{name} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&beginning));
    value
        .unwrap_or_else(|| panic!("no {name} in\n{text}"))
        .to_owned()
}

/// How often this stands in the log.
fn lines(program: &Program, text: &str) -> usize {
    program
        .printed()
        .lines()
        .filter(|line| line.contains(text))
        .count()
}

#[test]
fn a_swapped_config_map_counts_a_bad_one_is_refused_and_its_correction_counts() {
    let sandbox = Sandbox::start();
    let secret = Mount::new(&[("token", &sandbox.token)]);
    let text = |more: &str| toml(&sandbox, &secret.path("token"), more);
    let mount = Mount::new(&[("config.toml", &text(""))]);
    let service = Service::with_config(&mount.path("config.toml"));
    let team = service.url("/alertmanager/team");
    assert_eq!(
        http("POST", &team, captured("one-firing")).reason(),
        "unknown_receiver"
    );

    let with_team = text("[receivers.team]\nrooms = [\"general\"]\n");
    mount.publish(&[("config.toml", &with_team)]);
    service
        .program
        .says("configuration reloaded: 1 receiver added");
    assert_eq!(
        http("POST", &team, captured("one-firing")).reason(),
        "delivered"
    );
    assert_eq!(
        metric(&service, r#"messages_total{receiver="team",kind="new"}"#),
        "1"
    );
    assert_eq!(metric(&service, "config_last_reload_successful"), "1");

    mount.publish(&[(
        "config.toml",
        &with_team.replace("rooms = [\"general\"]", "rooms = [\"nowhere\"]"),
    )]);
    until("the bad one is refused", || {
        (metric(&service, "config_last_reload_successful") == "0").then_some(())
    });
    let told = service.program.printed();
    assert!(told.contains("no room is named `nowhere`"), "{told}");
    assert!(told.contains("config.toml:"), "{told}");
    assert_eq!(
        http("POST", &team, captured("group-firing")).status,
        200,
        "the old one stays"
    );
    let answer = http("POST", &service.url("/-/reload"), "");
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (422, "config_refused")
    );
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
    let check = ours()
        .args(["check", "--config"])
        .arg(mount.path("config.toml"))
        .output()
        .unwrap();
    let check = String::from_utf8(check.stderr).unwrap();
    assert!(
        check.contains(errors[0].as_str().unwrap()),
        "{errors}\n{check}"
    );

    mount.publish(&[("config.toml", &text(""))]);
    service.program.says("1 receiver removed");
    assert_eq!(metric(&service, "config_last_reload_successful"), "1");
    assert_eq!(
        http("POST", &team, captured("one-firing")).reason(),
        "unknown_receiver"
    );
}

#[test]
fn a_swapped_secret_is_in_use_before_webex_has_to_refuse_the_old_one() {
    let sandbox = Sandbox::start();
    let secret = Mount::new(&[("token", &sandbox.token)]);
    let mount = Mount::new(&[("config.toml", &toml(&sandbox, &secret.path("token"), ""))]);
    let service = Service::with_config(&mount.path("config.toml"));
    sandbox.set_token("rotated");
    secret.publish(&[("token", "rotated\n")]);
    service.program.says("1 secret or certificate read anew");
    assert_eq!(
        service.notify(&captured("one-firing")).reason(),
        "delivered"
    );
    let refused = r#"webex_requests_total{bot="default",code="401"}"#;
    assert_eq!(metric(&service, refused), "0");
}

#[test]
fn a_template_that_is_swapped_is_used_and_a_broken_one_is_not() {
    let files = Files::new();
    let templates = Mount::new(&[("default.md", "first version")]);
    let more = format!(
        "[templates]\ndirectory = \"{}\"\n",
        templates.folder.path().display()
    );
    let service = files.serve(&more);
    templates.publish(&[("default.md", "second version")]);
    service.program.says("1 template changed");
    service.notify(&captured("one-firing"));
    assert_eq!(files.sandbox.messages("ops"), ["second version"]);
    templates.publish(&[("default.md", "{{ broken")]);
    service.program.says("default.md:1");
    service.notify(&captured("group-firing"));
    assert_eq!(files.sandbox.messages("ops")[1], "second version");
}

#[test]
fn sighup_reads_again_and_names_what_needs_a_restart() {
    let files = Files::new();
    let service = files.serve("");
    service.program.signal("HUP");
    service
        .program
        .says("configuration read again: nothing changed");
    let other = files.toml("[delivery]\nanswer_within = \"8s\"\n");
    let other = other.replace("[server]\n", "[server]\nworkers = 1\n");
    std::fs::write(files.config(), other).unwrap();
    service.program.says("changed: delivery.answer_within");
    service.program.says("only after a restart: server.workers");
    let changes = http("POST", &service.url("/-/reload"), "").json()["changes"].clone();
    assert_eq!(
        changes["restart"],
        serde_json::json!(["server.workers"]),
        "still so"
    );
    assert_eq!(changes["keys"], serde_json::json!([]));
}

#[test]
fn another_log_level_counts_without_a_restart_and_a_wrong_one_changes_nothing() {
    let files = Files::new();
    let at = |level: &str| format!("[log]\nlevel = \"{level}\"\n");
    let service = files.serve(&at("info"));
    files.write(&at("alertmanager_webex=debug"));
    service.program.says("changed: log.level");
    service.notify(&captured("one-firing"));
    service.program.says("answered 200 for receiver");
    files.write(&at("loud"));
    service.program.says("is not a log level");
    service.notify(&captured("one-firing"));
    service.program.says("`default`: the same notification");
}

#[test]
fn a_storm_of_changes_is_few_reloads_and_the_last_one_counts() {
    let files = Files::new();
    let service = files.serve("");
    let start = Instant::now();
    let mut more = String::new();
    for number in 0..50 {
        write!(more, "[receivers.team-{number}]\nrooms = [\"ops\"]\n").unwrap();
        files.write(&more);
    }
    let took = start.elapsed().as_millis();
    let last = service.url("/alertmanager/team-49");
    until("the last change counts", || {
        (http("POST", &last, captured("one-firing")).status == 200).then_some(())
    });
    let reloads = lines(&service.program, "configuration reloaded");
    let most = 1 + usize::try_from(took / 250).unwrap();
    assert!((1..=most).contains(&reloads), "{reloads} in {took} ms");
}

#[test]
fn what_is_missing_at_first_is_found_when_it_comes() {
    let files = Files::new();
    let service = files.serve("");
    let later = files.folder.path().join("later");
    let guarded = format!(
        "[receivers.team]\nrooms = [\"ops\"]\nbearer_token_file = \"{}\"\n",
        later.display()
    );
    files.write(&guarded);
    service.program.says("receiver `team` has no credentials");
    std::fs::write(&later, "s3cret").unwrap();
    service.program.says("1 receiver added");
    let answer = http(
        "POST",
        &service.url("/alertmanager/team"),
        captured("one-firing"),
    );
    assert_eq!(answer.reason(), "unauthorized");
}
