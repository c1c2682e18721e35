//! Bots whose access tokens expire: renewed ahead of their end, and when Webex refuses them.
//! Time is paused, so weeks pass at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use alertmanager_webex::delivery::{Outcome, RefusalCause, Ticket, Trouble};
use alertmanager_webex::sandbox::{
    Effect, Fault, FaultBody, Sandbox, ServiceApp, ServiceAppPatch, Setup,
};
use rstest::rstest;
use tokio::time::{Instant, sleep};

use crate::harness::{Direct, Rig, firing};

/// Ends of lives, in seconds.
const LIFE: u64 = 1_000;
const PATIENT: &str = "[delivery]\ndigest_after = \"1h\"\nanswer_within = \"2h\"\n";

/// A service app in the sandbox, with its secrets in a folder.
struct Team {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

impl Team {
    fn new(app: ServiceApp) -> Self {
        let sandbox = Sandbox::new(Setup::default());
        sandbox.add_service_app("team", app).unwrap();
        sandbox.add_member("general", "team").unwrap();
        let team = Self {
            sandbox,
            folder: tempfile::tempdir().unwrap(),
        };
        team.write("secret", "client-secret");
        team.write("refresh", "first");
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), format!("{text}\n")).unwrap();
    }

    fn refresh_token(&self) -> String {
        let text = std::fs::read_to_string(self.path("refresh")).unwrap();
        text.trim().to_owned()
    }

    /// The keys of the receiver and of its bot.
    fn toml(&self) -> String {
        format!(
            "bot = \"team\"\n[bots.team]\nclient_id = \"client\"\nclient_secret_file = \"{}\"\n\
             refresh_token_file = \"{}\"\nmessages_per_minute = 60000\nburst = 1000\n{PATIENT}",
            self.path("secret").display(),
            self.path("refresh").display(),
        )
    }

    fn rig(&self) -> Rig {
        self.rig_with(&self.toml())
    }

    fn rig_with(&self, toml: &str) -> Rig {
        let transport = Arc::new(Direct(self.sandbox.clone()));
        Rig::over(self.sandbox.clone(), transport, toml)
    }

    fn change(&self, patch: ServiceAppPatch) {
        self.sandbox.change_service_app("team", patch).unwrap();
    }

    fn expire(&self) {
        self.change(ServiceAppPatch {
            expire_tokens: true,
            ..ServiceAppPatch::default()
        });
    }

    /// How many access tokens were given.
    fn renewals(&self) -> u64 {
        let bots = self.sandbox.bots();
        let team = bots.into_iter().find(|bot| bot.name == "team").unwrap();
        team.service_app.unwrap().refreshes
    }

    /// How many times one was asked for.
    fn asked(&self) -> usize {
        let requests = self.sandbox.requests();
        let asked = requests.iter().filter(|one| one.path == "/v1/access_token");
        asked.count()
    }

    fn fail(&self, path: &str, code: u16, times: Option<u32>) {
        self.sandbox
            .set_fault(Fault {
                effect: Effect::Status {
                    code,
                    retry_after: None,
                    body: FaultBody::Json,
                },
                method: Some("POST".to_owned()),
                path: Some(path.to_owned()),
                room: None,
                bot: None,
                times,
                for_ms: None,
            })
            .unwrap();
    }
}

fn app() -> ServiceApp {
    ServiceApp::new("client", "client-secret", "first").expires_in(LIFE)
}

async fn delivered(rig: &Rig, group: &str) {
    let outcome = rig.outcome(&firing(group)).await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
}

fn storm(rig: &Rig, size: usize) -> Vec<Ticket> {
    (0..size)
        .map(|number| rig.submit(&firing(&format!("storm-{number}"))))
        .collect()
}

async fn all_delivered(tickets: Vec<Ticket>) {
    for ticket in tickets {
        let outcome = ticket.outcome().await;
        assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_token_is_fetched_at_start_and_messages_wait_for_it() {
    let team = Team::new(app());
    let rig = team.rig();
    assert!(rig.engine.is_ready(), "also before there is a token");
    delivered(&rig, "Down").await;
    assert_eq!(team.renewals(), 1);
    assert_eq!(rig.messages("general").len(), 1);
    let renewed = "token_renewals_total{bot=\"team\",outcome=\"renewed\"}";
    assert_eq!(rig.count(renewed), 1);
    let valid: f64 = rig
        .metric("bot_token_valid_seconds{bot=\"team\"}")
        .parse()
        .unwrap();
    assert!((900.0..=1000.0).contains(&valid), "{valid}");
    assert!(!rig.metrics.text().contains("valid_seconds{bot=\"default\""));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_of_its_end_so_that_no_message_meets_a_dead_one() {
    let team = Team::new(app());
    let rig = team.rig();
    delivered(&rig, "first").await;
    sleep(Duration::from_secs(740)).await;
    assert_eq!(team.renewals(), 1, "not before three quarters of its life");
    sleep(Duration::from_secs(120)).await;
    assert_eq!(team.renewals(), 2, "well before its end");
    for number in 0..60 {
        sleep(Duration::from_secs(100)).await;
        delivered(&rig, &format!("later-{number}")).await;
    }
    assert!((7..=12).contains(&team.renewals()), "{}", team.renewals());
    assert_eq!(
        rig.count("webex_requests_total{bot=\"team\",code=\"401\"}"),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_messages_that_are_refused_together_renew_once() {
    let team = Team::new(app());
    let rig = team.rig();
    delivered(&rig, "before").await;
    team.expire();
    all_delivered(storm(&rig, 100)).await;
    assert_eq!(team.asked(), 2, "at start, and once for all");
    assert_eq!(rig.messages("general").len(), 101, "each once");
}

#[tokio::test(start_paused = true)]
async fn a_replaced_refresh_token_is_written_back_and_serves_the_next_process() {
    use std::os::unix::fs::PermissionsExt as _;

    let team = Team::new(app().rotating());
    std::fs::set_permissions(team.path("refresh"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let rig = team.rig();
    delivered(&rig, "one").await;
    let second = team.refresh_token();
    assert_ne!(second, "first");
    sleep(Duration::from_secs(LIFE)).await;
    delivered(&rig, "two").await;
    let third = team.refresh_token();
    assert_ne!(third, second);
    let mode = std::fs::metadata(team.path("refresh"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    drop(rig);

    let rig = team.rig();
    delivered(&rig, "three").await;
    assert_eq!(team.asked(), 3, "none was refused");
}

#[tokio::test(start_paused = true)]
async fn where_it_cannot_be_written_it_is_kept_in_memory_and_lost_with_the_process() {
    let team = Team::new(app().rotating());
    // Nothing can be put beside the file, which holds for root as well.
    std::fs::create_dir(team.path(".refresh.new")).unwrap();
    let rig = team.rig();
    for number in 0..5 {
        delivered(&rig, &format!("group-{number}")).await;
        sleep(Duration::from_secs(LIFE)).await;
    }
    assert!(team.renewals() >= 5, "{}", team.renewals());
    assert_eq!(team.refresh_token(), "first");
    assert_eq!(
        rig.count("webex_requests_total{bot=\"team\",code=\"400\"}"),
        0
    );
    drop(rig);

    let rig = team.rig_with(&team.toml().replace("2h", "5s"));
    let outcome = rig.outcome(&firing("after a restart")).await;
    let Outcome::Unfinished(Trouble::TokenRefused { detail }) = &outcome else {
        panic!("{outcome:?}");
    };
    assert!(detail.contains("refresh token"), "{detail}");
}

#[rstest]
#[case::of_the_app("secret")]
#[case::of_its_authorisation("refresh")]
#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_and_mended_by_the_file(#[case] file: &str) {
    let team = Team::new(app());
    let right = std::fs::read_to_string(team.path(file)).unwrap();
    team.write(file, "wr0ng-s3cret");
    let toml = team.toml().replace("2h", "5s");
    let mut rig = team.rig_with(&toml);
    let start = Instant::now();
    let mut passing = 0;
    let last = loop {
        match rig.outcome(&firing("Down")).await {
            Outcome::Unfinished(Trouble::TokenRefused { detail }) => {
                passing += 1;
                assert!(!detail.contains("s3cret"), "{detail}");
            }
            other => break other,
        }
    };
    let Outcome::Refused(refused) = &last else {
        panic!("{last:?}");
    };
    assert_eq!(refused[0].cause, RefusalCause::Token);
    let told = refused[0].to_string();
    assert!(
        told.contains("service app") && !told.contains("s3cret"),
        "{told}"
    );
    assert!(start.elapsed() >= Duration::from_secs(120));
    assert!(passing >= 12, "{passing}");
    sleep(Duration::from_secs(600)).await;
    assert!(
        team.asked() <= 30,
        "asked once in a while: {}",
        team.asked()
    );
    assert!(rig.messages("general").is_empty());
    let refusals = rig.count("token_renewals_total{bot=\"team\",outcome=\"refused\"}");
    assert_eq!(refusals, team.asked() as u64);

    std::fs::write(team.path(file), right).unwrap();
    rig.reload(|sound| sound.to_owned() + &toml);
    delivered(&rig, "Down").await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_somebody_put_into_the_file_counts_at_once() {
    let team = Team::new(app().rotating());
    std::fs::create_dir(team.path(".refresh.new")).unwrap();
    let rig = team.rig();
    delivered(&rig, "one").await;
    team.change(ServiceAppPatch {
        refresh_token: Some("by-hand".to_owned().into()),
        expire_tokens: true,
        ..ServiceAppPatch::default()
    });
    team.write("refresh", "by-hand");
    delivered(&rig, "two").await;
    assert_eq!(team.asked(), 2, "the one in memory is not tried first");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_in_a_storm_costs_no_message_and_none_is_posted_twice() {
    let team = Team::new(app().rotating());
    let rig = team.rig();
    delivered(&rig, "before").await;
    let mut tickets = storm(&rig, 50);
    team.expire();
    team.fail("/v1/access_token", 503, Some(3));
    tickets.extend((0..50).map(|number| rig.submit(&firing(&format!("more-{number}")))));
    all_delivered(tickets).await;
    assert_eq!(rig.messages("general").len(), 101);
    let failed = "token_renewals_total{bot=\"team\",outcome=\"failed\"}";
    assert_eq!(rig.count(failed), 3);
    assert_eq!(team.renewals(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_webex_gives_no_token_alertmanager_is_told_to_come_back() {
    let team = Team::new(app());
    team.fail("/v1/access_token", 502, None);
    let rig = team.rig_with(&team.toml().replace("2h", "5s"));
    for _ in 0..60 {
        let outcome = rig.outcome(&firing("Down")).await;
        let Outcome::Unfinished(Trouble::Unavailable { detail }) = &outcome else {
            panic!("{outcome:?}");
        };
        assert!(detail.contains("no access token yet"), "{detail}");
    }
    assert!(team.asked() <= 40, "with pauses: {}", team.asked());
    team.sandbox.clear_faults();
    sleep(Duration::from_secs(31)).await;
    assert_eq!(rig.messages("general").len(), 1, "what waited is posted");
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_that_is_refused_as_well_is_not_renewed_over_and_over() {
    let team = Team::new(app());
    team.fail("/v1/messages", 401, None);
    let rig = team.rig_with(&team.toml().replace("2h", "5s"));
    let outcome = rig.outcome(&firing("Down")).await;
    assert!(
        matches!(outcome, Outcome::Unfinished(Trouble::TokenRefused { .. })),
        "{outcome:?}"
    );
    for _ in 0..40 {
        rig.outcome(&firing("Down")).await;
        sleep(Duration::from_secs(10)).await;
    }
    assert!(team.asked() <= 25, "{}", team.asked());
    team.sandbox.clear_faults();
    sleep(Duration::from_secs(120)).await;
    delivered(&rig, "Down").await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_the_access_token() {
    let team = Team::new(app());
    let mut rig = team.rig();
    delivered(&rig, "one").await;
    for number in 0..3 {
        rig.reload(|sound| sound.to_owned() + &team.toml());
        delivered(&rig, &format!("reload-{number}")).await;
    }
    assert_eq!(team.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bot_may_become_a_service_app_and_back_by_a_reload() {
    let team = Team::new(app());
    let given = "bot = \"team\"\n[bots.team]\ntoken_env = \"TOKEN\"\n";
    let mut rig = team.rig_with(given);
    delivered(&rig, "by its own token").await;
    assert_eq!(team.asked(), 0);
    rig.reload(|sound| sound.to_owned() + &team.toml());
    delivered(&rig, "by an access token").await;
    assert_eq!(team.asked(), 1);
    rig.reload(|sound| sound.to_owned() + given);
    delivered(&rig, "by its own again").await;
    sleep(Duration::from_secs(2 * LIFE)).await;
    assert_eq!(team.asked(), 1);
}
