//! Tables as Docker prints them: a line of headings, columns at the left, three blanks between.

use std::borrow::Cow;
use std::fmt;
use std::iter::repeat_n;

use super::sanitize::sanitize;

/// Blanks between two columns.
const GAP: usize = 3;

/// The least width of a column, blanks behind it included. Docker's tables have it, and people compare.
const LEAST_WIDTH: usize = 10;

/// A table whose `Display` ends each line with a newline and leaves no blanks before it. Cells are sanitized.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings, in upper case as they shall be printed, and no rows.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self { rows: Vec::new() };
        table.push(headings.iter().copied());
        table
    }

    /// Adds a row at the bottom. Cells that are missing at its end stay empty.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) {
        let safe = cells.into_iter().map(|cell| safe(cell.into()));
        self.rows.push(safe.collect());
    }

    /// The width of every column in characters, blanks behind it included.
    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width_of = |column| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let longest = cells.map(|cell: &String| cell.chars().count()).max();
            (longest.unwrap_or_default() + GAP).max(LEAST_WIDTH)
        };
        (0..columns).map(width_of).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let mut line = String::new();
        for row in &self.rows {
            line.clear();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
            line.truncate(line.trim_end_matches(' ').len());
            line.push('\n');
            formatter.write_str(&line)?;
        }
        Ok(())
    }
}

/// The cell as it may be shown, which nearly all are already.
fn safe(cell: Cow<'_, str>) -> String {
    let changed = match sanitize(&cell) {
        Cow::Borrowed(_) => None,
        Cow::Owned(safe) => Some(safe),
    };
    changed.unwrap_or_else(|| cell.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_blanks() {
        let mut table = Table::new(&["CONTAINER ID", "IMAGE", "STATUS", "PORTS", "NAMES"]);
        table.push([
            "4f1c0a9b7d2e",
            "demo",
            "Up 2 minutes",
            "0.0.0.0:8080->80/tcp",
            "web2",
        ]);
        table.push([
            "92aa31c04b55",
            "demo",
            "Exited (0) 3 seconds ago",
            "",
            "web1",
        ]);
        assert_eq!(
            table.to_string(),
            "\
CONTAINER ID   IMAGE     STATUS                     PORTS                  NAMES
4f1c0a9b7d2e   demo      Up 2 minutes               0.0.0.0:8080->80/tcp   web2
92aa31c04b55   demo      Exited (0) 3 seconds ago                          web1
"
        );
    }

    #[test]
    fn a_table_without_rows_is_its_headings() {
        let table = Table::new(&["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
        assert_eq!(
            table.to_string(),
            "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"
        );
    }

    #[test]
    fn empty_cells_at_the_end_leave_no_blanks() {
        let mut table = Table::new(&["NAMES", "PORTS"]);
        table.push(["web1", ""]);
        table.push(["web2"]);
        assert_eq!(table.to_string(), "NAMES     PORTS\nweb1\nweb2\n");
    }

    #[test]
    fn cells_cannot_act_on_the_terminal_or_break_the_line() {
        let mut table = Table::new(&["NAME", "LABELS"]);
        table.push(["wéb", "a=\x1b[2J\nb"]);
        assert_eq!(
            table.to_string(),
            "NAME      LABELS\nwéb       a=\\x1b[2J\\nb\n"
        );
    }
}
