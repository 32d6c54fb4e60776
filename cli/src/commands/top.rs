//! `minirun top`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::show::top::{Surroundings, columns, list};
use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use minirun_runtime::statistics::host_memory;
use std::collections::HashMap;
use std::fs;
use std::process::ExitCode;

/// Options of `minirun top`.
#[derive(Debug, Args)]
pub struct Top {
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// How to list them, as for ps(1): `-ef`, `aux`, `-o pid,user,args`
    #[arg(
        value_name = "OPTIONS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    options: Vec<String>,
}

impl RunCommand for Top {
    const ABOUT: &'static str = "List the processes of a container";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let columns = columns(&self.options).map_err(Failure::new)?;
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let processes = runtime.processes(&config)?;
        let surroundings = Surroundings {
            users: names("/etc/passwd"),
            groups: names("/etc/group"),
            now: Timestamp::now(),
            zone: TimeZone::system(),
            memory: host_memory(),
        };
        print(&list(&processes, &columns, &surroundings))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The host's names by number: as with Docker, those of the image do not count. Without the file there are none.
fn names(path: &str) -> HashMap<u32, String> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(number)) = (fields.next(), fields.nth(1))
            && let Ok(number) = number.parse()
        {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}
