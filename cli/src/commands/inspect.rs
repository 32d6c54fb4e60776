//! `minirun inspect`.

use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, REFUSED};
use crate::output::sanitize::sanitize_json;
use crate::show;
use clap::Args;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::image::ImageError;
use minirun_runtime::runtime::Runtime;
use serde_json::Value;
use std::process::ExitCode;

/// Options of `minirun inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// Containers or images
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

impl RunCommand for Inspect {
    const ABOUT: &'static str = "Show everything about containers or images, as JSON";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.tidy_runtime()?;
        print_found(&self.names, |name| find(&runtime, name))
    }
}

/// Prints what was found as one array; says what was not, and exits with 1 then.
pub fn print_found(
    names: &[String],
    find: impl Fn(&str) -> Result<Value, Failure>,
) -> Result<ExitCode, Failure> {
    let mut found = Vec::new();
    let mut code = ExitCode::SUCCESS;
    let mut failures = Vec::new();
    for name in names {
        match find(name) {
            Ok(value) => found.push(value),
            Err(failure) => failures.push(failure),
        }
    }
    print(&sanitize_json(&format!("{:#}\n", Value::Array(found))))?;
    for failure in failures {
        failure.show();
        code = ExitCode::from(REFUSED);
    }
    Ok(code)
}

fn find(runtime: &Runtime, name: &str) -> Result<Value, Failure> {
    match runtime.resolve(name) {
        Ok(config) => Ok(show::inspect::container(&runtime.details(config)?)),
        Err(RuntimeError::UnknownContainer(_)) => match runtime.images.resolve(name) {
            Ok(image) => Ok(show::inspect::image(&image)),
            Err(ImageError::Unknown { .. }) => Err(Failure::new(format!(
                "no container or image is called `{name}`"
            ))),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}
