//! Base64 (RFC 4648, section 4), for output that is no text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What stands where a group of bytes is not full.
const PADDING: u8 = b'=';

/// How long bytes of this length become.
pub(super) const fn encoded_length(length: usize) -> usize {
    length.div_ceil(3) * 4
}

/// Writes bytes at the beginning of `to`, which has room for [`encoded_length`].
pub(super) fn encode(bytes: &[u8], to: &mut [u8]) {
    let groups = bytes.chunks(3).zip(to.chunks_exact_mut(4));
    for (group, to) in groups {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |shift: u32| ALPHABET[(all >> shift) as usize % 64];
        to[0] = digit(18);
        to[1] = digit(12);
        to[2] = if group.len() > 1 { digit(6) } else { PADDING };
        to[3] = if group.len() > 2 { digit(0) } else { PADDING };
    }
}

/// The bytes that a text stands for; none if it is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, []) = text.as_bytes().as_chunks::<4>() else {
        return None;
    };
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (number, group) in groups.iter().enumerate() {
        let digits = group.iter().take_while(|digit| **digit != PADDING).count();
        let is_last = number + 1 == groups.len();
        if digits < 2 || digits < 4 && !is_last {
            return None;
        }
        let mut all = 0;
        for (index, character) in group.iter().enumerate() {
            let expected_padding = index >= digits;
            let digit = match value(*character) {
                Some(digit) if !expected_padding => digit,
                None if expected_padding && *character == PADDING => 0,
                _ => return None,
            };
            all = all << 6 | digit;
        }
        bytes.extend_from_slice(&all.to_be_bytes()[1..digits]);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> String {
        let mut to = vec![0; encoded_length(bytes.len())];
        encode(bytes, &mut to);
        String::from_utf8(to).expect("base64 is ASCII")
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(text(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_base64_is_told() {
        for wrong in [
            "Z",
            "Zg",
            "Zg=",
            "Zg==Zg==",
            "Z===",
            "====",
            "Zg=a",
            "Zm9\u{fc}",
            "Zm9-",
        ] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back_as_they_were(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&text(&bytes)), Some(bytes));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[A-Za-z0-9+/=]{0,12}|\\PC{0,12}") {
            let _ = decode(&text);
        }
    }
}
