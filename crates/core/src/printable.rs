//! Makes text from outside safe for a terminal.

use std::borrow::Cow;

/// The longest text in a message, in characters.
const LONGEST: usize = 80;

/// Returns `text` for a message, escaped as by [`display_safe`], and cut after 80 characters.
pub fn show(text: &str) -> Cow<'_, str> {
    if text.chars().nth(LONGEST).is_none() && !text.contains(is_unfit) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(display_safe(text, LONGEST))
}

/// Returns at most `max` characters of `text`. Control characters, invisible characters and characters that change the
/// writing direction are escaped. Every printer uses it for text by others: authors, subjects, paths, messages of
/// remotes.
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

/// Returns `text` as [`show`] does, with all characters outside ASCII escaped. Names that must be ASCII use it, because
/// other letters can look the same.
pub fn show_ascii(text: &str) -> String {
    let letters = show(text);
    let escape = |letter: char| {
        if letter.is_ascii() || letter == '…' { letter.to_string() } else { letter.escape_unicode().to_string() }
    };
    letters.chars().map(escape).collect()
}

/// Escapes the characters that are unsafe for a terminal, as in Rust: `\u{1b}`.
pub(crate) fn escape(letters: impl Iterator<Item = char>) -> String {
    let mut shown = String::new();
    for letter in letters {
        if is_unfit(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

/// Returns whether a character is unsafe: a control character (Unicode's Cc), or a format character (Cf) that reorders
/// or hides text. Sources: <https://www.unicode.org/reports/tr36/> and CVE-2021-42574.
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
