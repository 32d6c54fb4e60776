//! The sign that somebody has stopped a container, so that its end is no reason to start it again.
//!
//! It is written before the signal and removed at the next start. It lies beside the record and outlives the boot: whether a
//! user had stopped a container decides what becomes of it after the next one.

use crate::container_state::ContainerPaths;
use crate::error::RuntimeError;
use std::fs;
use std::io::ErrorKind;

/// Who has stopped a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// A user, who wants it to stay so.
    User,
    /// The host, which was about to go down.
    Host,
}

impl StoppedBy {
    fn word(self) -> &'static str {
        match self {
            StoppedBy::User => "user\n",
            StoppedBy::Host => "host\n",
        }
    }
}

impl ContainerPaths {
    /// Who has stopped the container since its last start.
    ///
    /// # Errors
    /// When the sign exists and cannot be read.
    pub fn stopped_by(&self) -> Result<Option<StoppedBy>, RuntimeError> {
        let path = self.stopped();
        match fs::read_to_string(&path) {
            Ok(word) if word == StoppedBy::Host.word() => Ok(Some(StoppedBy::Host)),
            // Whoever was killed while writing it had been told to stop the container.
            Ok(_) => Ok(Some(StoppedBy::User)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RuntimeError::file("read", &path, error)),
        }
    }

    /// Notes who stops the container. One that has just been removed needs no sign.
    pub(crate) fn mark_stopped(&self, by: StoppedBy) -> Result<(), RuntimeError> {
        let path = self.stopped();
        match fs::write(&path, by.word()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(RuntimeError::file("write", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// Forgets that somebody had stopped the container, because it is started.
    pub(crate) fn unmark_stopped(&self) -> Result<(), RuntimeError> {
        let path = self.stopped();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(RuntimeError::file("remove", &path, error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_says_who_it_was_and_goes_with_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ContainerPaths {
            root: directory.path().into(),
            state: directory.path().into(),
        };
        assert_eq!(paths.stopped_by().unwrap(), None);
        for by in [StoppedBy::Host, StoppedBy::User] {
            paths.mark_stopped(by).unwrap();
            assert_eq!(paths.stopped_by().unwrap(), Some(by));
        }
        paths.unmark_stopped().unwrap();
        paths.unmark_stopped().unwrap();
        assert_eq!(paths.stopped_by().unwrap(), None);
    }
}
