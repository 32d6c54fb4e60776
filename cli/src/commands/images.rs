//! `minirun images`.

use super::format::{Format, truncation};
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use crate::show::images;
use clap::Args;
use jiff::Timestamp;
use minirun_runtime::image::DemoImage;
use std::process::ExitCode;

/// Options of `minirun images`.
#[derive(Debug, Args)]
pub struct Images {
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,
    /// How to show them
    #[arg(long, default_value = "table", value_name = "table|json|TEMPLATE")]
    format: Format,
}

impl RunCommand for Images {
    const ABOUT: &'static str = "List images";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        // The built-in image is always there, so it is made before it is asked for. A full disk must not hide the others.
        let built_in = DemoImage::ensure(&runtime.images);
        print(&images::list(
            &runtime.images.list()?,
            &self.format.unless(self.quiet),
            truncation(self.no_trunc),
            Timestamp::now(),
        )?)?;
        built_in?;
        Ok(ExitCode::SUCCESS)
    }
}
