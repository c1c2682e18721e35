//! One call of the Webex API: what it meets on its way, and how an answer is written.
//!
//! The order: faults that somebody set (a gateway fails before it looks at a token), then the
//! token, the quota, the route. What a route does is in `messages.rs` and `rooms.rs`.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::bots::Caller;
use super::call::{Body, Call, Route, bearer};
use super::draft::Draft;
use super::faults::{self, Act, Effect, Facts, Fate};
use super::history::{Exchange, GivenAnswer, SentRequest};
use super::model::Outcome;
use super::refusal::Refusal;
use super::reply::Reply;
use super::{Broken, Sandbox, apps, lock, memberships, messages, rooms, webhooks};

impl Sandbox {
    /// One call of the Webex API. The path begins with `/v1/`.
    ///
    /// Latency and hangs wait on tokio's clock.
    ///
    /// # Errors
    ///
    /// [`Broken`] where a fault breaks the connection: there is no answer.
    pub async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        let token = bearer(request.headers()).map(str::to_owned);
        let (call, body) = Call::of(&request);
        let bearer = self.read(|state| match (&body, token.as_deref()) {
            (Ok(Body::Grant(grant)), _) => state.name_of_client(&grant.client_id),
            (_, Some(token)) => state.name_of_bearer(token),
            (_, None) => None,
        });

        let fate = self.fate(&call, body.as_ref().ok(), bearer.as_deref());
        if !fate.wait.is_zero() {
            tokio::time::sleep(fate.wait).await;
        }
        let mut changed = None;
        let process = || {
            let (response, about) = self.process(&call, body, token.as_deref());
            changed = about;
            response
        };
        let refuse = |refusal: Refusal| Some(self.refusal(&refusal));
        let mut hangs = false;
        // Nothing stands for a connection that breaks or hangs.
        let response = match fate.effect {
            // Latencies are added up in `Fate::wait`.
            None | Some(Effect::Latency { .. }) => Some(process()),
            Some(Effect::AcceptThenDrop { code, body }) => {
                let response = process();
                match code {
                    // What was refused was not accepted: the refusal stands.
                    _ if !response.status().is_success() => Some(response),
                    Some(code) => Some(self.failure(faults::status(code), None, body, None)),
                    None => None,
                }
            }
            Some(Effect::Hang { accepted }) => {
                if accepted {
                    process();
                }
                hangs = true;
                None
            }
            Some(Effect::Reset) => None,
            Some(Effect::Status {
                code,
                retry_after,
                body,
            }) => Some(self.failure(faults::status(code), retry_after.as_ref(), body, None)),
            Some(Effect::TooManyRequests { retry_after, body }) => {
                let text = Refusal::Quota(0).answer().1;
                let status = StatusCode::TOO_MANY_REQUESTS;
                Some(self.failure(status, retry_after.as_ref(), body, Some(&text)))
            }
            Some(Effect::CardRefused) => refuse(Refusal::Card(
                "refused by a fault that somebody set".to_owned(),
            )),
            Some(Effect::EditRefused) => refuse(Refusal::EditUnsupported),
            Some(Effect::Quota(_)) => refuse(Refusal::Quota(fate.retry_after)),
            Some(Effect::TokenRevoked) => refuse(Refusal::Token),
            Some(Effect::BotRemoved) => refuse(Refusal::Room),
            Some(Effect::ParentGone { code }) => {
                refuse(Refusal::Parent(faults::status(code.unwrap_or(404))))
            }
        };
        let outcome = match &response {
            Some(response) => Outcome::Answered(response.status().as_u16()),
            None if hangs => Outcome::Hang,
            None => Outcome::Broken,
        };
        lock(&self.inner.requests).note(
            call.method.as_str(),
            &call.path,
            bearer.as_deref(),
            outcome,
        );
        if let Some((number, edits)) = changed {
            let exchange = exchange(&request, response.as_ref(), outcome);
            self.read(|state| state.note_exchange(number, edits, exchange));
        }
        if hangs {
            // It may hang for long: nothing of it is kept.
            drop((request, call, token));
            return std::future::pending().await;
        }
        response.ok_or(Broken)
    }

    /// What the faults that stand do to this call.
    fn fate(&self, call: &Call, body: Option<&Body>, bot: Option<&str>) -> Fate {
        let mut faults = lock(&self.inner.faults);
        if faults.is_empty() {
            return Fate::default();
        }
        let draft = body.and_then(Body::draft);
        let room = self.read(|state| {
            let id = match &call.route {
                Route::Room(id) => Some(id.as_str()),
                Route::Message(id) => state.message(id).map(|message| message.room_id.as_str()),
                Route::Messages | Route::Memberships => body
                    .and_then(Body::room_id)
                    .or_else(|| call.parameter("roomId")),
                Route::Webhook(id) => state
                    .webhook(id)
                    .map(|entry| entry.webhook.room_id.as_str()),
                _ => None,
            };
            id.and_then(|id| state.room(id))
                .map(|room| (room.id.clone(), room.title.clone()))
        });
        let facts = Facts {
            method: &call.method,
            path: &call.path,
            bot,
            room: room
                .as_ref()
                .map(|(id, title)| (id.as_str(), title.as_str())),
            has_card: draft.is_some_and(Draft::has_card),
            act: act(call, draft),
        };
        let fate = faults.meet(&facts, Instant::now());
        drop(faults);
        if fate.is_met {
            // What is left of it is shown.
            self.touch();
        }
        fate
    }

    fn process(
        &self,
        call: &Call,
        body: Result<Body, Refusal>,
        token: Option<&str>,
    ) -> (Response<Bytes>, Option<(u64, u32)>) {
        let result = match (&call.route, call.method.as_str()) {
            // These two have their secret elsewhere.
            (Route::AccessToken, "POST") => body.and_then(|body| match body {
                Body::Grant(grant) => apps::refresh(self, &grant),
                _ => Err(Refusal::Syntax),
            }),
            (Route::Webhook(id), "POST") => {
                body.and_then(|body| webhooks::post(self, id, body.into_draft()))
            }
            (Route::AccessToken | Route::Webhook(_), _) => Err(Refusal::Method("POST")),
            _ => self
                .caller(token)
                .and_then(|caller| self.route(call, body, &caller)),
        };
        match result {
            Ok(reply) => {
                let about = reply.about;
                (self.written(reply), about)
            }
            Err(refusal) => (self.refusal(&refusal), None),
        }
    }

    fn caller(&self, token: Option<&str>) -> Result<Caller, Refusal> {
        let token = token.ok_or(Refusal::Token)?;
        self.read(|state| state.authenticate(token, Instant::now()))
            .ok_or(Refusal::Token)?
            .map_err(Refusal::Quota)
    }

    fn route(
        &self,
        call: &Call,
        body: Result<Body, Refusal>,
        caller: &Caller,
    ) -> Result<Reply, Refusal> {
        match (&call.route, call.method.as_str()) {
            (Route::Messages, "POST") => {
                messages::create(self, caller, &call.origin, body?.into_draft())
            }
            (Route::Messages, "GET") => messages::list(self, caller, call),
            (Route::Message(id), "GET") => messages::get(self, caller, id),
            (Route::Message(id), "PUT") => messages::edit(self, caller, id, body?.into_draft()),
            (Route::Message(id), "DELETE") => messages::delete(self, caller, id),
            (Route::Me, "GET") => Ok(rooms::me(self, caller)),
            (Route::Rooms, "GET") => rooms::list(self, caller, call),
            (Route::Room(id), "GET") => rooms::get(self, caller, id),
            (Route::TokenExpiry, "GET") => Ok(rooms::token_expiry(caller)),
            (Route::Me | Route::Rooms | Route::Room(_) | Route::TokenExpiry, _) => {
                Err(Refusal::Method("GET"))
            }
            (Route::Memberships, "GET") => memberships::list(self, caller, call),
            (Route::Memberships, "POST") => memberships::create(self, caller, &membership(body?)),
            (Route::Messages | Route::Memberships, _) => Err(Refusal::Method("GET, POST")),
            (Route::Membership(id), "GET") => memberships::get(self, caller, id),
            (Route::Membership(id), "PUT") => {
                memberships::update(self, caller, id, &membership(body?))
            }
            (Route::Membership(id), "DELETE") => memberships::delete(self, caller, id),
            (Route::Message(_) | Route::Membership(_), _) => {
                Err(Refusal::Method("DELETE, GET, PUT"))
            }
            (Route::AccessToken | Route::Webhook(_) | Route::Nowhere, _) => Err(Refusal::Resource),
        }
    }
}

fn act(call: &Call, draft: Option<&Draft>) -> Act {
    match &call.route {
        Route::AccessToken => Act::Grant,
        Route::Message(_) if call.method == Method::PUT => Act::Edit,
        Route::Messages if draft.is_some_and(|draft| draft.parent_id.is_some()) => Act::Reply,
        _ => Act::Other,
    }
}

fn membership(body: Body) -> memberships::MembershipDraft {
    match body {
        Body::Membership(draft) => draft,
        _ => memberships::MembershipDraft::default(),
    }
}

/// What is kept of a request that posted or edited a message.
fn exchange(
    request: &Request<Bytes>,
    response: Option<&Response<Bytes>>,
    outcome: Outcome,
) -> Exchange {
    let path = request.uri().path();
    Exchange {
        request: SentRequest::of(
            request.method().as_str(),
            path,
            request.headers(),
            request.body(),
        ),
        outcome,
        answer: response.map(|response| {
            // A success holds the message, which is kept already.
            let body = (!response.status().is_success()).then(|| response.body());
            GivenAnswer::of(response.status(), response.headers(), body)
        }),
    }
}
