//! Text from outside, made fit for a terminal.

use std::borrow::Cow;

/// Longer texts are cut: a message is read by people.
const LONGEST: usize = 80;

/// `text` for a message: as [`display_safe`], cut after 80 characters.
pub fn show(text: &str) -> Cow<'_, str> {
    if text.chars().nth(LONGEST).is_none() && !text.contains(is_unfit) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(display_safe(text, LONGEST))
}

/// At most `max` characters of `text`, with control and invisible characters and those that turn the direction of
/// writing escaped. Every printer uses it for what others wrote: authors, subjects, paths, messages of remotes.
pub fn display_safe(text: &str, max: usize) -> String {
    let mut safe = String::new();
    let mut length = 0;
    for character in text.chars() {
        let shown = escape(std::iter::once(character));
        length += shown.chars().count();
        if length > max {
            // The ellipsis takes the place of the last character, so that the result is never longer than `max`.
            while safe.chars().count() >= max && safe.pop().is_some() {}
            safe.extend((max > 0).then_some('…'));
            return safe;
        }
        safe.push_str(&shown);
    }
    safe
}

/// As [`show`], and letters that only look like those of ASCII are escaped too: for names that must be ASCII.
pub fn show_ascii(text: &str) -> String {
    let letters = show(text);
    let escape = |letter: char| {
        if letter.is_ascii() || letter == '…' { letter.to_string() } else { letter.escape_unicode().to_string() }
    };
    letters.chars().map(escape).collect()
}

/// The characters, those that are unfit for a terminal escaped as in Rust: `\u{1b}`.
pub(crate) fn escape(letters: impl Iterator<Item = char>) -> String {
    let mut shown = String::new();
    for letter in letters {
        if is_unfit(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

/// Control characters (Unicode's Cc), and of the format characters (Cf) those that reorder or hide text; the
/// sources: <https://www.unicode.org/reports/tr36/> and CVE-2021-42574.
pub(crate) fn is_unfit(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(letter, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_and_reordering_characters_are_escaped() {
        assert_eq!(show("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(show("1\u{202e}2\n"), "1\\u{202e}2\\n");
        assert_eq!(show("\u{85}\u{200b}"), "\\u{85}\\u{200b}");
    }

    #[test]
    fn letters_that_look_like_others_are_escaped_in_names() {
        assert_eq!(show_ascii("\u{441}heckout\n"), "\\u{441}heckout\\n");
    }

    #[test]
    fn plain_text_stays_as_it_is_and_long_text_is_cut() {
        assert_eq!(show("ζέβρα 1.8"), "ζέβρα 1.8");
        assert_eq!(show(&"x".repeat(81)), format!("{}…", "x".repeat(79)));
        assert_eq!(display_safe("abcdefg", 6), "abcde…");
        assert_eq!(display_safe("abc\u{1b}", 6), "abc…");
        assert_eq!(display_safe("abc", 0), "");
        assert_eq!(display_safe(&"x".repeat(1 << 20), 10).chars().count(), 10);
        assert_eq!(show(&"x".repeat(80)), "x".repeat(80));
    }
}
