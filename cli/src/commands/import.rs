//! `minirun import`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::Failure;
use clap::Args;
use minirun_runtime::image::{Change, ImageReference, ImportSource};
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

/// Options of `minirun import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Set something of the image: `EXPOSE 80`, `ENV A=b`, `CMD ["httpd"]`, `ENTRYPOINT`, `WORKDIR`, `USER`, `LABEL`,
    /// `STOPSIGNAL`, `HEALTHCHECK`, `VOLUME`
    #[arg(short, long, value_name = "INSTRUCTION")]
    change: Vec<Change>,
    /// A tar archive (plain, gzip or zstd), a directory, or `-` for standard input
    #[arg(value_name = "FILE|DIRECTORY|-")]
    source: PathBuf,
    /// Name of the image
    #[arg(value_name = "NAME[:TAG]")]
    name: ImageReference,
}

impl RunCommand for Import {
    const ABOUT: &'static str = "Make an image from a tar archive or a directory";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.runtime()?;
        let source = self.open()?;
        let image = runtime.import_image(source, &self.name, &self.change)?;
        print(&format!("{}\n", image.id))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    fn open(&self) -> Result<ImportSource, Failure> {
        if self.source.as_os_str() == "-" {
            return Ok(ImportSource::Tar(Box::new(std::io::stdin())));
        }
        if self.source.is_dir() {
            return Ok(ImportSource::Directory(self.source.clone()));
        }
        let file = File::open(&self.source).map_err(|error| {
            Failure::new(format!("cannot open `{}`: {error}", self.source.display()))
        })?;
        Ok(ImportSource::Tar(Box::new(file)))
    }
}
