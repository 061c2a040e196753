//! Renders problems for people, like rustc's messages: with the source line and the remedy.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{FilePlace, Problem, Severity};
use crate::printable::{escape, is_unfit};

/// The bytes shown of a line before and after the marked text.
const CONTEXT_BYTES: usize = 200;
/// The longest marked text, in bytes. The rest of a longer text is not marked.
const MAX_MARKED_BYTES: usize = 200;

/// Returns the line and column of a byte. Both count from 1, and columns count characters without a byte order mark.
pub fn line_col(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset.min(bytes.len())];
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.split(|&byte| byte == b'\n').count();
    let text = String::from_utf8_lossy(&before[start..]);
    (line, text.trim_start_matches('\u{feff}').chars().count() + 1)
}

/// Renders a problem in one line, such as `services/x.yaml:3:5: …`.
pub fn one_line_message(problem: &Problem, bytes: &[u8]) -> String {
    format!("{}: {}", position(&problem.place, bytes), problem.message)
}

fn position(place: &FilePlace, bytes: &[u8]) -> String {
    let path = escape(place.path.chars());
    match &place.span {
        None => path,
        Some(span) => {
            let (line, column) = line_col(bytes, span.start);
            format!("{path}:{line}:{column}")
        }
    }
}

/// Renders problems with their source lines, separated by blank lines. `lookup` returns the bytes of a file. Without
/// them, only the place is named.
pub fn render_problems<'b>(problems: &[Problem], lookup: &dyn Fn(&str) -> Option<&'b [u8]>, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    problems.iter().map(|problem| renderer.render(&[report(problem, lookup)]) + "\n").collect::<Vec<_>>().join("\n")
}

fn report<'b>(problem: &Problem, lookup: &dyn Fn(&str) -> Option<&'b [u8]>) -> Group<'static> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(escape(problem.message.chars())));
    let also = problem.also.iter().map(|(place, label)| (place, AnnotationKind::Context, label.as_str()));
    for (place, kind, label) in std::iter::once((&problem.place, AnnotationKind::Primary, "")).chain(also) {
        let excerpt = place.span.clone().and_then(|span| excerpt(lookup(&place.path)?, span));
        let path = escape(place.path.chars());
        group = match excerpt {
            Some(SourceExcerpt { text, line, mark }) => {
                let annotation = kind.span(mark).label(escape(label.chars()));
                group.element(Snippet::source(text).line_start(line).path(path).annotation(annotation))
            }
            None => group.element(Origin::path(path)),
        };
    }
    match &problem.hint {
        Some(hint) => group.element(Level::HELP.message(escape(hint.chars()))),
        None => group,
    }
}

/// A source line with its marked part, made safe for a terminal.
struct SourceExcerpt {
    text: String,
    line: usize,
    mark: Range<usize>,
}

fn excerpt(bytes: &[u8], span: Range<usize>) -> Option<SourceExcerpt> {
    let start = span.start.min(bytes.len());
    let newline = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let from = bytes[..start].iter().rposition(newline).map_or(0, |at| at + 1);
    let to = bytes[start..].iter().position(newline).map_or(bytes.len(), |at| start + at);
    let end = span.end.clamp(start, to).min(start + MAX_MARKED_BYTES);
    let [before, marked, after] = [
        &bytes[from.max(start.saturating_sub(CONTEXT_BYTES))..start],
        &bytes[start..end],
        &bytes[end..to.min(end + CONTEXT_BYTES)],
    ]
    .map(|part| clean(&String::from_utf8_lossy(part)));
    let (line, _) = line_col(bytes, start);
    let mark = before.len()..before.len() + marked.len();
    (from < bytes.len()).then(|| SourceExcerpt { text: before + &marked + &after, line, mark })
}

/// Replaces unsafe characters one by one, so that the marks stay below the text they mark.
fn clean(text: &str) -> String {
    let clean = |letter: char| if is_unfit(letter) && letter != '\t' { '\u{fffd}' } else { letter };
    text.trim_start_matches('\u{feff}').chars().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        let path = "a.yaml".into();
        let problem = Problem::error("wrong", FilePlace::at(&path, span.clone()));
        let problem = problem.also(FilePlace::at(&path, 0..1), "first").hint("do\u{1b}n't");
        render_problems(&[problem], &|path| (path == "a.yaml").then_some(text.as_bytes()), false)
    }

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let text = "\u{feff}é: 1\r\nb: 2".as_bytes();
        for (offset, expected) in [(0, (1, 1)), (3, (1, 1)), (5, (1, 2)), (10, (2, 1)), (13, (2, 4)), (99, (2, 5))] {
            assert_eq!(line_col(text, offset), expected, "{offset}");
        }
    }

    #[test]
    fn the_line_stands_below_its_place() {
        assert_snapshot!(shown("a: 1\nb: 2\r\nc: 3\n", 8..9), @r"
        error: wrong
         --> a.yaml:2:4
          |
        2 | b: 2
          |    ^
          |
         ::: a.yaml:1:1
          |
        1 | a: 1
          | - first
          |
          = help: do\u{1b}n't
        ");
    }

    #[test]
    fn only_the_first_line_of_a_long_place_is_marked() {
        assert_snapshot!(shown("a: [1,\n 2]\n", 3..11), @r"
        error: wrong
         --> a.yaml:1:4
          |
        1 | a: [1,
          |    ^^^
          |
         ::: a.yaml:1:1
          |
        1 | a: [1,
          | - first
          |
          = help: do\u{1b}n't
        ");
    }

    #[test]
    fn terminal_characters_are_shown_as_signs_of_one_column() {
        let shown = shown("a: \u{1b}[31m\u{202e}\u{85}x\n", 8..11);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{85}']), "{shown}");
        assert_snapshot!(shown, @r"
        error: wrong
         --> a.yaml:1:9
          |
        1 | a: �[31m��x
          |         ^
          |
         ::: a.yaml:1:1
          |
        1 | a: �[31m��x
          | - first
          |
          = help: do\u{1b}n't
        ");
    }

    #[test]
    fn endless_lines_are_cut() {
        let text = "x".repeat(1_000_000);
        assert!(shown(&text, 500_000..900_000).len() < 2_000);
    }

    #[test]
    fn places_outside_the_text_are_named_only() {
        assert_snapshot!(shown("", 3..5), @r"
        error: wrong
        --> a.yaml
        ::: a.yaml
         = help: do\u{1b}n't
        ");
        let gone = Problem::warning("gone", FilePlace::whole_file(&"b.yaml".into()));
        assert_snapshot!(render_problems(&[gone], &|_| None, false), @"
        warning: gone
        --> b.yaml
        ");
    }

    #[test]
    fn colours_come_on_request() {
        let problem = [Problem::error("wrong", FilePlace::whole_file(&"a.yaml".into()))];
        assert!(render_problems(&problem, &|_| None, true).contains('\u{1b}'));
    }
}
