//! Text that others wrote, made safe to show: what a terminal or a reader could be fooled by is escaped.

/// At most `max` characters of `text`, with control and invisible characters and those that turn the direction of
/// writing escaped. Every printer uses it for authors, subjects, paths and messages of remotes.
pub fn display_safe(text: &str, max: usize) -> String {
    let mut safe = String::new();
    let mut length = 0;
    for character in text.chars() {
        let shown: String =
            if deceives(character) { character.escape_default().collect() } else { character.to_string() };
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

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::display_safe;

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        assert_eq!(display_safe("a\u{1b}[2Jb\u{202e}c\nd", 80), r"a\u{1b}[2Jb\u{202e}c\nd");
        assert_eq!(display_safe("Zoë <zoë@example.com> 🎉", 80), "Zoë <zoë@example.com> 🎉");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(display_safe("abcdef", 6), "abcdef");
        assert_eq!(display_safe("abcdefg", 6), "abcde…");
        assert_eq!(display_safe("abc\u{1b}", 6), "abc…");
        assert_eq!(display_safe(&"x".repeat(1 << 20), 10).chars().count(), 10);
        assert_eq!(display_safe("abc", 0), "");
    }
}
