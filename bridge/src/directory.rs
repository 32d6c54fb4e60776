//! Listing directories of the state.

use crate::error::NetworkError;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The names of a directory's entries; none if it does not exist. What is not text was not written by us.
pub(crate) fn names_in(directory: &Path) -> Result<Vec<String>, NetworkError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(NetworkError::file("list", directory, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| NetworkError::file("list", directory, error))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}
