//! Listings: one line per thing, in columns. In a pipe no line is broken, so that it can be searched.

use super::out;
use crate::report::format::plain;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use std::io::stdout;

/// Columns of a terminal that does not say how wide it is.
const WIDTH: u16 = 80;

/// A listing under its header, with a line end.
pub(crate) fn listing<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let width = out::is_seen().then(|| terminal_size::terminal_size_of(stdout()).map_or(WIDTH, |(width, _)| width.0));
    laid_out(header, rows, width)
}

fn laid_out<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> [String; 2] {
        [name.to_owned(), "every night at two, and once more at noon on the first of the month".to_owned()]
    }

    #[test]
    fn in_a_pipe_a_line_is_a_thing_and_on_a_terminal_it_is_folded() {
        let piped = laid_out(["job", "schedule"], [row("a"), row("b")], None);
        assert_eq!(piped.lines().count(), 3, "{piped}");
        let seen = laid_out(["job", "schedule"], [row("a"), row("b")], Some(40));
        assert!(seen.lines().all(|line| line.len() <= 40) && seen.lines().count() > 3, "{seen}");
    }

    #[test]
    fn what_stands_in_a_cell_cannot_steer_a_terminal() {
        assert!(!laid_out(["x"], [["\u{1b}[2J\n".to_owned()]], None).contains('\u{1b}'));
    }
}
