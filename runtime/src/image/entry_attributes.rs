//! Reads the attributes of an archive's entry from its header and from the POSIX extensions in front of it.

use std::ffi::CString;
use std::io::Read;

use nix::sys::time::TimeSpec;
use tar::{Entry, Header};

use super::attributes::{Attributes, is_kept};
use super::entry_path::EntryPath;
use super::tree_error::TreeError;

/// What the keys of extended attributes begin with; GNU tar, bsdtar, Go and Docker agree on it.
const EXTENDED_ATTRIBUTE: &[u8] = b"SCHILY.xattr.";
/// What the keys of sparse files in the POSIX form begin with.
const SPARSE: &[u8] = b"GNU.sparse.";

/// The attributes of an entry.
///
/// # Errors
/// [`TreeError::Header`] for a field that cannot be read, [`TreeError::Sparse`] for a sparse file in the POSIX form.
pub(crate) fn attributes_of(
    entry: &mut Entry<'_, impl Read>,
    path: &EntryPath,
) -> Result<Attributes, TreeError> {
    let mut attributes = from_header(entry.header(), path)?;
    let malformed = || unreadable(path, "extended header");
    let Some(extensions) = entry.pax_extensions().map_err(|_| malformed())? else {
        return Ok(attributes);
    };
    for extension in extensions {
        let extension = extension.map_err(|_| malformed())?;
        let (key, value) = (extension.key_bytes(), extension.value_bytes());
        if key.starts_with(SPARSE) {
            return Err(TreeError::Sparse {
                path: path.to_string(),
            });
        }
        if key == b"mtime" {
            attributes.modified = parse_time(value).ok_or_else(|| unreadable(path, "time"))?;
        }
        if let Some(name) = key
            .strip_prefix(EXTENDED_ATTRIBUTE)
            .filter(|name| is_kept(name))
        {
            let name = CString::new(name).map_err(|_| malformed())?;
            attributes.extended.push((name, value.to_owned()));
        }
    }
    Ok(attributes)
}

fn from_header(header: &Header, path: &EntryPath) -> Result<Attributes, TreeError> {
    let number = |value: u64| u32::try_from(value).ok();
    let owner = header.uid().ok().and_then(number);
    let group = header.gid().ok().and_then(number);
    let seconds = header.mtime().ok().map(u64::cast_signed);
    Ok(Attributes {
        mode: header.mode().map_err(|_| unreadable(path, "mode"))? & 0o7777,
        owner: owner.ok_or_else(|| unreadable(path, "owner"))?,
        group: group.ok_or_else(|| unreadable(path, "group"))?,
        modified: TimeSpec::new(seconds.ok_or_else(|| unreadable(path, "time"))?, 0),
        extended: Vec::new(),
    })
}

fn unreadable(path: &EntryPath, field: &'static str) -> TreeError {
    TreeError::Header {
        path: path.to_string(),
        field,
    }
}

/// Reads seconds since the epoch with a decimal fraction, perhaps negative, to the nanosecond.
fn parse_time(value: &[u8]) -> Option<TimeSpec> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{fraction:0<9}");
    let nanoseconds: i64 = digits.get(..9)?.parse().ok()?;
    // A time keeps its nanoseconds counting forwards, so a negative one begins a second earlier.
    Some(match whole.starts_with('-') && nanoseconds > 0 {
        true => TimeSpec::new(seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds),
        false => TimeSpec::new(seconds, nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let read = |text: &str| parse_time(text.as_bytes());
        assert_eq!(read("12"), Some(TimeSpec::new(12, 0)));
        assert_eq!(read("12.5"), Some(TimeSpec::new(12, 500_000_000)));
        assert_eq!(read("12.1234567891"), Some(TimeSpec::new(12, 123_456_789)));
        assert_eq!(read("-1.25"), Some(TimeSpec::new(-2, 750_000_000)));
        assert_eq!(read("-0.25"), Some(TimeSpec::new(-1, 750_000_000)));
        assert_eq!(read("1.x"), None);
        assert_eq!(read(""), None);
    }
}
