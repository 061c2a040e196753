//! Tables of text: columns as wide as they must be, cut where a terminal is too narrow.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::output::{DIM_STYLE, Output};

/// No column is cut below this.
const MIN_COLUMN_WIDTH: usize = 8;
const COLUMN_GAP: usize = 2;

/// A table under construction.
#[derive(Debug)]
pub(super) struct Table {
    heads: Vec<ColumnHead>,
    rows: Vec<TableRow>,
}

/// The head of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnHead {
    name: &'static str,
    /// Whether it may be cut: names and texts may, what one copies may not.
    may_be_cut: bool,
}

/// One piece of text in a style.
#[derive(Debug, Clone)]
pub(super) struct TableCell {
    text: String,
    style: Style,
}

#[derive(Debug)]
enum TableRow {
    Cells(Vec<TableCell>),
    /// A line below a row that belongs to it.
    Note(TableCell),
}

impl ColumnHead {
    /// A column that is always shown whole.
    pub(super) const fn fixed(name: &'static str) -> Self {
        Self { name, may_be_cut: false }
    }

    /// A column that is cut where the terminal is too narrow.
    pub(super) const fn cut(name: &'static str) -> Self {
        Self { name, may_be_cut: true }
    }
}

impl TableCell {
    /// Text in a style.
    pub(super) fn new(style: Style, text: impl Into<String>) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for TableCell {
    fn from(text: T) -> Self {
        Self::new(Style::new(), text)
    }
}

impl Table {
    /// An empty table.
    pub(super) fn new(heads: Vec<ColumnHead>) -> Self {
        Self { heads, rows: Vec::new() }
    }

    /// Adds a row: a cell for each head.
    pub(super) fn row(&mut self, cells: Vec<TableCell>) {
        self.rows.push(TableRow::Cells(cells));
    }

    /// Adds a line to the last row.
    pub(super) fn note(&mut self, text: impl Into<TableCell>) {
        self.rows.push(TableRow::Note(text.into()));
    }

    /// Prints it.
    pub(super) fn print(&self, output: &mut Output) {
        for line in self.lines(output.width()) {
            output.line(line);
        }
    }

    /// The lines, for a terminal of that many columns.
    fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let widths = self.widths(columns);
        let heads: Vec<TableCell> = self.heads.iter().map(|head| TableCell::new(DIM_STYLE, head.name)).collect();
        let mut lines = vec![line(&heads, &widths)];
        lines.extend(self.rows.iter().map(|row| match row {
            TableRow::Cells(cells) => line(cells, &widths),
            TableRow::Note(note) => format!("  {}{}{:#}", note.style, note.text, note.style),
        }));
        lines
    }

    /// How wide each column is; none for those that there is no room for.
    fn widths(&self, columns: Option<usize>) -> Vec<Option<usize>> {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.name.width()).collect();
        for row in &self.rows {
            let TableRow::Cells(cells) = row else { continue };
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.text.width());
            }
        }
        let mut widths: Vec<Option<usize>> = widths.into_iter().map(Some).collect();
        let Some(columns) = columns else { return widths };
        let total = |widths: &[Option<usize>]| {
            let shown = widths.iter().flatten();
            shown.clone().sum::<usize>() + COLUMN_GAP * shown.count().saturating_sub(1)
        };
        let whole = |(at, width): (usize, &Option<usize>)| width.filter(|_| !self.heads[at].may_be_cut);
        let fits_whole = total(&widths.iter().enumerate().map(whole).collect::<Vec<_>>()) <= columns;
        while total(&widths) > columns {
            let cut = |at: &usize| self.heads[*at].may_be_cut && widths[*at].is_some();
            let widest = (0..widths.len()).filter(cut).max_by_key(|at| widths[*at]);
            match widest {
                Some(widest) if widths[widest] > Some(MIN_COLUMN_WIDTH) => {
                    widths[widest] = widths[widest].map(|it| it - 1);
                }
                // All are as narrow as can be: the last of them is left out, if what is never cut fits at all.
                Some(last) if fits_whole => widths[last] = None,
                _ => break,
            }
        }
        widths
    }
}

/// The cells in their columns; nothing after the last one.
fn line(cells: &[TableCell], widths: &[Option<usize>]) -> String {
    let mut line = String::new();
    let shown: Vec<(&TableCell, usize)> =
        cells.iter().zip(widths).filter_map(|(cell, width)| Some((cell, (*width)?))).collect();
    let last = shown.iter().rposition(|(cell, _)| !cell.text.is_empty()).unwrap_or_default();
    for (at, (cell, width)) in shown.into_iter().enumerate().take(last + 1) {
        let text = fitted(&cell.text, width);
        let gap = if at == last { 0 } else { width - text.width().min(width) + COLUMN_GAP };
        let _ = write!(line, "{}{text}{:#}{:gap$}", cell.style, cell.style, "");
    }
    line
}

/// At most `width` columns of the text.
fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    for letter in text.chars() {
        let mut buffer = [0; 4];
        if fitted.width() + letter.encode_utf8(&mut buffer).width() + 1 > width {
            break;
        }
        fitted.push(letter);
    }
    fitted.push('…');
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table::new(vec![ColumnHead::fixed("VERSION"), ColumnHead::cut("AUTHOR"), ColumnHead::cut("SUBJECT")]);
        table.row(vec!["1.0".into(), "Ada".into(), "Pin the first version there is".into()]);
        table.row(vec!["1.0.1".into(), "山田太郎".into(), "Fix".into()]);
        table.note("needs payments");
        table
    }

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        let lines = table().lines(None);
        insta::assert_snapshot!(anstream::adapter::strip_str(&lines.join("\n")), @"
        VERSION  AUTHOR    SUBJECT
        1.0      Ada       Pin the first version there is
        1.0.1    山田太郎  Fix
          needs payments
        ");
    }

    #[test]
    fn a_narrow_terminal_cuts_what_nobody_copies() {
        let lines = table().lines(Some(32));
        insta::assert_snapshot!(anstream::adapter::strip_str(&lines.join("\n")), @"
        VERSION  AUTHOR    SUBJECT
        1.0      Ada       Pin the firs…
        1.0.1    山田太郎  Fix
          needs payments
        ");
        let lines = table().lines(Some(20));
        insta::assert_snapshot!(anstream::adapter::strip_str(&lines.join("\n")), @"
        VERSION  AUTHOR
        1.0      Ada
        1.0.1    山田太郎
          needs payments
        ");
    }
}
