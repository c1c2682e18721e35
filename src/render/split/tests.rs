use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use unicode_segmentation::UnicodeSegmentation as _;

use super::super::fuzzing::split::are_within_limits;
use super::super::plain_text;
use super::*;

const LINK: &str = "https://am.example.org";

fn marked(head: &str, alerts: &[String], tail: &str) -> String {
    let mut text = head.to_owned();
    for alert in alerts {
        text.push(BEGIN_ALERT);
        text.push_str(alert);
    }
    text.push(END_ALERTS);
    text + tail
}

fn parts(text: &str) -> Vec<String> {
    split(&Source {
        text,
        title: "the title",
        alertmanager_url: LINK,
        reserved: 0,
        card: false,
    })
}

/// The parts without their numbers and headlines.
fn bodies(parts: &[String]) -> Vec<&str> {
    let body = |(index, part)| {
        let part: &String = part;
        match (index, parts.len()) {
            (_, 1) => part.as_str(),
            (0, _) => part.rsplit_once(PARAGRAPH).unwrap().0,
            _ => part.split_once(PARAGRAPH).unwrap().1,
        }
    };
    parts.iter().enumerate().map(body).collect()
}

#[test]
fn what_fits_is_one_message_without_a_number() {
    let text = marked("head", &["  \nalert".to_owned()], "\n\ntail\n");
    assert_eq!(parts(&text), ["head  \nalert\n\ntail"]);
}

#[test]
fn a_long_group_becomes_parts_that_make_sense_alone() {
    let alerts: Vec<String> = (0..9)
        .map(|n| format!("\n\nalert {n} {}", "x".repeat(1800)))
        .collect();
    let parts = parts(&marked(
        "🔴 **9 firing: `a_b`**  \nmore",
        &alerts,
        "\n\ntail",
    ));
    assert_eq!(parts.len(), 3);
    assert!(parts[0].starts_with("🔴 **9 firing: `a_b`**  \nmore\n\nalert 0 x"));
    assert!(parts[0].ends_with("x\n\n*1/3*"));
    assert!(parts[1].starts_with("*2/3* **🔴 9 firing: a_b**\n\nalert 3 x"));
    assert!(parts[2].starts_with("*3/3* **🔴 9 firing: a_b**\n\nalert 6 x"));
    assert!(parts[2].ends_with("x\n\ntail"));
}

#[test]
fn past_the_last_part_alerts_are_counted_with_a_link_and_the_tail_stays() {
    let alerts: Vec<String> = (0..5000)
        .map(|n| format!("\n\nalert {n} {}", "x".repeat(120)))
        .collect();
    let parts = parts(&marked("head", &alerts, "\n\ntail"));
    assert_eq!(parts.len(), MAX_PARTS);
    let shown = parts.iter().map(|part| part.matches("alert ").count());
    let shown: usize = shown.sum::<usize>();
    assert!(shown > 450, "{shown}");
    let end = format!(
        "\n\ntail\n\n… and {} more alerts: [Alertmanager]({LINK})",
        5000 - shown
    );
    let last = parts.last().unwrap();
    assert!(last.ends_with(&end), "{}", &last[last.len() - 200..]);
}

#[test]
fn an_alert_larger_than_a_message_is_cut_says_so_and_hides_no_other() {
    let alerts = [
        "\n\nfirst".to_owned(),
        "\n\n".to_owned() + &"word ".repeat(4000),
        "\n\nlast".to_owned(),
    ];
    let parts = parts(&marked("head", &alerts, ""));
    assert_eq!(parts.len(), 2);
    assert!(parts[0].starts_with("head\n\nfirst\n\nword word"));
    assert!(parts[0].ends_with(&format!("word{CUT}\n\n*1/2*")));
    assert_eq!(parts[1], "*2/2* **head**\n\nlast");
}

#[test]
fn of_several_messages_the_first_is_the_cards_alone() {
    let alerts: Vec<String> = (0..9)
        .map(|n| format!("\n\nalert {n} {}", "x".repeat(1800)))
        .collect();
    let text = marked("**head**", &alerts, "");
    let source = Source {
        text: &text,
        title: "",
        alertmanager_url: "",
        reserved: 0,
        card: true,
    };
    let parts = split(&source);
    assert_eq!(parts[0], "**head**\n\n*1/4*");
    assert!(parts[1].starts_with("*2/4* **head**\n\n**head**\n\nalert 0 x"));
    let many = "word ".repeat(40_000);
    let parts = split(&Source {
        text: &many,
        ..source
    });
    assert_eq!(parts.len(), MAX_PARTS);
    assert_eq!(
        split(&Source {
            text: "short",
            ..source
        }),
        ["short"]
    );
}

#[test]
fn constructs_nested_without_end_do_no_harm() {
    for (open, close) in [
        ("*a ", " a*"),
        ("> ", ""),
        ("- ", ""),
        ("[", "](https://a.b)"),
    ] {
        let text = format!("{}x{}", open.repeat(9000), close.repeat(9000));
        assert!(parts(&text).iter().all(|part| part.len() <= RENDERED_BYTES));
    }
}

#[test]
fn a_mention_is_made_once() {
    let alerts: Vec<String> = (0..9)
        .map(|_| "\n\n".to_owned() + &"x".repeat(1800))
        .collect();
    let parts = parts(&marked("**head** <@personEmail:a@b.c> more", &alerts, ""));
    assert_eq!(parts.concat().matches("a@b.c").count(), 1);
    assert!(parts[1].starts_with("*2/3* **head more**\n\nx"));
}

#[test]
fn an_alert_larger_than_a_message_is_told_wherever_the_part_before_it_ends() {
    for filled in (0..7200).step_by(97) {
        let alerts = [
            format!("\n\n{}", "a".repeat(filled)),
            format!("\n\n<large>{}", "w ".repeat(4300)),
        ];
        let parts = parts(&marked("", &alerts, ""));
        assert_eq!(parts.concat().matches("<large>").count(), 1, "{filled}");
    }
}

#[test]
fn what_an_alert_opens_that_is_cut_does_not_reach_into_the_next() {
    let opened = [("\n```sh\n", "\n```"), ("**", "**")];
    // Templates break lines before each alert, or behind it.
    for ((open, close), (before, behind)) in opened
        .into_iter()
        .flat_map(|opened| [("\n\n", ""), ("", "\n\n")].map(|breaks| (opened, breaks)))
    {
        let alerts = [
            format!("{before}first {open}{}{close}{behind}", "w ".repeat(8000)),
            format!("{before}second **bold** `code`{behind}"),
        ];
        let parts = parts(&marked(&format!("head{behind}"), &alerts, ""));
        assert_eq!(parts.len(), 2, "{open:?}");
        assert!(parts[0].contains(CUT));
        assert!(parts[0].matches("w ").count() > 2000, "{open:?}");
        assert_eq!(
            parts[1], "*2/2* **head**\n\nsecond **bold** `code`",
            "{open:?}"
        );
    }
}

#[test]
fn a_first_line_that_says_nothing_is_replaced_by_the_title() {
    let alerts: Vec<String> = (0..9)
        .map(|_| "\n\n".to_owned() + &"x".repeat(1800))
        .collect();
    let parts = parts(&marked("\n \n", &alerts, ""));
    assert!(
        parts[1].starts_with("*2/3* **the title**\n\nx"),
        "{}",
        parts[1]
    );
}

#[test]
fn a_code_block_around_all_alerts_is_closed_and_opened_again() {
    let alerts: Vec<String> = (0..300)
        .map(|n| format!("\n  alert {n} **x**, {}", "y".repeat(40)))
        .collect();
    let parts = parts(&marked("head\n\n```yaml", &alerts, "\n```\n\ntail"));
    assert!(parts.len() > 2);
    for (index, part) in parts.iter().enumerate() {
        let blocks = Parser::new_ext(part, Options::empty())
            .filter(|event| matches!(event, Event::Start(Tag::CodeBlock(_))))
            .count();
        assert_eq!(blocks, 1, "{part}");
        assert!(!plain_text(part).contains("```"));
        if index > 0 {
            assert!(part.contains("**\n\n```yaml\n  alert "), "{part}");
        }
    }
    assert!(parts.last().unwrap().ends_with("\n```\n\ntail"));
}

#[test]
fn text_of_an_alert_does_not_become_structure_where_it_is_cut() {
    for trap in ["# no", "- no", "1. no", "+ no", "= no", "12) no"] {
        let text = format!("head\n\n{}", format!("word {trap} ").repeat(2000));
        let parts = parts(&text);
        assert!(parts.len() > 2);
        for part in &parts {
            for event in Parser::new_ext(part, Options::empty()) {
                let bad = matches!(event, Event::Start(Tag::List(_) | Tag::Heading { .. }));
                assert!(!bad, "{}", &part[..80]);
            }
        }
    }
}

#[test]
fn a_text_whose_plain_form_is_longer_is_split_by_that() {
    let reference = format!("[r]: https://a.b/{}", "c".repeat(500));
    let alerts: Vec<String> = (0..40).map(|n| format!("\n\n{n} [r]")).collect();
    let parts = parts(&marked(&reference, &alerts, ""));
    assert!(
        parts
            .iter()
            .all(|part| plain::uncut(part).len() <= RENDERED_BYTES)
    );
    assert!(parts.len() > 1);
    for n in 0..40 {
        let holding = parts
            .iter()
            .filter(|part| part.contains(&format!("\n\n{n} [r]")));
        assert_eq!(holding.count(), 1, "{n}");
    }
}

#[test]
fn a_text_without_end_is_cut_after_the_last_part() {
    let parts = parts(&"word ".repeat(40_000));
    assert_eq!(parts.len(), MAX_PARTS);
    assert!(parts.last().unwrap().ends_with(CUT));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_hardly_grows_is_less_than_twice_as_long_as_text(
        pieces in prop::collection::vec(
            prop_oneof![
                "[a-z0-9é .)>#*_+=`~!|\\\\:()-]{1,6}",
                prop::sample::select(&[
                    "\n", "\r", "\t", "\n\n", "    ", "&nGt;", "&amp;", "[a](b)", "![](c)", "[a]", "***", "~~~\n", "1. ",
                    "- ", "<https://a.b>", "[a]: b", "\n# ", "\n> ",
                ][..]).prop_map(str::to_owned),
            ],
            0..30,
        ),
    ) {
        let text = pieces.concat();
        if hardly_grows(&text) {
            prop_assert!(plain::uncut(&text).len() <= 2 * text.len(), "{text:?} {:?}", plain::uncut(&text));
        }
    }

    #[test]
    fn every_alert_stands_whole_in_one_part_in_order(
        head in "[a-zé \n]{0,200}",
        sizes in prop::collection::vec(prop_oneof![8 => 0_usize..400, 1 => 1000_usize..9000], 0..60),
        tail in "[a-z \n]{0,200}",
    ) {
        let text = |(n, size): (usize, &usize)| format!("\n\n<{n}>{}</{n}>", "w ".repeat(size / 2));
        let alerts: Vec<String> = sizes.iter().enumerate().map(text).collect();
        let parts = parts(&marked(&head, &alerts, &tail));
        are_within_limits(&parts, 0);
        let all = bodies(&parts).join("\n\n");
        let left_out = all.contains("more alert");
        let mut last = 0;
        for (n, alert) in alerts.iter().enumerate() {
            let alert = alert.trim();
            let places: Vec<usize> = all.match_indices(&format!("<{n}>")).map(|(at, _)| at).collect();
            if places.is_empty() {
                prop_assert!(left_out, "{n} is lost");
                continue;
            }
            prop_assert_eq!(places.len(), 1);
            prop_assert!(places[0] >= last);
            last = places[0];
            if alert.len() < RENDERED_BYTES - 300 {
                prop_assert!(all[places[0]..].starts_with(alert), "{n} is cut");
            }
        }
    }

    #[test]
    fn no_text_breaks_a_limit(
        head in "([a-zé*_`~<>&;!\\[\\]()#|= \n\\\\]|```\n|\\[a\\]\\(https://b\\)|\\*\\*|&lt;|<@all>|🏳️‍🌈){0,300}",
        alerts in prop::collection::vec("([a-zé*_`~<>&;!\\[\\]()#|= \n\\\\]|```\n|\\[a\\]\\(https://b\\)|\\*\\*){0,200}", 0..30),
        tail in "([a-z\n*`]|- - - - - |1\\. ){0,300}",
        times in 1_usize..9,
    ) {
        are_within_limits(&parts(&marked(&head.repeat(times), &alerts, &tail)), 0);
        are_within_limits(&parts(&format!("{head}{}", alerts.concat())), 0);
    }

    #[test]
    fn whole_constructs_stay_whole(
        pieces in prop::collection::vec(
            prop_oneof![
                "[a-z]{1,12} ".prop_map(String::from),
                "\\*\\*[a-z]{1,9} [a-z ]{0,60}[a-z]\\*\\* ",
                "\\*[a-z]{1,9}\\* ",
                "\\[[a-z ]{1,40}\\]\\(https://a\\.b/[a-z]{0,200}\\) ",
                "`[a-z ]{1,30}` ",
                "&lt;a&gt; \\\\\\* ",
                "\n\n```sh\n([a-z ]{1,30}\n){1,40}```\n\n",
                "\n\n- [a-z]{1,9}\n- [a-z]{1,9}\n\n",
                "\n\n\\*\\*([a-z]{1,9} ){100,700}end\\*\\* ",
            ],
            100..300,
        ),
    ) {
        let parts = parts(&pieces.concat());
        are_within_limits(&parts, 0);
        for part in &parts {
            let left: String = Parser::new_ext(part, Options::empty())
                .filter_map(|event| match event {
                    Event::Text(text) if text.contains(['`', '[', ']', '&']) || text.contains("**") => Some(text.to_string()),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(left.replace(['<', '>'], ""), "", "{}", part);
        }
    }

    #[test]
    fn no_character_as_people_see_it_is_cut(
        clusters in prop::collection::vec(
            prop_oneof![
                Just("👩‍👩‍👧‍👦"), Just("🇩🇪"), Just("e\u{301}"), Just("🏳️‍🌈"), Just("각"), Just("நி"), Just("x"), Just("👍🏽"), Just(" "),
            ],
            800..1500,
        ),
    ) {
        let text = clusters.concat();
        let parts = parts(&text);
        are_within_limits(&parts, 0);
        let seen: Vec<&str> = bodies(&parts)
            .into_iter()
            .flat_map(|body| body.graphemes(true))
            .filter(|cluster| *cluster != " ")
            .collect();
        let expected: Vec<&str> = text.graphemes(true).filter(|cluster| *cluster != " ").collect();
        if parts.len() < MAX_PARTS {
            prop_assert_eq!(seen, expected);
        }
    }
}
