//! `minirun inspect`.

use super::inspect_format::InspectFormat;
use super::inspect_kind::InspectKind;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, show_all};
use crate::output::sanitize::sanitize_json;
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

/// Options of `minirun inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// How to show them: `json`, or a template such as `{{.State.Pid}}`
    #[arg(short, long, value_name = "json|TEMPLATE")]
    format: Option<InspectFormat>,
    /// Look for nothing else: container, image, network or volume
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<InspectKind>,
    /// Show how large containers are
    #[arg(short, long)]
    size: bool,
    /// Containers, images, networks or volumes
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

impl RunCommand for Inspect {
    const ABOUT: &'static str =
        "Show everything about containers, images, networks or volumes, as JSON";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.asking_runtime_for(&self.names)?;
        print_as(&self.names, self.format.as_ref(), |name| {
            InspectKind::find((&runtime, self.kind), name, self.size.into())
        })
    }
}

/// Prints what was found, in the form that is asked for or as one array; says what was not, and exits with 1 then.
pub fn print_as(
    names: &[String],
    format: Option<&InspectFormat>,
    find: impl Fn(&str) -> Result<Value, Failure>,
) -> Result<ExitCode, Failure> {
    let mut found = Vec::new();
    let mut lines = String::new();
    let mut failures = Vec::new();
    for name in names {
        match (find(name), format) {
            (Ok(value), Some(InspectFormat::Template(template))) => match template.render(&value) {
                Ok(line) => lines.extend([&line, "\n"]),
                Err(error) => failures.push(Failure::new(error)),
            },
            (Ok(value), _) => found.push(value),
            (Err(failure), _) => failures.push(failure),
        }
    }
    print(&match format {
        None => sanitize_json(&format!("{:#}\n", Value::Array(found))).into_owned(),
        Some(InspectFormat::Json) => {
            sanitize_json(&format!("{}\n", Value::Array(found))).into_owned()
        }
        Some(InspectFormat::Template(_)) => lines,
    })?;
    Ok(show_all(failures))
}
