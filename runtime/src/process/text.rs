//! Words for system calls and for people.

use std::ffi::{CStr, CString};
use std::path::Path;

use super::error::ProcessError;

/// The word as the kernel wants it.
pub(super) fn c_string(
    what: &'static str,
    word: impl AsRef<[u8]>,
) -> Result<CString, ProcessError> {
    let word = word.as_ref();
    CString::new(word).map_err(|_| ProcessError::NulByte {
        what,
        value: String::from_utf8_lossy(word).into_owned(),
    })
}

/// A path inside the container, made relative to the container's root: `/etc/hosts` becomes `etc/hosts`, and `/`
/// becomes `.`.
pub(super) fn relative_to_root(what: &'static str, path: &Path) -> Result<CString, ProcessError> {
    use std::os::unix::ffi::OsStrExt;
    if !path.is_absolute() {
        return Err(ProcessError::RelativePath {
            what,
            path: path.to_owned(),
        });
    }
    let bytes = path.as_os_str().as_bytes();
    let start = bytes.iter().position(|byte| *byte != b'/');
    match start {
        Some(start) => c_string(what, &bytes[start..]),
        None => c_string(what, "."),
    }
}

/// The word as a person reads it.
pub(super) fn shown(word: &CStr) -> String {
    word.to_string_lossy().into_owned()
}

/// The word as a shell reads it: quoted if it holds anything but letters, digits and harmless punctuation.
pub(super) fn quoted(word: &CStr) -> String {
    let word = shown(word);
    let harmless =
        |character: char| character.is_ascii_alphanumeric() || "_-+=:,./@%".contains(character);
    if !word.is_empty() && word.chars().all(harmless) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_a_shell_would_change_are_quoted() {
        assert_eq!(quoted(c"etc/hosts"), "etc/hosts");
        assert_eq!(quoted(c""), "''");
        assert_eq!(quoted(c"it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn paths_lose_their_leading_slashes() {
        let relative = |path| relative_to_root("mount target", Path::new(path));
        assert_eq!(relative("//proc/sys").expect("absolute"), *c"proc/sys");
        assert_eq!(relative("/").expect("absolute"), *c".");
        assert!(relative("proc").is_err());
    }
}
