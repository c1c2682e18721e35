//! Text in columns, as `check --online` and `rooms` print it.

/// Lays rows out in columns as wide as their longest cell. Each row has as many cells as the
/// first, which is the head.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What Webex or a person wrote, on one line and without control characters, so that it
/// cannot pretend to be a row of its own.
pub(super) fn cell(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows =
            [["a", "title", ""], ["longer", "b", "end"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a       title\nlonger  b      end");
    }

    #[test]
    fn a_title_stays_within_its_row() {
        assert_eq!(cell("ops\nfake  row\u{1b}[2J"), "ops fake  row [2J");
    }
}
