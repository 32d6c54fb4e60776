//! `minirun rmi`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun rmi`.
#[derive(Debug, Args)]
pub struct RemoveImage {
    /// Images
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
}

impl RunCommand for RemoveImage {
    const ABOUT: &'static str = "Remove images";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let mut code = ExitCode::SUCCESS;
        for image in &self.images {
            match runtime.remove_image(image) {
                Ok(removed) => {
                    for name in &removed.untagged {
                        print(&format!("Untagged: {name}\n"))?;
                    }
                    if let Some(id) = &removed.deleted {
                        print(&format!("Deleted: {id}\n"))?;
                    }
                }
                Err(error) => code = Failure::from(error).show(),
            }
        }
        Ok(code)
    }
}
