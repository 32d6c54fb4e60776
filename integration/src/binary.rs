//! Where the minirun program under test is.

use std::env;
use std::path::PathBuf;

/// Path of the `minirun` program: `MINIRUN_BINARY` if it is set, else beside the running executable's profile directory.
///
/// `None` if there is no such file; [`explain_missing`] says what to do about it.
pub fn find() -> Option<PathBuf> {
    let candidate = candidate();
    candidate.is_file().then_some(candidate)
}

/// What to tell the person whose checkout has no built program.
pub fn explain_missing() -> String {
    format!(
        "the program under test is missing: `{}` does not exist; run `cargo build --workspace`, or name it in MINIRUN_BINARY",
        candidate().display()
    )
}

fn candidate() -> PathBuf {
    if let Some(named) = env::var_os("MINIRUN_BINARY") {
        return PathBuf::from(named);
    }
    let mut directory = env::current_exe().expect("the running executable has a path");
    directory.pop();
    // Test executables lie one level below the programs of the same profile.
    if directory.ends_with("deps") {
        directory.pop();
    }
    directory.join("minirun")
}
