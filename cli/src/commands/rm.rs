//! `minirun rm`.

use super::link_path::LinkPath;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
use crate::narration::Narration;
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::remove::Force;
use minirun_runtime::runtime::Runtime;
use std::process::ExitCode;

/// Options of `minirun rm`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Kill containers that run, and do not mind those that do not exist
    #[arg(short, long)]
    force: bool,
    /// Remove links instead, each named as SOURCE/ALIAS; both containers stay as they are
    #[arg(short, long, conflicts_with = "force")]
    link: bool,
    /// Remove the anonymous volumes of the containers, too
    #[arg(short, long, conflicts_with = "link")]
    volumes: bool,
    /// Tell every step, with the command a person would type for it
    #[arg(long)]
    explain: bool,
    /// Containers, or links
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
}

impl RunCommand for Remove {
    const ABOUT: &'static str = "Remove containers, or links between them";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime_for(&self.containers)?;
        let mut narration = Narration::new(self.explain);
        let mut code = ExitCode::SUCCESS;
        if self.force && !self.explain && self.containers.len() > 1 {
            kill_at_once(&runtime, &self.containers);
        }
        for name in &self.containers {
            let removed = match self.link {
                true => remove_link(&runtime, name, &mut narration),
                false => self.remove(&runtime, name, &mut narration),
            };
            match removed {
                Ok(Removed::Gone) => print(&format!("{name}\n"))?,
                Ok(Removed::NeverThere) => {}
                Err(failure) => code = failure.show(),
            }
        }
        Ok(code)
    }
}

/// Kills all of them before the first is waited for. What does not work is told when it is tried again.
fn kill_at_once(runtime: &Runtime, names: &[String]) {
    for name in names {
        if let Ok(config) = runtime.resolve(name)
            && !config.auto_remove
        {
            let _ = runtime.kill(&config);
        }
    }
}

/// What became of what was to be removed.
enum Removed {
    Gone,
    NeverThere,
}

impl Remove {
    fn remove(
        &self,
        runtime: &Runtime,
        name: &str,
        narration: &mut Narration,
    ) -> Result<Removed, Failure> {
        let force = if self.force { Force::Yes } else { Force::No };
        let removed = runtime.resolve(name).and_then(|config| {
            runtime.remove(&config, force, narration)?;
            if self.volumes {
                runtime.remove_anonymous_volumes(&config);
            }
            Ok(())
        });
        match removed {
            Ok(()) => Ok(Removed::Gone),
            // What is not there needs no removing; but a misspelt name should be seen.
            Err(RuntimeError::UnknownContainer(name)) if self.force => {
                complain("warning", &format!("no container is called `{name}`"));
                Ok(Removed::NeverThere)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn remove_link(
    runtime: &Runtime,
    text: &str,
    narration: &mut Narration,
) -> Result<Removed, Failure> {
    let link: LinkPath = text.parse().map_err(Failure::new)?;
    let source = runtime.resolve(&link.source)?;
    runtime.remove_link(&source, &link.alias, narration)?;
    Ok(Removed::Gone)
}
