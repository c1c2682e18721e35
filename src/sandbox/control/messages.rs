//! What was posted, for tests: filtered, and awaited.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::super::model::Message;
use super::super::state::{MOST_MESSAGES, State};
use super::super::{Error, Sandbox};
use super::query::{Query, wrong};
use super::reply::{Refused, Reply, json};

/// How long a call may wait, in milliseconds: below what clients and proxies bear.
const LONGEST_WAIT: u64 = 30_000;

/// How often at most it is looked again while messages pour in.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Known query parameters.
const PARAMETERS: &[&str] = &[
    "room", "contains", "bot", "parentId", "since", "edited", "max", "wait", "count",
];

/// Which messages are wanted: all that is given must hold.
struct Wanted {
    room: Option<String>,
    contains: Option<String>,
    bot: Option<String>,
    parent: Option<String>,
    since: Option<Since>,
    edited: Option<bool>,
}

/// Posted or edited after a revision, or at or after a time.
enum Since {
    Revision(u64),
    Time(Timestamp),
}

impl Wanted {
    fn of(query: &Query, room: Option<&str>) -> Result<Self, Refused> {
        let since = |text: &str| {
            let revision = text.parse().map(Since::Revision);
            revision
                .or_else(|_| text.parse().map(Since::Time))
                .map_err(|_: jiff::Error| {
                    wrong("`since` must be a revision or a time such as 2026-01-31T12:00:00Z")
                })
        };
        let edited = match query.text("edited") {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => return Err(wrong("`edited` must be `true` or `false`")),
        };
        let own = |name| query.text(name).map(str::to_owned);
        Ok(Self {
            room: room.map(str::to_owned).or_else(|| own("room")),
            contains: own("contains"),
            bot: own("bot"),
            parent: own("parentId"),
            since: query.text("since").map(since).transpose()?,
            edited,
        })
    }

    fn takes(&self, message: &Message) -> bool {
        let contains = |part: &str| {
            let has = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(part));
            has(&message.text) || has(&message.markdown)
        };
        self.contains.as_deref().is_none_or(contains)
            && self
                .bot
                .as_deref()
                .is_none_or(|bot| message.person.name == bot)
            && self
                .parent
                .as_deref()
                .is_none_or(|parent| message.parent_id.as_deref() == Some(parent))
            && self
                .edited
                .is_none_or(|edited| edited == (message.edits > 0))
            && match self.since {
                None => true,
                Some(Since::Revision(revision)) => message.revision > revision,
                Some(Since::Time(time)) => message.updated.unwrap_or(message.created) >= time,
            }
    }

    /// Oldest first; the newest `max` of those that match.
    fn find(&self, state: &State, max: usize) -> Result<Vec<Arc<Message>>, Error> {
        let room = match &self.room {
            Some(room) => {
                let found = state.find_room(room);
                Some(&found.ok_or_else(|| Error::UnknownRoom(room.clone()))?.id)
            }
            None => None,
        };
        if let Some(bot) = &self.bot
            && !state.has_bot(bot)
            && !state
                .webhooks
                .iter()
                .any(|known| known.webhook.name == *bot)
        {
            return Err(Error::UnknownBot(bot.clone()));
        }
        let all = state.all_messages().rev();
        let mut found: Vec<_> = all
            .filter(|message| room.is_none_or(|room| message.room_id == *room))
            .filter(|message| self.takes(message))
            .take(max)
            .cloned()
            .collect();
        found.reverse();
        Ok(found)
    }
}

/// The messages that match, of one room or of all. With `wait`, the answer comes when there
/// are `count` of them; where there are not in time it is 404, so that `curl -f` fails.
pub(super) async fn list(
    sandbox: &Sandbox,
    request: &Request<Bytes>,
    room: Option<&str>,
) -> Result<Reply, Refused> {
    // In a room's own path there is no other room to name.
    let known = if room.is_some() {
        &PARAMETERS[1..]
    } else {
        PARAMETERS
    };
    let query = Query::of(request, known)?;
    let wanted = Wanted::of(&query, room)?;
    let number = |name, least, most| query.number_within(name, least, most);
    let most = MOST_MESSAGES as u64;
    let max = number("max", 1, most)?.unwrap_or(most);
    let wait = number("wait", 0, LONGEST_WAIT)?;
    let count = number("count", 1, max)?;
    if wait.is_none() && count.is_some() {
        return Err(wrong("`count` says how many to wait for: it needs `wait`"));
    }
    let count = count.unwrap_or(1);
    let find =
        || sandbox.read(|state| wanted.find(state, usize::try_from(max).unwrap_or(MOST_MESSAGES)));
    let Some(wait) = wait else {
        return listed(&find()?);
    };
    let _permit = sandbox
        .inner
        .waiters
        .try_acquire()
        .map_err(|_| Error::TooManyWaiters)?;
    let deadline = Instant::now() + Duration::from_millis(wait);
    let mut revisions = sandbox.revisions();
    loop {
        revisions.mark_unchanged();
        let found = find()?;
        if found.len() as u64 >= count {
            return listed(&found);
        }
        let look_again = Instant::now() + LOOK_EVERY;
        tokio::select! {
            _ = revisions.changed() => sleep_until(look_again.min(deadline)).await,
            () = sleep_until(deadline) => {
                let message = format!(
                    "within {wait} ms, {} of the {count} messages that were waited for were there",
                    found.len()
                );
                return Err(Refused::new(StatusCode::NOT_FOUND, message));
            }
        }
    }
}

fn listed(messages: &[Arc<Message>]) -> Result<Reply, Refused> {
    let messages: Vec<&Message> = messages.iter().map(|message| &**message).collect();
    json(&messages)
}
