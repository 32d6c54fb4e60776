//! `minirun info`.

use super::inspect_format::InspectFormat;
use crate::command_line::Run as RunCommand;
use crate::context::{Context, print};
use crate::failure::{Failure, complain};
use crate::show::facts;
use clap::Args;
use std::process::ExitCode;

/// Options of `minirun info`.
#[derive(Debug, Args)]
pub struct Info {
    /// Show it as JSON, or as a template makes it
    #[arg(short, long, value_name = "json|TEMPLATE")]
    format: Option<InspectFormat>,
}

impl RunCommand for Info {
    const ABOUT: &'static str = "Show what minirun knows about this host";

    fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        let runtime = context.asking_runtime()?;
        let facts = runtime.facts()?;
        let text = match &self.format {
            None => facts::lines(&facts),
            Some(InspectFormat::Json) => format!("{}\n", facts::value(&facts)),
            Some(InspectFormat::Template(template)) => {
                format!(
                    "{}\n",
                    template
                        .render(&facts::value(&facts))
                        .map_err(Failure::new)?
                )
            }
        };
        print(&text)?;
        for warning in facts::warnings(&facts) {
            complain("warning", &warning.to_string());
        }
        Ok(ExitCode::SUCCESS)
    }
}
