//! `wget`: fetches one document over HTTP, and says plainly why it could not.
//!
//! [`settings`] and [`url`] read the arguments, [`connect`] resolves and connects, [`exchange`] asks, [`content`] takes the
//! answer's framing off.

mod connect;
mod content;
mod exchange;
mod settings;
mod url;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use self::connect::Connected;
use self::exchange::Answer;
use self::settings::{Report, ServerHead, Settings, Target};
use super::program::{Failure, Program, Status};
use super::reason::reason;
use super::signals;
use crate::output::sanitize::sanitize;

const PROGRAM: Program = Program {
    name: "wget",
    usage: "wget [-q] [-S] [-O FILE|-] [-T SECONDS] URL",
    misuse: 1,
};

/// The status after an answer that says the document is not to be had, as GNU wget has it.
const REFUSED_BY_SERVER: Status = 8;

/// Runs `wget`.
pub fn main(arguments: &[OsString]) -> ExitCode {
    PROGRAM.run(arguments, run)
}

fn run(arguments: &[OsString]) -> Result<Status, Failure> {
    let settings = Settings::parse(arguments)?;
    signals::end_when_asked()?;
    let connected = connect::connect(&settings.url.host, settings.url.port, settings.timeout)?;
    let fetched = fetch(
        &settings,
        exchange::request(&connected, &settings.url)?,
        &connected,
    );
    connected.await_close();
    fetched
}

/// Shows and saves an answer as it is wanted.
fn fetch(settings: &Settings, answer: Answer, connected: &Connected) -> Result<Status, Failure> {
    if settings.server_head == ServerHead::Shown {
        show_head(&answer);
    }
    if !(200..300).contains(&answer.status) {
        return Err(refused(settings, &answer));
    }
    let size = save(answer, &settings.target)?;
    if settings.report == Report::OneLine {
        let (url, target) = (&settings.url, &settings.target);
        let place = format!("{}:{} ({})", url.host, url.port, connected.peer.ip());
        let message = format!("wget: {place} answered with {size} bytes, saved to {target}\n");
        let _ = io::stderr().write_all(message.as_bytes());
    }
    Ok(0)
}

/// Writes the content where it shall go; returns its size in bytes.
fn save(mut answer: Answer, target: &Target) -> Result<u64, Failure> {
    let cannot_write =
        |error: &io::Error| Failure::new(format!("cannot write {target}: {}", reason(error)));
    let mut output: Box<dyn Write> = match target {
        Target::StandardOutput => Box::new(io::stdout().lock()),
        Target::File(path) => Box::new(File::create(path).map_err(|error| cannot_write(&error))?),
    };
    let mut size = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = answer.content.read(&mut buffer)?;
        if count == 0 {
            return output
                .flush()
                .map(|()| size)
                .map_err(|error| cannot_write(&error));
        }
        size += count as u64;
        output
            .write_all(&buffer[..count])
            .map_err(|error| cannot_write(&error))?;
    }
}

fn refused(settings: &Settings, answer: &Answer) -> Failure {
    let line = format!("{} {}", answer.status, answer.words);
    let advice = match answer.status {
        300..400 => "; it is somewhere else, and this wget does not follow",
        _ => "",
    };
    Failure::Failed {
        message: format!(
            "{} answered {}{advice}",
            settings.url,
            sanitize(line.trim())
        ),
        status: REFUSED_BY_SERVER,
    }
}

/// The head as the server sent it, two blanks before each line as GNU wget has it.
fn show_head(answer: &Answer) {
    let fields = answer.head.fields.iter();
    let lines =
        fields.map(|(name, value)| format!("  {}\n", sanitize(&format!("{name}: {value}"))));
    let start = format!("  {}\n", sanitize(&answer.head.start_line));
    let text: String = std::iter::once(start).chain(lines).collect();
    let _ = io::stderr().write_all(text.as_bytes());
}
