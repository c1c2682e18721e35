//! What an answer of Webex means for all that waits.

use std::time::Duration;

use tokio::time::Instant;

use super::super::conversation::Kind;
use super::super::job::{Job, Settled, StateChange, Through};
use super::super::lanes::After;
use super::super::outcome::RefusalCause;
use super::super::retry::pause;
use super::Queue;

impl Queue {
    /// An attempt is over. Returns who is through with a room, and what changed.
    pub(in crate::delivery) fn settle(
        &mut self,
        job: Job,
        settled: Settled,
        now: Instant,
    ) -> (Vec<Through>, Vec<StateChange>) {
        self.window.returns(&settled);
        for (_, item) in &job.items {
            item.delivery.returns();
        }
        let mut changes = Vec::new();
        self.dead.undecided(&job.lane.room);
        let through = match settled {
            Settled::Accepted => {
                self.answered(&mut changes);
                self.pace.accepted();
                self.dead.answered(&job.lane.room);
                self.accepted(job)
            }
            Settled::Limited(wait) => {
                if self.gate.close(now, wait) {
                    changes.push(StateChange::GateClosed);
                    self.pace.refused(now, now + wait);
                }
                self.again(job, None)
            }
            Settled::Again => {
                self.gate.undecided(now);
                self.again(job, None)
            }
            Settled::Retry { at_least, random } => {
                self.gate.undecided(now);
                let group = job.items.first().map(|(group, _)| *group);
                if self.outage.failed(group, now, at_least, random) {
                    changes.push(StateChange::OutageBegan);
                }
                self.retry(job, now, at_least, random)
            }
            Settled::RoomRefused(detail) => {
                self.answered(&mut changes);
                self.room_refused(job, detail, now)
            }
            Settled::MessageRefused(detail) => {
                self.answered(&mut changes);
                self.message_refused(job, &detail)
            }
            Settled::Broken => {
                self.gate.undecided(now);
                for (group, _) in job.items {
                    self.lanes.put_back(&job.lane, &group, After::Done);
                }
                Vec::new()
            }
        };
        (through, changes)
    }

    /// Webex answered something that is neither about the rate nor about itself.
    fn answered(&mut self, changes: &mut Vec<StateChange>) {
        if self.gate.accepted() {
            changes.push(StateChange::GateOpened);
        }
        if self.outage.over() {
            changes.push(StateChange::OutageEnded);
        }
    }

    fn accepted(&mut self, job: Job) -> Vec<Through> {
        let digest = job.is_digest();
        let mut through = Vec::new();
        for (group, mut item) in job.items {
            // What is deleted is no message.
            if !matches!(item.kind(), Some(Kind::Delete(_))) {
                item.delivery.accepted();
            }
            if digest || item.is_last() {
                through.push(Through::accepted(&item.delivery, item.destination()));
                self.lanes.put_back(&job.lane, &group, After::Done);
            } else {
                item.next_part();
                self.lanes.put_back(&job.lane, &group, After::Again(item));
            }
        }
        through
    }

    /// Puts items back into their lane. Nobody is through with a room by that.
    fn again(&mut self, job: Job, until: Option<Instant>) -> Vec<Through> {
        for (group, item) in job.items {
            let after = match until {
                Some(until) => After::Park(item, until),
                None => After::Again(item),
            };
            self.lanes.put_back(&job.lane, &group, after);
        }
        Vec::new()
    }

    fn retry(
        &mut self,
        mut job: Job,
        now: Instant,
        at_least: Duration,
        random: f64,
    ) -> Vec<Through> {
        let mut failures = 0;
        for (_, item) in &mut job.items {
            item.failures += 1;
            failures = failures.max(item.failures);
        }
        // In an outage one probes and the rest wait; a pause of their own would only make
        // them late once it is over.
        let until = (!self.outage.is_on()).then(|| now + pause(failures, random, at_least));
        self.again(job, until)
    }

    /// Answers everything that waits for the room at once: a dead room does not eat the
    /// quota that others share.
    fn room_refused(&mut self, job: Job, detail: String, now: Instant) -> Vec<Through> {
        let lane = job.lane.clone();
        let mut items = Vec::new();
        for (group, item) in job.items {
            self.lanes.put_back(&lane, &group, After::Done);
            items.push(item);
        }
        items.extend(self.lanes.remove(|id, _| id.room == lane.room));
        let through = items
            .iter()
            .map(|item| item.refused(RefusalCause::Room, &detail))
            .collect();
        self.dead.refused(lane.room, detail, now);
        through
    }

    fn message_refused(&mut self, mut job: Job, detail: &str) -> Vec<Through> {
        if job.is_digest() {
            // Whichever of them is to blame, halves find it.
            let half = job.items.len() / 2;
            for (_, item) in &mut job.items {
                item.batch = half;
            }
            return self.again(job, None);
        }
        let mut through = Vec::new();
        for (group, item) in job.items {
            through.push(item.refused(RefusalCause::Message, detail));
            self.lanes.put_back(&job.lane, &group, After::Done);
        }
        through
    }
}
