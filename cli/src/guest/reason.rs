//! Why an operation failed, in the words that go after a colon.

use std::io;

use nix::errno::Errno;

/// The reason alone: lower case, and without the number that the standard library appends.
pub fn reason(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_owned(),
        None => error.to_string(),
    };
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "unknown reason".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_begins_in_lower_case_and_has_no_number() {
        let error = io::Error::from_raw_os_error(nix::libc::ECONNREFUSED);
        assert_eq!(reason(&error), "connection refused");
    }

    #[test]
    fn a_reason_of_our_own_is_kept() {
        assert_eq!(reason(&io::Error::other("No luck today")), "no luck today");
    }
}
