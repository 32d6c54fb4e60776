//! The program: where it may be, its arguments, its environment.

use std::ffi::{CStr, CString};
use std::fmt;

use nix::errno::Errno;

use super::error::ProcessError;
use super::text::{c_string, quoted};

/// Where a program is looked for when the environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program to execute, in the form that execve(2) takes.
pub struct Program {
    candidates: Vec<CString>,
    arguments: PointerArray,
    environment: PointerArray,
}

impl Program {
    /// Prepares the program. A first word without a slash is looked for along the `PATH` of `environment`.
    pub(super) fn new(arguments: &[String], environment: &[String]) -> Result<Self, ProcessError> {
        let command = arguments.first().ok_or(ProcessError::EmptyCommand)?;
        let path = environment
            .iter()
            .rev()
            .find_map(|variable| variable.strip_prefix("PATH="))
            .unwrap_or(DEFAULT_PATH);
        Ok(Self {
            candidates: candidates(command, path)?,
            arguments: PointerArray::new("argument", arguments)?,
            environment: PointerArray::new("environment variable", environment)?,
        })
    }

    /// The first word of the command line.
    pub(super) fn command(&self) -> String {
        self.arguments
            .strings
            .first()
            .map_or_else(String::new, |command| {
                command.to_string_lossy().into_owned()
            })
    }

    /// The command line as a shell reads it.
    pub(super) fn command_line(&self) -> String {
        let words: Vec<String> = self
            .arguments
            .strings
            .iter()
            .map(|word| quoted(word))
            .collect();
        words.join(" ")
    }

    /// Tries every candidate, and returns only if none could be executed. A file that is there but refused outweighs
    /// those that are not there, and these outweigh places that cannot be looked at. Called in the child: no allocation.
    pub(super) fn execute(&self) -> Errno {
        let (mut refused, mut missing, mut unreachable) = (None, None, None);
        for candidate in &self.candidates {
            match self.execute_one(candidate) {
                Errno::EACCES => refused = Some(Errno::EACCES),
                Errno::ENOENT | Errno::ENOTDIR => missing = Some(Errno::ENOENT),
                errno @ (Errno::ENAMETOOLONG
                | Errno::ELOOP
                | Errno::ENODEV
                | Errno::ESTALE
                | Errno::ETIMEDOUT) => unreachable = Some(errno),
                errno => return errno,
            }
        }
        refused.or(missing).or(unreachable).unwrap_or(Errno::ENOENT)
    }

    fn execute_one(&self, path: &CStr) -> Errno {
        // SAFETY: the path is a C string, and both arrays hold pointers to C strings that self owns, and end with a
        // null pointer.
        unsafe {
            libc::execve(
                path.as_ptr(),
                self.arguments.pointers.as_ptr(),
                self.environment.pointers.as_ptr(),
            )
        };
        Errno::last()
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Program")
            .field("candidates", &self.candidates)
            .field("arguments", &self.arguments.strings)
            .field("environment", &self.environment.strings)
            .finish()
    }
}

fn candidates(command: &str, path: &str) -> Result<Vec<CString>, ProcessError> {
    if command.is_empty() {
        return Ok(Vec::new());
    }
    if command.contains('/') {
        return Ok(vec![c_string("command", command)?]);
    }
    path.split(':')
        .map(|directory| match directory {
            // An empty entry means the working directory, as in every shell.
            "" => c_string("command", format!("./{command}")),
            _ => c_string("command", format!("{directory}/{command}")),
        })
        .collect()
}

/// Words, and pointers to them with a null pointer at the end.
struct PointerArray {
    strings: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl PointerArray {
    fn new(what: &'static str, words: &[String]) -> Result<Self, ProcessError> {
        let strings = words
            .iter()
            .map(|word| c_string(what, word))
            .collect::<Result<Vec<_>, _>>()?;
        let pointers = strings
            .iter()
            .map(|string| string.as_ptr())
            .chain([std::ptr::null()])
            .collect();
        Ok(Self { strings, pointers })
    }
}

// SAFETY: the pointers lead to the heap memory of `strings`, which moves with them and is never changed.
unsafe impl Send for PointerArray {}
// SAFETY: as above; nothing can be changed through a shared reference.
unsafe impl Sync for PointerArray {}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(arguments: &[&str], environment: &[&str]) -> Result<Program, ProcessError> {
        let own = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        Program::new(&own(arguments), &own(environment))
    }

    #[test]
    fn a_bare_word_is_looked_for_along_the_path() {
        let program = program(&["true"], &["PATH=/a::/b"]).expect("it is prepared");
        assert_eq!(
            program.candidates,
            [c"/a/true", c"./true", c"/b/true"].map(CString::from)
        );
    }

    #[test]
    fn a_word_with_a_slash_is_taken_as_it_is() {
        let program = program(&["./true"], &["PATH=/a"]).expect("it is prepared");
        assert_eq!(program.candidates, [CString::from(c"./true")]);
    }

    #[test]
    fn without_a_path_the_usual_places_are_searched() {
        let program = program(&["true"], &[]).expect("it is prepared");
        assert_eq!(program.candidates.len(), 6);
    }

    #[test]
    fn an_empty_command_line_and_a_nul_byte_are_refused() {
        assert!(matches!(program(&[], &[]), Err(ProcessError::EmptyCommand)));
        assert!(matches!(
            program(&["a\0b"], &[]),
            Err(ProcessError::NulByte { .. })
        ));
    }

    #[test]
    fn a_place_that_cannot_be_looked_at_does_not_end_the_search() {
        let directory = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink("loop", directory.path().join("loop")).expect("a link");
        let lost = format!("{}/loop", directory.path().display());
        let path = format!("PATH=/{}:{lost}:/", "long".repeat(2000));
        let searched = program(&["minirun-test-missing"], &[&path]).expect("it is prepared");
        assert_eq!(searched.execute(), Errno::ENOENT);
        let named = program(&[&lost], &[]).expect("it is prepared");
        assert_eq!(named.execute(), Errno::ELOOP);
    }

    #[test]
    fn a_program_that_is_nowhere_is_reported_as_missing() {
        let program =
            program(&["minirun-test-missing"], &["PATH=/:/dev/null"]).expect("it is prepared");
        assert_eq!(program.execute(), Errno::ENOENT);
    }
}
