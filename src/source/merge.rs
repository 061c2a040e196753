//! Three-way merge of a file.

use std::ops::RangeInclusive;

use git2::{MergeFileInput, MergeFileOptions, merge_file};
use similar::{ChangeTag, TextDiff};

/// The length of conflict markers. It exceeds markers in the file itself, so real conflicts stay recognisable.
const CONFLICT_MARKER_LENGTH: u16 = 60;

/// Applies to `ours` the change that leads from `base` to `theirs`.
///
/// # Errors
/// The conflicting lines of `ours`, counted from one.
pub fn three_way_merge([base, ours, theirs]: [&[u8]; 3]) -> Result<Vec<u8>, Vec<RangeInclusive<usize>>> {
    let everything = || vec![1..=ours.split(|byte| *byte == b'\n').count()];
    // Initialises libgit2, which `merge_file` does not do by itself, unlike all other functions.
    drop(git2::Buf::new());
    let mut inputs = [base, ours, theirs].map(|content| {
        let mut input = MergeFileInput::new();
        input.content(content);
        input
    });
    let [base, ours_in, theirs] = &mut inputs;
    let mut options = MergeFileOptions::new();
    options.marker_size(CONFLICT_MARKER_LENGTH);
    let merged = merge_file(base, ours_in, theirs, Some(&mut options)).map_err(|_| everything())?;
    if merged.is_automergeable() {
        return Ok(merged.content().to_vec());
    }
    let found = conflicts(&String::from_utf8_lossy(ours), &String::from_utf8_lossy(merged.content()));
    Err(if found.is_empty() { everything() } else { found })
}

/// Returns the lines of `ours` inside the conflicts of the merged text.
fn conflicts(ours: &str, merged: &str) -> Vec<RangeInclusive<usize>> {
    let marker = |sign: char| sign.to_string().repeat(CONFLICT_MARKER_LENGTH.into());
    let (begin, middle) = (marker('<'), marker('='));
    let (mut found, mut at, mut inside) = (Vec::new(), 1, None);
    for change in TextDiff::from_lines(ours, merged).iter_all_changes() {
        match (change.tag(), &mut inside) {
            (ChangeTag::Insert, _) if change.value().starts_with(&begin) => inside = Some(at..=at),
            (ChangeTag::Insert, _) if change.value().starts_with(&middle) => found.extend(inside.take()),
            (ChangeTag::Insert, _) => {}
            (ChangeTag::Equal | ChangeTag::Delete, inside) => {
                if let Some(lines) = inside {
                    *lines = *lines.start()..=at;
                }
                at += 1;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(texts: [&str; 3]) -> Result<String, Vec<RangeInclusive<usize>>> {
        three_way_merge(texts.map(str::as_bytes)).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn changes_of_other_lines_come_together_and_line_ends_stay() {
        let said = merged(["a: 1\r\nb\r\nc\r\nd: 1", "a: 2\r\nb\r\nc\r\nd: 1", "a: 1\r\nb\r\nc\r\nd: 0"]);
        assert_eq!(said.unwrap(), "a: 2\r\nb\r\nc\r\nd: 0");
    }

    #[test]
    fn what_both_have_changed_is_named_by_its_lines() {
        let said = merged(["a\nb\nc\nd\ne\nf: 1\n", "new\na\nb\nc\nd\ne\nf: 2\n", "a\nb\nc\nd\ne\nf: 0\n"]);
        assert_eq!(said, Err(vec![7..=7]));
        assert_eq!(merged(["a\nb\n", "a\nb: 2\n<<<<<<<\n", "a\n"]), Err(vec![2..=3]));
    }
}
