//! Shows a place in a template: the line, and a mark below what is meant.
//!
//! What does not belong here: what is wrong there.

/// The lines around an excerpt as compilers show them, such as
/// ```text
///   |
/// 3 | {{ sumary }}
///   |    ^^^^^^
/// ```
/// Line and column count from 1. Empty where there is no such line.
pub(super) fn excerpt(source: &str, line: usize, column: usize) -> String {
    let Some(text) = source.lines().nth(line.saturating_sub(1)) else {
        return String::new();
    };
    let from = column.saturating_sub(1);
    let marked = text.chars().skip(from);
    let marked = marked.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    format!(
        "{margin} |\n{number} | {text}\n{margin} | {}{}",
        " ".repeat(from),
        "^".repeat(marked.count().max(1))
    )
}
