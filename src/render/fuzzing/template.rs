//! Whoever writes a template can break that template, and nothing else.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::can_be_posted;
use crate::alertmanager::Notification;
use crate::render::limits::TIME;
use crate::render::samples::{self, NOW};
use crate::render::{Error, Options, Renderer, Subject};

/// Stands between the files of an input: `team.md`, `other.md` and `team.card.json`.
const BETWEEN: &str = "\n%%%%\n";

const FILES: [&str; 3] = ["team.md", "other.md", "team.card.json"];

/// What it may take to read the files of an input.
const LOADING: Duration = Duration::from_secs(5);

/// What a rendering may take beyond its limit: what stands between two looks at the clock, and
/// the built-in template that stands in.
const MARGIN: Duration = Duration::from_secs(8);

/// Takes the sources of templates. They are refused with a sentence for each, or what they make
/// can be posted; neither takes long.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let sources = FILES.iter().zip(text.split(BETWEEN));
    let sources = sources.map(|(name, source)| ((*name).to_owned(), source.to_owned()));
    let options = Options {
        sources: sources.collect(),
        ..Options::default()
    };
    let begun = spent();
    let templates = match Renderer::new(&options) {
        Ok(templates) => templates,
        Err(Error::Broken(broken)) => {
            assert!(!broken.is_empty());
            for template in broken {
                assert!(!template.message.trim().is_empty());
                assert!(!template.message.contains('\n'), "{template}");
            }
            assert!(since(begun) <= LOADING);
            return;
        }
        Err(error) => panic!("there is no directory: {error}"),
    };
    assert!(since(begun) <= LOADING, "{:?}", since(begun));
    for body in [samples::hostile(), samples::mixed()] {
        let notification = Notification::parse(body.as_bytes()).expect("a sample is one");
        let begun = spent();
        let rendered = templates.render(&Subject {
            notification: &notification,
            receiver: "ops",
            template: "team",
            data: None,
            changed: None,
            conversation: None,
            now: NOW.parse().expect("it is a time"),
        });
        let took = since(begun);
        assert!(took <= TIME + MARGIN, "{took:?}");
        can_be_posted(&rendered);
        if let Some(failed) = rendered.fallback {
            let told = failed.to_string();
            assert!(!told.contains(char::is_control), "{told:?}");
            assert!(told.chars().count() <= 400, "{told}");
        }
    }
}

fn since(begun: Duration) -> Duration {
    spent().saturating_sub(begun)
}

/// What this thread has had of the processor.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}
