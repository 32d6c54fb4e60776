//! The few things that are read straight from the bytes of a message: its header and where its question ends.
//!
//! The library that knows the wire format refuses messages with a type it has never heard of, and makes room for as many
//! records as a header claims. What comes from outside is therefore cut down to a question before the library sees it.

/// The length of a header in bytes (RFC 1035 section 4.1.1).
pub(super) const HEADER: usize = 12;

/// The longest message, in bytes: its length is sent as 16 bits before it over TCP.
pub(super) const LONGEST: usize = u16::MAX as usize;

/// The longest name in bytes, with the lengths of its labels (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 255;

/// The longest label; a larger length would be a pointer, and there is nothing in front of a question to point at.
const LONGEST_LABEL: usize = 63;

/// Two bytes, the first of which is the higher.
pub(super) fn number(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Where the only question of a message ends: name, type and class.
pub(super) fn question_end(message: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1 + length;
        if length > LONGEST_LABEL || at - HEADER > LONGEST_NAME {
            return None;
        }
        if length == 0 {
            break;
        }
    }
    (at + 4 <= message.len()).then_some(at + 4)
}

/// Whether this is a response rather than a query.
pub(super) fn is_response(message: &[u8]) -> bool {
    message.get(2).is_some_and(|flags| flags & 0x80 != 0)
}

/// The four bits that say what went wrong, if anything (RFC 1035 section 4.1.1).
pub(super) fn response_code(message: &[u8]) -> u8 {
    message.get(3).map_or(0, |flags| flags & 0x0f)
}

/// Puts another id in front of a message.
pub(super) fn set_id(message: &mut [u8], id: [u8; 2]) {
    if let Some(place) = message.get_mut(..2) {
        place.copy_from_slice(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_question(question: &[u8]) -> Vec<u8> {
        let mut message = vec![0; HEADER];
        message.extend(question);
        message
    }

    #[test]
    fn a_question_ends_behind_its_class() {
        let message = with_question(b"\x03web\x00\x00\x01\x00\x01and more");
        assert_eq!(question_end(&message), Some(HEADER + 9));
    }

    #[test]
    fn cut_off_questions_pointers_and_names_that_are_too_long_are_none() {
        let whole = with_question(b"\x03web\x00\x00\x01\x00\x01");
        for length in 0..whole.len() {
            assert_eq!(question_end(&whole[..length]), None, "{length}");
        }
        assert_eq!(
            question_end(&with_question(b"\xc0\x0c\x00\x01\x00\x01")),
            None
        );
        let long = b"\x01a".repeat(128);
        assert_eq!(
            question_end(&with_question(&[&long[..], &[0; 5]].concat())),
            None
        );
        let longest = b"\x01a".repeat(127);
        let longest = with_question(&[&longest[..], &[0; 5]].concat());
        assert_eq!(question_end(&longest), Some(longest.len()));
    }
}
