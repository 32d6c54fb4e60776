//! Why the kernel did not do what one netlink request asked.

use std::fmt;
use std::io;

use netlink_packet_core::ErrorMessage;

/// The `NLM_F_CAPPED` flag of `linux/netlink.h`: the error repeats only the header of the request.
const CAPPED: u16 = 0x100;
/// The `NLM_F_ACK_TLVS` flag of `linux/netlink.h`: attributes follow.
const ATTRIBUTES_FOLLOW: u16 = 0x200;
/// The `NLMSGERR_ATTR_MSG` attribute of `linux/netlink.h`: the kernel's own words.
const WORDS: u16 = 1;
/// The two highest bits of an attribute's type are flags.
const ATTRIBUTE_TYPE_MASK: u16 = 0x3fff;
/// The length of `struct nlmsghdr`.
const MESSAGE_HEADER_LENGTH: usize = 16;
/// The length of `struct nlattr`.
const ATTRIBUTE_HEADER_LENGTH: usize = 4;

/// Why one netlink request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The kernel refused.
    Refused {
        /// The positive error number of errno(3).
        errno: i32,
        /// The kernel's own words beside the number, where it has any.
        words: Option<String>,
    },
    /// The list changed each time it was read, so it was never whole.
    Unstable,
    /// The kernel answered something that the question does not allow.
    Unexpected,
    /// The connection ended before the answer came.
    Disconnected,
}

impl RequestError {
    /// The kernel's error number, where it refused.
    pub fn raw_os_error(&self) -> Option<i32> {
        match self {
            RequestError::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// Reads a refusal out of the kernel's error message; `flags` are those of its netlink header.
    pub(crate) fn from_message(message: &ErrorMessage, flags: u16) -> RequestError {
        RequestError::Refused {
            errno: message.raw_code().abs(),
            words: kernel_words(&message.header, flags),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Refused { errno, words } => {
                write!(formatter, "{}", io::Error::from_raw_os_error(*errno))?;
                match words {
                    Some(words) => write!(formatter, ", the kernel says: {words}"),
                    None => Ok(()),
                }
            }
            RequestError::Unstable => formatter.write_str("it changed each time it was read"),
            RequestError::Unexpected => {
                formatter.write_str("the kernel's answer is not understood")
            }
            RequestError::Disconnected => formatter.write_str("the netlink connection was closed"),
        }
    }
}

impl std::error::Error for RequestError {}

/// Finds the kernel's words in what follows the error number: the request or only its header, then attributes. The crates
/// below do not decode this.
fn kernel_words(payload: &[u8], flags: u16) -> Option<String> {
    if flags & ATTRIBUTES_FOLLOW == 0 {
        return None;
    }
    let repeated = match flags & CAPPED {
        0 => u32::from_ne_bytes(payload.get(..4)?.try_into().ok()?) as usize,
        _ => MESSAGE_HEADER_LENGTH,
    };
    let mut rest = payload.get(align(repeated)..)?;
    loop {
        let length = u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?) & ATTRIBUTE_TYPE_MASK;
        let value = rest.get(ATTRIBUTE_HEADER_LENGTH..length)?;
        if kind == WORDS {
            let text = String::from_utf8_lossy(value);
            return Some(text.trim_end_matches('\0').to_string());
        }
        rest = rest.get(align(length)..)?;
    }
}

/// Netlink pads to four bytes.
fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = (ATTRIBUTE_HEADER_LENGTH + value.len()) as u16;
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(align(bytes.len()), 0);
        bytes
    }

    #[test]
    fn the_words_are_found_behind_a_capped_header() {
        let payload = [
            vec![0; 16],
            attribute(2, &[1, 2, 3, 4]),
            attribute(WORDS, b"no\0"),
        ]
        .concat();
        let words = kernel_words(&payload, CAPPED | ATTRIBUTES_FOLLOW);
        assert_eq!(words.as_deref(), Some("no"));
    }

    #[test]
    fn the_words_are_found_behind_a_whole_request() {
        let mut payload = vec![0; 24];
        payload[..4].copy_from_slice(&22u32.to_ne_bytes());
        payload.extend(attribute(WORDS, b"Nexthop has invalid gateway\0"));
        let words = kernel_words(&payload, ATTRIBUTES_FOLLOW);
        assert_eq!(words.as_deref(), Some("Nexthop has invalid gateway"));
    }

    #[test]
    fn no_attributes_means_no_words() {
        assert_eq!(kernel_words(&[0; 64], 0), None);
        assert_eq!(kernel_words(&[0; 16], CAPPED | ATTRIBUTES_FOLLOW), None);
    }

    #[test]
    fn a_refusal_reads_as_number_and_words() {
        let refusal = RequestError::Refused {
            errno: libc::ENETUNREACH,
            words: Some("Nexthop has invalid gateway".to_string()),
        };
        assert_eq!(
            refusal.to_string(),
            "Network is unreachable (os error 101), the kernel says: Nexthop has invalid gateway"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_loop(payload: Vec<u8>, flags: u16) {
            let _ = kernel_words(&payload, flags | ATTRIBUTES_FOLLOW);
        }
    }
}
