//! A text that is too long becomes messages that Webex takes, and nothing of it is lost unsaid.

use std::fmt::Write as _;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};

use crate::render::cut::{BEGIN_ALERT, END_ALERTS};
use crate::render::split::{MAX_PARTS, Source, split};
use crate::render::{RENDERED_BYTES, plain};

/// The longest text that is tried.
const TEXT_BYTES: usize = 200_000;

/// One character as people see it, of many.
const FAMILY: &str = "👩‍👩‍👧‍👦";

/// The first byte says how to go on: with any text, made of pieces that are repeated, or with
/// sound Markdown whose words are numbered.
pub(crate) fn check(input: &[u8]) {
    let [how, rest @ ..] = input else { return };
    let card = how & 2 != 0;
    let reserved = usize::from(how >> 2) * 4;
    if how & 1 == 0 {
        let text = repeated(rest);
        let parts = parts(&text, reserved, card);
        are_within_limits(&parts, reserved);
    } else {
        let text = sound(rest);
        let parts = parts(&text, reserved, card);
        are_within_limits(&parts, reserved);
        tell_all(&parts, &text);
    }
}

fn parts(text: &str, reserved: usize, card: bool) -> Vec<String> {
    split(&Source {
        text,
        title: "the title",
        alertmanager_url: "https://am.example.org",
        reserved,
        card,
    })
}

/// What has to be true of the messages of any text. The first leaves free what it has to.
pub(crate) fn are_within_limits(parts: &[String], reserved: usize) {
    assert!((1..=MAX_PARTS).contains(&parts.len()), "{}", parts.len());
    for (index, part) in parts.iter().enumerate() {
        let room = RENDERED_BYTES - if index == 0 { reserved } else { 0 };
        assert!(part.len() <= room, "{index}: {} of {room}", part.len());
        let text = plain::uncut(part).len();
        assert!(text <= room, "{index}: {text} of {room} as text");
        assert!(!part.contains([BEGIN_ALERT, END_ALERTS]));
        if parts.len() > 1 {
            let number = format!("*{}/{}*", index + 1, parts.len());
            let found = if index == 0 {
                part.ends_with(&number)
            } else {
                part.starts_with(&number)
            };
            assert!(found, "{part}");
        }
    }
}

/// A byte says how often the text behind it stands there, up to a byte that is in no text.
fn repeated(input: &[u8]) -> String {
    let mut text = String::new();
    for piece in input.split(|byte| *byte == 0xff) {
        let [times, piece @ ..] = piece else { continue };
        let piece = String::from_utf8_lossy(piece);
        for _ in 0..=*times {
            if text.len() + piece.len() > TEXT_BYTES {
                return text;
            }
            text.push_str(&piece);
        }
    }
    text
}

/// Markdown as templates make it, of pairs of bytes: what comes, and how much of it. Each word
/// has a number of its own, such as `w17x`.
fn sound(input: &[u8]) -> String {
    let mut text = "head\n\n".to_owned();
    let mut next = 0;
    let mut has_alerts = false;
    for pair in input.chunks_exact(2) {
        if text.len() > TEXT_BYTES {
            break;
        }
        let many = usize::from(pair[1]);
        let mut words = |count: usize| -> String {
            let range: Range<usize> = next..next + count;
            next = range.end;
            let words: Vec<String> = range.map(|number| format!("w{number}x")).collect();
            words.join(" ")
        };
        // Writing to a string does not fail.
        let _ = match pair[0] % 10 {
            0 => write!(text, "{} ", words(many + 1)),
            1 => write!(text, "**{}** ", words(many % 16 + 1)),
            2 => write!(text, "[{}](https://a.b/{}) ", words(1), "c".repeat(many)),
            3 => write!(text, "`{}` ", words(many % 4 + 1)),
            4 => {
                let lines: Vec<String> = (0..=many % 64).map(|_| words(3)).collect();
                write!(text, "\n\n```sh\n{}\n```\n\n", lines.join("\n"))
            }
            5 => write!(text, "\n\n- {}\n- {}\n\n", words(2), words(2)),
            6 => write!(text, "&lt;{}&gt; \\\\ \\* ", words(1)),
            7 => write!(text, "\n\n**{}** ", words(many * 8 + 1)),
            8 => {
                has_alerts = true;
                // Templates break lines behind the mark, or before it.
                let (before, behind) = [("", "\n\n"), ("\n\n", "")][many % 2];
                write!(text, "{before}{BEGIN_ALERT}{behind}{} ", words(1))
            }
            _ => write!(text, "{} ", FAMILY.repeat(many + 1)),
        };
    }
    if has_alerts {
        text.push(END_ALERTS);
        text.push_str("\n\ntail");
    }
    text
}

/// Each word once and in order, unless the last message says that more was left out or an alert
/// says that it was cut; and no construct and no character is cut in two.
fn tell_all(parts: &[String], text: &str) {
    let all = parts.concat();
    let cut = all.contains("… cut: too long") || all.contains(" more alert");
    let found = numbers(&all);
    assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
    if !cut {
        assert_eq!(found, numbers(text));
    }
    for part in parts {
        assert!(!part.replace(FAMILY, "").contains('👩'), "{part}");
        let is_markup = |text: &str| text.contains(['`', '[', ']', '&']) || text.contains("**");
        for event in Parser::new_ext(part, Options::empty()) {
            let Event::Text(text) = event else { continue };
            assert!(!is_markup(&text), "{text:?} in {part}");
        }
    }
}

/// The numbers of the words, in order.
fn numbers(text: &str) -> Vec<usize> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let number = |word: &str| word.strip_prefix('w')?.strip_suffix('x')?.parse().ok();
    words.filter_map(number).collect()
}
