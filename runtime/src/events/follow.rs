//! Reading what has happened, and waiting for more.

use super::EventFilter;
use super::event::Event;
use super::journal::{Journal, identity};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use jiff::Timestamp;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};

/// Which events to read.
#[derive(Debug, Default)]
pub struct EventQuery<'a> {
    /// Not those before this moment. Without this and `until`, only what happens from now on.
    pub since: Option<Timestamp>,
    /// Not those after this moment, for which no longer is waited; without it, until the reading is ended from outside.
    pub until: Option<Timestamp>,
    /// What they must be.
    pub filter: EventFilter,
    /// Where they are written to: when nobody reads there any more, the waiting ends.
    pub audience: Option<BorrowedFd<'a>>,
}

impl Runtime {
    /// Hands events to `told`, one after the other, as they happen.
    ///
    /// # Errors
    /// When the journal cannot be read, or `told` fails.
    pub fn events(
        &self,
        query: &EventQuery<'_>,
        told: &mut dyn FnMut(Event) -> io::Result<()>,
    ) -> Result<(), RuntimeError> {
        let journal = self.journal();
        let unreadable = |error| RuntimeError::file("read", journal.path(), error);
        // Begun before the first look, so that nothing can be missed between looking and waiting.
        let watch = Watch::begin(&journal)?;
        let is_past_wanted = query.since.is_some() || query.until.is_some();
        let mut reader = match is_past_wanted {
            true => Reader::from_the_first(&journal),
            false => Reader::from_now_on(&journal),
        }
        .map_err(unreadable)?;
        loop {
            while let Some(event) = reader.next().map_err(unreadable)? {
                if query.until.is_some_and(|until| event.time > until) {
                    return Ok(());
                }
                let is_new = query.since.is_none_or(|since| event.time >= since);
                if is_new && query.filter.includes(&event) {
                    told(event).map_err(|error| RuntimeError::system("write the events", error))?;
                }
            }
            if watch.wait(query)? == News::End {
                return Ok(());
            }
        }
    }
}

/// One reader's place in the journal.
pub(super) struct Reader<'a> {
    journal: &'a Journal,
    lines: BufReader<File>,
    partial: Vec<u8>,
    /// Whether the generation had been renamed before the last look at it.
    is_complete: bool,
}

impl Reader<'_> {
    pub(super) fn from_the_first(journal: &Journal) -> io::Result<Reader<'_>> {
        let generations = journal.generations()?;
        let first = generations.previous.unwrap_or(generations.current);
        Ok(Reader::of(journal, first))
    }

    pub(super) fn from_now_on(journal: &Journal) -> io::Result<Reader<'_>> {
        let mut file = journal.generations()?.current;
        file.seek(SeekFrom::End(0))?;
        Ok(Reader::of(journal, file))
    }

    fn of(journal: &Journal, file: File) -> Reader<'_> {
        Reader {
            journal,
            lines: BufReader::new(file),
            partial: Vec::new(),
            is_complete: false,
        }
    }

    /// The next event; none when there is no more now.
    pub(super) fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            if let Some(event) = self.read()? {
                return Ok(Some(event));
            }
            let generations = self.journal.generations()?;
            if self.is_at(&generations.current)? {
                return Ok(None);
            }
            if !self.is_complete {
                // What was written between the last look and the renaming is still to be read.
                self.is_complete = true;
                continue;
            }
            let next = match generations.previous {
                Some(previous) if !self.is_at(&previous)? => previous,
                _ => generations.current,
            };
            *self = Reader::of(self.journal, next);
        }
    }

    /// The next event of this generation. Lines that make no sense were not written to their end.
    fn read(&mut self) -> io::Result<Option<Event>> {
        loop {
            self.lines.read_until(b'\n', &mut self.partial)?;
            if self.partial.last() != Some(&b'\n') {
                return Ok(None);
            }
            let is_blank = self.partial.len() == 1;
            let parsed = (!is_blank).then(|| serde_json::from_slice(&self.partial).ok());
            self.partial.clear();
            if let Some(event) = parsed.flatten() {
                return Ok(Some(event));
            }
        }
    }

    fn is_at(&self, file: &File) -> io::Result<bool> {
        let own = self.lines.get_ref().metadata()?;
        Ok(identity(&own) == identity(&file.metadata()?))
    }
}

/// What a wait has brought.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// There may be more to read.
    More,
    /// The time is over, or nobody listens any more.
    End,
}

/// Waits for the journal to grow.
struct Watch {
    changes: Inotify,
}

impl Watch {
    /// The directory is watched, since files in it come and go.
    fn begin(journal: &Journal) -> Result<Watch, RuntimeError> {
        let directory = &journal.directory;
        fs::create_dir_all(directory)
            .map_err(|error| RuntimeError::file("create", directory, error))?;
        let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .map_err(|error| RuntimeError::system("watch files", error))?;
        let wanted =
            AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        changes
            .add_watch(directory, wanted)
            .map_err(|error| RuntimeError::file("watch", directory, error.into()))?;
        Ok(Watch { changes })
    }

    fn wait(&self, query: &EventQuery<'_>) -> Result<News, RuntimeError> {
        loop {
            let patience = match query
                .until
                .map(|until| until.duration_since(Timestamp::now()))
            {
                None => PollTimeout::NONE,
                Some(rest) if rest.is_positive() => {
                    // Rounded up, so that it is not asked again and again within the last millisecond.
                    PollTimeout::try_from(rest.as_millis().saturating_add(1))
                        .unwrap_or(PollTimeout::MAX)
                }
                Some(_) => return Ok(News::End),
            };
            let mut questions = vec![PollFd::new(self.changes.as_fd(), PollFlags::POLLIN)];
            // That nobody reads any more is told without being asked for.
            questions.extend(
                query
                    .audience
                    .map(|audience| PollFd::new(audience, PollFlags::empty())),
            );
            match poll(&mut questions, patience) {
                Ok(0) | Err(Errno::EINTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(RuntimeError::system("wait for events", error)),
            }
            if questions[1..].iter().any(|one| one.any() == Some(true)) {
                return Ok(News::End);
            }
            return self.hear();
        }
    }

    fn hear(&self) -> Result<News, RuntimeError> {
        let heard = match self.changes.read_events() {
            Ok(heard) => heard,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(News::More),
            Err(error) => return Err(RuntimeError::system("wait for events", error)),
        };
        let is_gone = |mask: AddWatchFlags| mask.contains(AddWatchFlags::IN_IGNORED);
        match heard.iter().any(|one| is_gone(one.mask)) {
            true => Err(RuntimeError::system(
                "wait for events in a directory that was removed",
                io::Error::from(ErrorKind::NotFound),
            )),
            false => Ok(News::More),
        }
    }
}
