//! What every command knows: where things are, and what the command line sets above the configuration.

use crate::failure::{Failure, complain};
use minirun_runtime::config::ContainerConfig;
use minirun_runtime::error::RuntimeError;
use minirun_runtime::forerunner::Forerunner;
use minirun_runtime::runtime::{Directories, Overrides, Runtime};
use minirun_runtime::summary::ContainerSummary;
use std::cell::RefCell;
use std::io::Write;
use std::process::ExitCode;

/// Where things are, as the command line and the environment say.
#[derive(Debug)]
pub struct Context {
    /// The directories.
    pub directories: Directories,
    /// What is stronger than the configuration file.
    pub overrides: Overrides,
    /// Who was sent before the words were understood; whoever can use what it makes takes it.
    pub forerunner: RefCell<Option<Forerunner>>,
}

impl Context {
    /// The runtime.
    pub fn runtime(&self) -> Result<Runtime, RuntimeError> {
        Runtime::open(self.directories.clone(), self.overrides)
    }

    /// The runtime, after it has repaired what killed commands and monitors left.
    pub fn tidy_runtime(&self) -> Result<Runtime, RuntimeError> {
        tidy(self.runtime()?)
    }

    /// The same for a command that has to do with the containers it names, however many there are.
    pub fn tidy_runtime_for(&self, containers: &[String]) -> Result<Runtime, RuntimeError> {
        tidy_for(self.runtime()?, containers)
    }

    /// As [`Context::tidy_runtime_for`], for a command that shows nothing before it has asked everything, and changes nothing.
    pub fn asking_runtime_for(&self, containers: &[String]) -> Result<Runtime, RuntimeError> {
        tidy_for(self.unswept_runtime()?, containers)
    }

    /// As [`Context::tidy_runtime`], for a command that shows nothing before it has asked everything, and changes nothing.
    pub fn asking_runtime(&self) -> Result<Runtime, RuntimeError> {
        tidy(self.unswept_runtime()?)
    }

    /// The same, together with all containers, oldest first, each of which is looked at once.
    pub fn survey(&self) -> Result<(Runtime, Vec<ContainerSummary>), RuntimeError> {
        let runtime = self.unswept_runtime()?;
        let survey = runtime.survey()?;
        tell(survey.failures);
        Ok((runtime, survey.containers))
    }

    fn unswept_runtime(&self) -> Result<Runtime, RuntimeError> {
        Runtime::open_to_ask(self.directories.clone(), self.overrides)
    }
}

fn tidy(runtime: Runtime) -> Result<Runtime, RuntimeError> {
    tell(runtime.sweep()?);
    Ok(runtime)
}

fn tidy_for(runtime: Runtime, containers: &[String]) -> Result<Runtime, RuntimeError> {
    tell(runtime.sweep_named(containers)?);
    Ok(runtime)
}

/// Warns of what could not be repaired.
fn tell(failures: Vec<RuntimeError>) {
    for failure in failures {
        complain("warning", &failure.to_string());
    }
}

/// Writes text to standard output. Whoever reads it may stop reading; that is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// The containers of several names, as far as there are any. What is wrong with the other names has been told.
pub struct Found<'a> {
    /// The containers, in the order in which they were named.
    pub containers: Vec<ContainerConfig>,
    /// Their names, as they were typed.
    pub names: Vec<&'a str>,
    /// Success, if all were found.
    pub code: ExitCode,
}

impl<'a> Found<'a> {
    /// Looks for them.
    pub fn among(runtime: &Runtime, names: &'a [String]) -> Found<'a> {
        let mut found = Found {
            containers: Vec::new(),
            names: Vec::new(),
            code: ExitCode::SUCCESS,
        };
        for name in names {
            match runtime.resolve(name) {
                Ok(config) => {
                    found.containers.push(config);
                    found.names.push(name);
                }
                Err(error) => found.code = Failure::from(error).show(),
            }
        }
        found
    }
}

/// Does the same to each container in turn and prints its name as it was typed. Goes on past failures.
pub fn for_each(
    runtime: &Runtime,
    names: &[String],
    mut act: impl FnMut(&ContainerConfig) -> Result<(), RuntimeError>,
) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    for name in names {
        match runtime.resolve(name).and_then(|config| act(&config)) {
            Ok(()) => print(&format!("{name}\n"))?,
            Err(error) => code = Failure::from(error).show(),
        }
    }
    Ok(code)
}
