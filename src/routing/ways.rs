//! A receiver's destinations, by who posts there.

use std::sync::Arc;

use super::{Conversation, Destination, Receiver, Target};

impl Receiver {
    /// The receiver once for each bot that it posts through, with the destinations of that bot
    /// alone; a webhook is a bot of its own, whose notifications are messages of their own.
    /// Never empty.
    #[must_use]
    pub fn ways(self: &Arc<Self>) -> Vec<Arc<Self>> {
        let Some(first) = self.destinations.first() else {
            return vec![Arc::clone(self)];
        };
        let is_one = self.destinations.iter().all(|one| one.bot == first.bot);
        if self.dry_run || is_one && self.conversation_at(first) == self.conversation {
            return vec![Arc::clone(self)];
        }
        let mut ways: Vec<Self> = Vec::new();
        for destination in &self.destinations {
            let same = |way: &Self| way.destinations[0].bot == destination.bot;
            if let Some(index) = ways.iter().position(same) {
                ways[index].destinations.push(destination.clone());
            } else {
                ways.push(Self {
                    destinations: vec![destination.clone()],
                    conversation: self.conversation_at(destination),
                    ..Self::clone(self)
                });
            }
        }
        ways.into_iter().map(Arc::new).collect()
    }

    /// Webhooks tell no id of what was posted, so that nothing can reply to it or edit it.
    fn conversation_at(&self, destination: &Destination) -> Conversation {
        match destination.target {
            Target::Webhook(_) => Conversation::New,
            Target::Room(_) | Target::Person(_) => self.conversation,
        }
    }
}
