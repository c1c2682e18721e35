//! Which requests a fault is meant for.

use super::{Act, Effect, Facts, Fault};

/// Whether a request meets the conditions of a fault.
pub(super) fn applies(fault: &Fault, facts: &Facts<'_>) -> bool {
    let of_its_kind = match fault.effect {
        Effect::CardRefused => facts.has_card,
        Effect::EditRefused => facts.act == Act::Edit,
        Effect::ParentGone { .. } => facts.act == Act::Reply,
        // Who has no token is refused for that.
        Effect::BotRemoved => facts.bot.is_some() && facts.room.is_some(),
        Effect::TokenRevoked => facts.bot.is_some() && facts.act != Act::Grant,
        _ => true,
    };
    of_its_kind
        && fault
            .method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(facts.method.as_str()))
        && fault
            .path
            .as_deref()
            .is_none_or(|pattern| matches_pattern(pattern, facts.path))
        && fault
            .bot
            .as_deref()
            .is_none_or(|bot| facts.bot == Some(bot))
        && fault.room.as_deref().is_none_or(|room| {
            facts
                .room
                .is_some_and(|(id, title)| room == id || room == title)
        })
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters. Greedy with one
/// point to go back to, so the cost is at most the product of both lengths.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut back = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            back = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = back {
            p = star + 1;
            t = from + 1;
            back = Some((star, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/v1/messages", "/v1/messages", true)]
    #[case("/v1/messages", "/v1/messages/x", false)]
    #[case("/v1/*", "/v1/messages/x", true)]
    #[case("*s/*", "/v1/messages/x", true)]
    #[case("*s/*y", "/v1/messages/x", false)]
    #[case("", "", true)]
    #[case("**", "", true)]
    #[case("a*b*c", "a-b-b-c", true)]
    fn a_star_stands_for_any_characters(
        #[case] pattern: &str,
        #[case] text: &str,
        #[case] is_match: bool,
    ) {
        assert_eq!(matches_pattern(pattern, text), is_match);
    }
}
