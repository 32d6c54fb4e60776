//! `minirun export`.

use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::Failure;
use crate::whole_file::WholeFile;
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `minirun export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
}

impl RunCommand for Export {
    const ABOUT: &'static str = "Write a container's root file system as a tar archive";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let Some(path) = &self.output else {
            let mut output = std::io::stdout().lock();
            if output.is_terminal() {
                return Err(Failure::new("an archive is not written to a terminal")
                    .with_hint("give a file with `-o`, or redirect the output"));
            }
            runtime.export(&config, &mut output)?;
            return Ok(ExitCode::SUCCESS);
        };
        let cannot = |error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
        let mut file = WholeFile::create(path).map_err(cannot)?;
        runtime.export(&config, file.writer())?;
        file.keep().map_err(cannot)?;
        Ok(ExitCode::SUCCESS)
    }
}
