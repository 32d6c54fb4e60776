//! Text from outside, made safe for a terminal.
//!
//! Names, labels, commands and headers may hold escape sequences that move the cursor, rewrite what was shown, or answer
//! on the user's behalf, and characters that turn the reading direction so that text appears as something else.

use std::borrow::Cow;

/// The text with every character that a terminal would act upon written out as `\n`, `\x1b` or `\u{202e}`.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            _ if !is_active(character) => safe.push(character),
            '\n' | '\r' | '\t' => safe.extend(character.escape_default()),
            '\0'..='\u{ff}' => safe.push_str(&format!("\\x{:02x}", u32::from(character))),
            _ => safe.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

/// Control characters, line and paragraph separators, and what changes the direction or joins without being seen.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_as_it_is() {
        for text in ["", "web1", "Grüße, 世界 🐋", "\\x1b"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(sanitize("\x1b[2Jweb1"), "\\x1b[2Jweb1");
        assert_eq!(sanitize("\u{9b}2J"), "\\x9b2J");
        assert_eq!(sanitize("a\u{7f}\u{8}b"), "a\\x7f\\x08b");
        assert_eq!(sanitize("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
    }

    #[test]
    fn characters_that_turn_the_direction_are_shown() {
        assert_eq!(sanitize("web\u{202e}gnp"), "web\\u{202e}gnp");
        assert_eq!(sanitize("a\u{2066}b\u{200b}c"), "a\\u{2066}b\\u{200b}c");
    }
}
