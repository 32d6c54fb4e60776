//! `minirun commit`.

use super::switch::parse_switch;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::files::{CommitOptions, WhileCommitting};
use minirun_runtime::image::{Change, ImageReference};
use std::process::ExitCode;

/// Options of `minirun commit`.
#[derive(Debug, Args)]
pub struct Commit {
    /// Who makes the image, as in `Jane <jane@example.org>`
    #[arg(short, long, value_name = "AUTHOR")]
    author: Option<String>,
    /// What is to be said about it
    #[arg(short, long, value_name = "COMMENT")]
    message: Option<String>,
    /// Set something of the image: `EXPOSE 80`, `ENV A=b`, `CMD ["httpd"]`, `ENTRYPOINT`, `WORKDIR`, `USER`, `LABEL`,
    /// `STOPSIGNAL`, `HEALTHCHECK`, `VOLUME`
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<Change>,
    /// Whether the container stands still meanwhile
    #[arg(
        short,
        long,
        value_name = "true|false",
        default_value = "true",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        value_parser = parse_switch
    )]
    pause: bool,
    /// Let the container go on meanwhile
    #[arg(long, conflicts_with = "pause")]
    no_pause: bool,
    /// Container
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// Name of the image
    #[arg(value_name = "REPOSITORY[:TAG]")]
    name: Option<ImageReference>,
}

impl RunCommand for Commit {
    const ABOUT: &'static str = "Make an image of a container and what it has changed";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let config = runtime.resolve(&self.container)?;
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let options = CommitOptions {
            reference: self.name,
            author: said(self.author),
            comment: said(self.message),
            changes: self.change,
            meanwhile: match self.pause && !self.no_pause {
                true => WhileCommitting::Paused,
                false => WhileCommitting::Running,
            },
        };
        let image = runtime.commit(&config, options)?;
        print(&format!("{}\n", image.id))?;
        Ok(ExitCode::SUCCESS)
    }
}
