//! What is kept back from whoever is not known to be one of the platform's.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::super::{Current, Reloads, Service};
use super::asked::Asked;
use super::view;
use crate::app;
use crate::config::Sources;
use crate::delivery::Answered;
use crate::prepared::prepare;
use crate::webex::{Transport, TransportError};

/// Nobody is there.
struct Nobody;

impl Transport for Nobody {
    fn send(
        &self,
        _request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + '_>>
    {
        Box::pin(ready(Err(TransportError::Timeout)))
    }
}

#[tokio::test]
async fn what_credentials_guard_and_what_is_wrong_is_not_for_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "token-of-the-team-checkout").unwrap();
    let config = folder.path().join("config.toml");
    let toml = format!(
        "[bots.default]\ntoken_env = \"TOKEN\"\n[rooms]\nhidden-room = \"Y2lzY29zcGFyazovL3VzL1JPT00vYQ\"\n\
         shown-room = \"Y2lzY29zcGFyazovL3VzL1JPT00vYg\"\n\
         [receivers.guarded]\nrooms = [\"hidden-room\"]\nbearer_token_file = \"{}\"\n\
         [receivers.open]\nrooms = [\"shown-room\"]\n",
        token.display()
    );
    std::fs::write(&config, toml).unwrap();
    let prepared = prepare(&Sources {
        file: Some(config),
        environment: BTreeMap::from([("TOKEN".to_owned(), "x".to_owned())]),
    });
    let prepared = prepared.unwrap_or_else(|error| panic!("{error}"));
    let (config, renderer) = (prepared.config, prepared.renderer);
    let (engine, metrics) = app::engine(&config, renderer, Arc::new(Nobody)).unwrap();
    let current = || Current::read(engine.loaded(), &config.server).unwrap();
    let (reloads, requests) = Reloads::new(vec!["warning: of the platform".to_owned()]);
    let service = Service::new(
        current(),
        Arc::clone(&engine),
        metrics,
        reloads,
        &config.server,
    );
    requests.status.send_modify(|status| {
        status.errors = vec!["error: of the platform".to_owned()];
    });
    let told = Answered {
        status: 422,
        reason: "room_refused",
        message: "words for the team",
    };
    for receiver in ["guarded", "open"] {
        engine.note_answer(&receiver.into(), &told, false);
    }

    let asked = |query| Asked::read(query).unwrap_or_else(|error| panic!("{error}"));
    let all = view::whole(&service, &current(), &asked(""), true);
    for known in ["hidden-room", "error: of the", "warning: of the"] {
        assert!(all.contains(known), "{known}: {all}");
    }
    assert_eq!(all.matches("words for the team").count(), 4, "{all}");
    let public = view::whole(&service, &current(), &asked(""), false);
    for hidden in ["hidden-room", "error: of the", "warning: of the"] {
        assert!(!public.contains(hidden), "{hidden}: {public}");
    }
    assert_eq!(public.matches("words for the team").count(), 2, "{public}");
    assert_eq!(
        public.matches("\"room_refused\"").count(),
        4,
        "as metrics tell"
    );
    let searched = view::whole(&service, &current(), &asked("filter=hidden"), false);
    assert!(searched.contains("\"receivers\":[]"), "{searched}");
}
