//! The benchmark: what minirun costs, beside the bare kernel and beside its peers.
//!
//! Theory of operation
//! 1. A [`row`] says what is measured and where its value must lie. The parts (`starts`, `peers`, `crowd`, `requests`, `wire`,
//!    `size`, `profile`) measure the rows that [`options`] ask for and add what they find to the [`findings`].
//! 2. Everything runs on a [`bench`], a test host with a [`stopwatch`]. Before each sample the bench waits until whatever was measured
//!    before is gone; all programs are started by the stopwatch, in the same way.
//! 3. What is compared takes turns, in an order that changes (a `contest`), so that a slow minute of the machine is everybody's.
//! 4. A peer or feature that is not here is a row that says so. A command of minirun that fails is a failure, and the program's end
//!    says that; a target that is missed is only reported, since what is measured depends on the machine.
//! 5. The `report` goes to the terminal and into a `document`, the `record` to a file, the `plots` into a directory.

pub mod bare;
mod bench;
mod bundle;
mod chart;
mod contest;
mod crowd;
mod document;
pub mod findings;
mod load;
mod machine;
pub mod options;
mod peers;
mod plots;
mod processors;
mod profile;
mod record;
mod report;
mod requests;
pub mod row;
mod size;
mod starts;
pub mod stopwatch;
mod wire;

use std::fs;
use std::path::Path;

use findings::Findings;
use machine::Machine;
use options::Options;

/// Measures what is asked for, prints it and writes what is wanted. Says whether nothing failed.
///
/// # Errors
///
/// If a file cannot be read or written; its name is in the message.
pub fn run(options: &Options) -> Result<bool, String> {
    let machine = Machine::here();
    println!("{}", machine.lines().join("\n"));
    println!("samples   {} of each, in changing order", options.runs);
    if cfg!(debug_assertions) {
        println!("warning   this is a build for debugging, and so may be what it measures");
    }
    println!();
    let mut findings = Findings::default();
    for part in [
        starts::measure,
        profile::measure,
        peers::measure,
        crowd::measure,
        requests::measure,
        wire::measure,
        size::measure,
    ] {
        part(options, &mut findings);
    }
    print!("{}", report::text(&findings));
    if !findings.profile.is_empty() {
        print!("\n{}", profile::markdown(&findings.profile));
    }
    publish(options, &machine, &findings)?;
    Ok(!findings.has_failures())
}

fn publish(options: &Options, machine: &Machine, findings: &Findings) -> Result<(), String> {
    if let Some(path) = &options.json {
        write(path, &record::text(machine, findings))?;
    }
    if let Some(directory) = &options.plots {
        plots::write(findings, directory)
            .map_err(|error| format!("cannot write to `{}`: {error}", directory.display()))?;
    }
    match &options.document {
        Some(path) => renew(path, machine, findings),
        None => Ok(()),
    }
}

/// What was not measured stays as it was.
fn renew(path: &Path, machine: &Machine, findings: &Findings) -> Result<(), String> {
    let mut text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    text = document::replace(&text, "benchmark", &report::markdown(machine, findings))?;
    if !findings.profile.is_empty() {
        text = document::replace(&text, "profile", &profile::markdown(&findings.profile))?;
    }
    write(path, &text)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}
