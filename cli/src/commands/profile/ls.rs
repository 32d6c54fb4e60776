//! `minirun profile ls`.

use crate::context::print;
use crate::failure::{Failure, show_all};
use crate::output::table::Table;
use clap::Args;
use minirun_runtime::profile::{Listed, Origin, ProfileWord, find, list};
use minirun_runtime::runtime::Directories;
use std::process::ExitCode;

/// Options of `minirun profile ls`.
#[derive(Debug, Args)]
pub struct ProfileList {
    /// Show names only
    #[arg(short, long)]
    quiet: bool,
}

impl ProfileList {
    pub(super) fn run(self, directories: &Directories) -> Result<ExitCode, Failure> {
        let profiles = list(directories).map_err(Failure::new)?;
        if self.quiet {
            let names = profiles.iter().map(|listed| format!("{}\n", listed.name));
            print(&names.collect::<String>())?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(&["NAME", "ORIGIN", "DESCRIPTION"]);
        let mut failures = Vec::new();
        for Listed { name, origin } in profiles {
            let word = ProfileWord::Name(name.clone());
            let description = match find(directories, &word) {
                Ok(profile) => description(&profile.text),
                Err(error) => {
                    failures.push(Failure::new(error));
                    String::new()
                }
            };
            let origin = match origin {
                Origin::BuiltIn(_) => "built in".to_owned(),
                Origin::File(path) => path.display().to_string(),
            };
            table.push([name, origin, description]);
        }
        print(&table.to_string())?;
        Ok(show_all(failures))
    }
}

/// The comment that a profile begins with.
fn description(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let comment = first.strip_prefix('#').unwrap_or_default();
    comment.trim().to_owned()
}
