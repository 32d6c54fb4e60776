//! Showing a class what happens: a caption, the command as a person types it, its output, and whether it was as expected.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::finished::Finished;
use crate::place::Place;

/// Shows commands and remembers which expectations were not met.
#[derive(Debug, Default)]
pub struct Projector {
    missed: Vec<String>,
}

/// Where a command is typed, and what stands before it.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'place> {
    /// Where it runs.
    pub place: &'place Place,
    /// What stands before the `$`, with a blank; empty for the host itself.
    pub name: &'place str,
}

impl Projector {
    /// Plain text, as it is.
    pub fn say(&mut self, text: &str) {
        show(&format!("{text}\n"));
    }

    /// The heading of a part.
    pub fn heading(&mut self, text: &str) {
        show(&format!("\n{text}\n{}\n", "─".repeat(text.chars().count())));
    }

    /// A caption and the command below it, which is run and its output shown.
    pub fn run(&mut self, prompt: Prompt, caption: &str, command: &str) -> Finished {
        let finished = execute(prompt, command);
        show(&block(prompt, caption, command, &output_of(&finished)));
        finished
    }

    /// A line of output with its explanation.
    pub fn line(&mut self, caption: &str, line: &str) {
        show(&format!("\n{caption}\n    {line}\n"));
    }

    /// Notes whether `expectation`, a sentence in the present tense, holds.
    pub fn expect(&mut self, expectation: &str, holds: bool) {
        if !holds {
            self.missed.push(expectation.to_owned());
            show(&format!("  NOT SO: {expectation}\n"));
        }
    }

    /// The expectations that were not met, in order.
    pub fn missed(&self) -> &[String] {
        &self.missed
    }
}

fn execute(prompt: Prompt, command: &str) -> Finished {
    prompt.place.command("sh", ["-c", command])
}

fn output_of(finished: &Finished) -> String {
    let mut output = finished.stdout().to_owned() + finished.stderr();
    if let Some(code @ 1..) = finished.code() {
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        // Writing to a string cannot fail.
        writeln!(output, "(exit code {code})").ok();
    }
    output
}

fn block(prompt: Prompt, caption: &str, command: &str, output: &str) -> String {
    let indented: String = output.lines().map(|line| format!("    {line}\n")).collect();
    format!("\n{caption}\n  {}$ {command}\n{indented}", prompt.name)
}

/// A projector that is switched off is no reason to fail: the expectations decide.
fn show(text: &str) {
    io::stdout().write_all(text.as_bytes()).ok();
}
