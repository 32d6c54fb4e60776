//! Paths on the stack, for a child that may not allocate.

use std::ffi::CStr;
use std::ops::Range;

use nix::errno::Errno;

const CAPACITY: usize = libc::PATH_MAX as usize;

/// A path that grows at its end and loses its last components, always followed by a NUL byte.
pub(super) struct VisitedPath {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl VisitedPath {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            length: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }

    pub(super) fn push(&mut self, component: &[u8]) -> Result<(), Errno> {
        let start = if self.length == 0 { 0 } else { self.length + 1 };
        let end = start + component.len();
        if end >= CAPACITY {
            return Err(Errno::ENAMETOOLONG);
        }
        if start > 0 {
            self.bytes[start - 1] = b'/';
        }
        self.bytes[start..end].copy_from_slice(component);
        self.bytes[end] = 0;
        self.length = end;
        Ok(())
    }

    /// Goes up by one; at the top it stays there, as `..` in a root directory does.
    pub(super) fn pop(&mut self) {
        let parent = self.parent().len();
        self.truncate(parent);
    }

    /// All but the last component; empty at the top.
    pub(super) fn parent(&self) -> &[u8] {
        let path = &self.bytes[..self.length];
        let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        &path[..end]
    }

    /// The path; a single dot at the top.
    pub(super) fn as_c_str(&self) -> &CStr {
        match CStr::from_bytes_until_nul(&self.bytes) {
            Ok(path) if !path.is_empty() => path,
            _ => c".",
        }
    }

    /// The last component; empty at the top.
    pub(super) fn name(&self) -> &CStr {
        let parent = self.parent().len();
        let start = if parent == 0 { 0 } else { parent + 1 };
        CStr::from_bytes_until_nul(&self.bytes[start..]).unwrap_or(c"")
    }

    fn truncate(&mut self, length: usize) {
        self.length = length;
        self.bytes[length] = 0;
    }
}

/// A path that is eaten from its front, where the targets of symbolic links are put back. It lies at the end of its
/// buffer, so that there is room.
pub(super) struct PendingPath {
    bytes: [u8; CAPACITY],
    start: usize,
}

impl PendingPath {
    pub(super) fn new(path: &[u8]) -> Result<Self, Errno> {
        let mut pending = Self {
            bytes: [0; CAPACITY],
            start: CAPACITY,
        };
        pending.prepend(path)?;
        Ok(pending)
    }

    /// Puts a path before what is left.
    pub(super) fn prepend(&mut self, path: &[u8]) -> Result<(), Errno> {
        let needed = path.len() + 1;
        if needed > self.start {
            return Err(Errno::ENAMETOOLONG);
        }
        let start = self.start - needed;
        self.bytes[start..start + path.len()].copy_from_slice(path);
        self.bytes[self.start - 1] = b'/';
        self.start = start;
        Ok(())
    }

    /// The next component that names something (neither empty nor a dot), taken off the front.
    pub(super) fn take(&mut self) -> Option<&[u8]> {
        loop {
            let component = self.next_range()?;
            self.start = component.end;
            let empty = component.is_empty() || &self.bytes[component.clone()] == b".";
            if self.start < CAPACITY {
                self.start += 1;
            }
            if !empty {
                return Some(&self.bytes[component]);
            }
        }
    }

    /// Whether nothing but slashes and dots is left.
    pub(super) fn is_finished(&self) -> bool {
        self.bytes[self.start..]
            .split(|byte| *byte == b'/')
            .all(|component| component.is_empty() || component == b".")
    }

    fn next_range(&self) -> Option<Range<usize>> {
        if self.start == CAPACITY {
            return None;
        }
        let length = self.bytes[self.start..]
            .iter()
            .position(|byte| *byte == b'/')
            .unwrap_or(CAPACITY - self.start);
        Some(self.start..self.start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visited_path_never_climbs_above_its_top() {
        let mut path = VisitedPath::new();
        path.push(b"etc").expect("room");
        path.push(b"hosts").expect("room");
        assert_eq!(path.as_c_str(), c"etc/hosts");
        assert_eq!((path.parent(), path.name()), (&b"etc"[..], c"hosts"));
        path.pop();
        assert_eq!((path.parent(), path.name()), (&b""[..], c"etc"));
        path.pop();
        path.pop();
        assert_eq!(path.as_c_str(), c".");
    }

    #[test]
    fn a_pending_path_gives_its_components_and_takes_links_in_front() {
        let mut path = PendingPath::new(b"//etc/./hosts/").expect("room");
        assert_eq!(path.take(), Some(&b"etc"[..]));
        assert!(!path.is_finished());
        path.prepend(b"../run").expect("room");
        assert_eq!(path.take(), Some(&b".."[..]));
        assert_eq!(path.take(), Some(&b"run"[..]));
        assert_eq!(path.take(), Some(&b"hosts"[..]));
        assert!(path.is_finished());
        assert_eq!(path.take(), None);
    }

    #[test]
    fn a_path_that_does_not_fit_is_refused() {
        let long = [b'a'; CAPACITY];
        assert_eq!(PendingPath::new(&long).map(drop), Err(Errno::ENAMETOOLONG));
        assert_eq!(VisitedPath::new().push(&long), Err(Errno::ENAMETOOLONG));
    }
}
