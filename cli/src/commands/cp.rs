//! `minirun cp`.

use super::copy_argument::CopyArgument;
use crate::command_line::Run as RunCommand;
use crate::context::Context;
use crate::failure::{Failure, complain, tell};
use crate::output::sanitize::sanitize;
use crate::output::size::human_size;
use clap::Args;
use minirun_runtime::files::{
    ContainerPath, Copied, CopyOptions, CopyOwnership, FollowLink, HostPath, Skipped,
};
use minirun_runtime::runtime::Runtime;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// Options of `minirun cp`.
#[derive(Debug, Args)]
pub struct Copy {
    /// Keep the numbers of user and group, and set-user-id bits
    #[arg(short, long)]
    archive: bool,
    /// Copy what a symbolic link that is named as the source leads to
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Do not tell how much was copied
    #[arg(short, long)]
    quiet: bool,
    /// What to copy: a path on the host or CONTAINER:PATH; `-` is a tar archive on standard input
    #[arg(value_name = "SOURCE")]
    source: CopyArgument,
    /// Where to: a path on the host or CONTAINER:PATH; `-` is a tar archive on standard output
    #[arg(value_name = "DESTINATION")]
    destination: CopyArgument,
}

impl RunCommand for Copy {
    const ABOUT: &'static str = "Copy files between a container and the host";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let copied = match (&self.source, &self.destination) {
            (CopyArgument::Container { name, path }, CopyArgument::Stream) => {
                return self.pack(&context.runtime()?, (name, path));
            }
            (CopyArgument::Container { name, path }, CopyArgument::Host(target)) => {
                let runtime = context.runtime()?;
                let paths = (&ContainerPath::new(path), &on_host(target)?);
                let config = runtime.resolve(name)?;
                runtime.copy_from_container(&config, paths, self.options(), &mut skipped)?
            }
            (CopyArgument::Host(source), CopyArgument::Container { name, path }) => {
                let runtime = context.runtime()?;
                let paths = (&on_host(source)?, &ContainerPath::new(path));
                let config = runtime.resolve(name)?;
                runtime.copy_to_container(&config, paths, self.options(), &mut skipped)?
            }
            (CopyArgument::Stream, CopyArgument::Container { name, path }) => {
                let runtime = context.runtime()?;
                let config = runtime.resolve(name)?;
                let archive = (Box::new(std::io::stdin()) as _, &ContainerPath::new(path));
                runtime.unpack_to_container(
                    &config,
                    archive,
                    self.options().ownership,
                    &mut skipped,
                )?
            }
            (CopyArgument::Container { .. }, CopyArgument::Container { .. }) => {
                return Err(Failure::new("cannot copy from one container to another")
                    .with_hint("pass it on: `minirun cp ONE:PATH - | minirun cp - OTHER:PATH`"));
            }
            _ => {
                return Err(
                    Failure::new("neither source nor destination is in a container")
                        .with_hint("name one as `CONTAINER:PATH`"),
                );
            }
        };
        self.tell_copied(copied);
        Ok(ExitCode::SUCCESS)
    }
}

impl Copy {
    fn options(&self) -> CopyOptions {
        CopyOptions {
            ownership: match self.archive {
                true => CopyOwnership::Kept,
                false => CopyOwnership::Usual,
            },
            follow: match self.follow_link {
                true => FollowLink::Yes,
                false => FollowLink::No,
            },
        }
    }

    fn pack(&self, runtime: &Runtime, (name, path): (&str, &Path)) -> Result<ExitCode, Failure> {
        let mut output = std::io::stdout().lock();
        if output.is_terminal() {
            return Err(Failure::new("an archive is not written to a terminal")
                .with_hint("redirect the output: `minirun cp CONTAINER:PATH - >FILE`"));
        }
        let config = runtime.resolve(name)?;
        let path = ContainerPath::new(path);
        runtime.pack_from_container(&config, &path, self.options().follow, &mut output)?;
        Ok(ExitCode::SUCCESS)
    }

    fn tell_copied(&self, copied: Copied) {
        if !self.quiet {
            let size = human_size(copied.size_bytes);
            let destination = self.destination.to_string();
            let destination = sanitize(&destination);
            tell(&format!("Successfully copied {size} to {destination}\n"));
        }
    }
}

fn on_host(path: &Path) -> Result<HostPath, Failure> {
    let here = std::env::current_dir()
        .map_err(|error| Failure::new(format!("cannot find the current directory: {error}")))?;
    Ok(HostPath::new(path, &here))
}

fn skipped(skipped: Skipped) {
    complain("warning", &skipped.to_string());
}
