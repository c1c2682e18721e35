//! Which lines are left out where one fault says the same thousands of times a second, and how
//! many they were. Pure: time is passed in.
//!
//! Lines are told apart by where in the code they come from, and by whom they are about: a
//! receiver, a bot, an address. What is remembered is bounded, whatever is logged.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Level;
use tracing::callsite::Identifier;

/// For so long lines are counted together.
pub(super) const WINDOW: Duration = Duration::from_secs(10);
/// So many lines at info from one place about one subject in a window. A notification is one,
/// and a bot may post 50 messages in that time by default.
const INFO: u32 = 100;
/// And so many warnings or errors.
const TROUBLE: u32 = 10;
/// From one place about all subjects together, so many times as many.
const SUBJECTS: u32 = 10;
/// Windows that are remembered.
const MOST: usize = 1024;

/// Lines that are counted together. Without a subject it is all lines of that place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    place: Identifier,
    subject: Option<u64>,
}

#[derive(Debug)]
struct Window {
    until: Instant,
    lines: u32,
    left_out: u64,
    /// The first line that was left out, in words.
    example: Option<(Level, String)>,
}

/// What is to be done with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is written.
    Write,
    /// It is left out, and is the first one: [`Sampler::describe`] asks for its words.
    First(Key),
    /// It is left out.
    LeaveOut,
}

/// Lines that were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) level: Level,
    /// How many.
    pub(super) number: u64,
    /// The first of them.
    pub(super) example: String,
}

/// What was logged lately.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    windows: HashMap<Key, Window>,
    /// When the first of the windows ends in which something was left out.
    due: Option<Instant>,
    /// When it is looked again for windows that are over.
    look_again: Option<Instant>,
}

impl Sampler {
    /// Whether a line is written.
    pub(super) fn admit(
        &mut self,
        place: &Identifier,
        subject: Option<u64>,
        level: Level,
        now: Instant,
    ) -> Admission {
        let most = match level {
            Level::ERROR | Level::WARN => TROUBLE,
            Level::INFO => INFO,
            // Who asks for these wants them all.
            _ => return Admission::Write,
        };
        let all = Key {
            place: place.clone(),
            subject: None,
        };
        if subject.is_none() {
            return self.count(all, most, now);
        }
        let one = Key {
            subject,
            ..all.clone()
        };
        if self.windows.len() >= MOST && self.look_again.is_none_or(|then| now >= then) {
            self.windows
                .retain(|_, window| now < window.until || window.left_out > 0);
            // Where nothing is over, looking at each line would cost more than the lines.
            self.look_again = Some(now + Duration::from_secs(1));
        }
        if self.windows.len() < MOST || self.windows.contains_key(&one) {
            let admission = self.count(one, most, now);
            if admission != Admission::Write {
                return admission;
            }
        }
        self.count(all, most * SUBJECTS, now)
    }

    fn count(&mut self, key: Key, most: u32, now: Instant) -> Admission {
        let new = Window {
            until: now + WINDOW,
            lines: 0,
            left_out: 0,
            example: None,
        };
        let window = self.windows.entry(key.clone()).or_insert(new);
        // What was left out in a window that is over stays until it is told.
        if now >= window.until && window.left_out == 0 {
            window.until = now + WINDOW;
            window.lines = 0;
        }
        if window.lines < most {
            window.lines += 1;
            return Admission::Write;
        }
        window.left_out += 1;
        if window.left_out > 1 {
            return Admission::LeaveOut;
        }
        let due = self.due.get_or_insert(window.until);
        *due = (*due).min(window.until);
        Admission::First(key)
    }

    /// The words of the first line that was left out.
    pub(super) fn describe(&mut self, key: &Key, level: Level, words: &str) {
        if let Some(window) = self.windows.get_mut(key) {
            window.example = Some((level, words.to_owned()));
        }
    }

    /// When there is something to tell, if there is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What was left out in windows that are over. They begin anew.
    pub(super) fn tell(&mut self, now: Instant) -> Vec<LeftOut> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        let mut told = Vec::new();
        let mut next: Option<Instant> = None;
        self.windows.retain(|_, window| {
            if window.left_out == 0 {
                return now < window.until;
            }
            if now < window.until {
                next = Some(next.map_or(window.until, |next| next.min(window.until)));
                return true;
            }
            let (level, example) = window
                .example
                .take()
                .unwrap_or((Level::WARN, String::new()));
            told.push(LeftOut {
                level,
                number: window.left_out,
                example,
            });
            false
        });
        self.due = next;
        told
    }

    /// All that was left out and not told, at the end of the process.
    pub(super) fn tell_all(&mut self) -> Vec<LeftOut> {
        self.due.map_or_else(Vec::new, |_| {
            let last = self.windows.values().map(|window| window.until).max();
            last.map_or_else(Vec::new, |last| self.tell(last))
        })
    }

    #[cfg(test)]
    fn windows(&self) -> usize {
        self.windows.len()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Callsite as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A place in the code.
    fn place() -> Identifier {
        use tracing::callsite::DefaultCallsite;
        use tracing::{Metadata, field::FieldSet, metadata::Kind};
        static META: Metadata<'static> = Metadata::new(
            "here",
            "tests",
            Level::WARN,
            None,
            None,
            None,
            FieldSet::new(&[], tracing::callsite::Identifier(&SITE)),
            Kind::EVENT,
        );
        static SITE: DefaultCallsite = DefaultCallsite::new(&META);
        SITE.metadata().callsite()
    }

    fn written(sampler: &mut Sampler, subject: Option<u64>, times: u32, now: Instant) -> u32 {
        let mut written = 0;
        for _ in 0..times {
            match sampler.admit(&place(), subject, Level::WARN, now) {
                Admission::Write => written += 1,
                Admission::First(key) => sampler.describe(&key, Level::WARN, "it failed"),
                Admission::LeaveOut => {}
            }
        }
        written
    }

    #[test]
    fn ten_are_written_and_the_others_counted() {
        let (mut sampler, start) = (Sampler::default(), Instant::now());
        assert_eq!(written(&mut sampler, Some(1), 10_000, start), 10);
        assert_eq!(written(&mut sampler, Some(2), 1, start), 1, "of another");
        assert!(sampler.tell(start + WINDOW - SECOND).is_empty());
        let told = sampler.tell(start + WINDOW);
        let expected = LeftOut {
            level: Level::WARN,
            number: 9_990,
            example: "it failed".to_owned(),
        };
        assert_eq!(told, [expected]);
        assert!(sampler.tell(start + WINDOW * 9).is_empty(), "told once");
        assert_eq!(written(&mut sampler, Some(1), 1, start + WINDOW), 1);
    }

    #[test]
    fn one_line_now_and_then_is_never_left_out() {
        let (mut sampler, start) = (Sampler::default(), Instant::now());
        for number in 0..1000 {
            assert_eq!(
                written(&mut sampler, Some(1), 1, start + SECOND * number),
                1
            );
        }
        assert!(sampler.tell_all().is_empty());
    }

    #[test]
    fn many_subjects_neither_flood_the_log_nor_the_memory() {
        let (mut sampler, start) = (Sampler::default(), Instant::now());
        let lines: u32 = (0..100_000)
            .map(|subject| written(&mut sampler, Some(subject), 1, start))
            .sum();
        assert_eq!(lines, TROUBLE * SUBJECTS);
        assert!(sampler.windows() <= MOST + 1);
        let told = sampler.tell_all();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].number, 100_000 - u64::from(lines));
    }
}
