//! Text from outside, made safe for a terminal.
//!
//! Names, labels, commands and headers may hold escape sequences that move the cursor, rewrite what was shown, or answer
//! on the user's behalf, and characters that turn the reading direction so that text appears as something else.

use std::borrow::Cow;

/// The text with every character that a terminal would act upon written out as `\n`, `\x1b` or `\u{202e}`.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_active) {
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

/// JSON with every character that a terminal would act upon written as JSON's own escape, so that it still means the same. The newlines
/// between values stay; in values JSON has escaped them already.
pub fn sanitize_json(json: &str) -> Cow<'_, str> {
    let is_escaped = |character: char| character != '\n' && is_active(character);
    if !json.contains(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        match is_escaped(character) {
            // All of them are in the plane that one unit of UTF-16 can name.
            true => safe.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => safe.push(character),
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

    #[test]
    fn json_obeys_no_escape_sequence_and_means_the_same() {
        let value = serde_json::json!({"a": "\u{9b}2J\x7f\x1b[m\u{202e}\n", "b": ["Grüße 🐋"]});
        for json in [value.to_string(), format!("{value:#}")] {
            let safe = sanitize_json(&json);
            assert!(!safe.contains(|character| character != '\n' && is_active(character)));
            assert!(safe.contains("Grüße 🐋"), "{safe}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
                value
            );
        }
        assert!(matches!(sanitize_json("{}\n"), Cow::Borrowed("{}\n")));
    }
}
