//! The table: for a terminal, and for a document.

use crate::benchmark::findings::{Findings, Outcome, Side, Trouble};
use crate::benchmark::machine::Machine;
use crate::benchmark::row::Row;
use crate::statistics::Summary;

/// How a row came out, in a word.
pub fn verdict(row: &Row, outcome: &Outcome) -> &'static str {
    match (outcome, row.target) {
        (Err(Trouble::NotHere(_)), _) => "not measurable here",
        (Err(Trouble::Failed(_)), _) => "FAILED",
        (Ok(_), None) => "for comparison",
        (Ok(measurement), Some(target)) if target.is_met_by(measurement.value) => "met",
        (Ok(_), Some(_)) => "MISSED",
    }
}

/// Everything for a terminal: one line for each row, and below it what its value was made of.
pub fn text(findings: &Findings) -> String {
    let mut lines = Vec::new();
    for (row, outcome) in findings.rows() {
        let target = row
            .target
            .map(|target| target.format(row.unit))
            .unwrap_or_default();
        let value = match outcome {
            Ok(measurement) => row.unit.format(measurement.value),
            Err(_) => "–".to_owned(),
        };
        let verdict = verdict(row, outcome);
        let (name, what) = (row.name, plain(row.what));
        lines.push(format!(
            "{name:28}{value:>12}  {target:10} {verdict:19} {what}"
        ));
        match outcome {
            Ok(measurement) => {
                lines.extend(measurement.sides.iter().filter_map(side));
                lines.extend(measurement.note.iter().map(|note| format!("    ({note})")));
            }
            Err(Trouble::NotHere(reason) | Trouble::Failed(reason)) => {
                lines.push(format!("    ({reason})"));
            }
        }
    }
    lines.join("\n") + "\n"
}

fn side(side: &Side) -> Option<String> {
    let summary = Summary::of(&side.samples)?;
    let number = |value| side.unit.format(value);
    Some(format!(
        "    {:58} median {:>18}, minimum {:>18}, 90 of 100 {:>18}, of {}",
        side.name,
        number(summary.median),
        number(summary.minimum),
        number(summary.ninetieth_percentile),
        side.samples.len()
    ))
}

/// A terminal needs no marks for what is code.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// The machine and the table, as Markdown.
pub fn markdown(machine: &Machine, findings: &Findings) -> String {
    let mut lines = vec![
        format!(
            "Measured on {}, {} MiB of memory, Linux {}; load {} in the minute before.",
            machine.processors, machine.memory, machine.kernel, machine.load
        ),
        String::new(),
        format!("Versions: {}.", machine.programs.join("; ")),
        String::new(),
        "| row | what | target | value | | made of (medians) |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(
        findings
            .rows()
            .map(|(row, outcome)| markdown_row(row, outcome)),
    );
    lines.join("\n") + "\n"
}

fn markdown_row(row: &Row, outcome: &Outcome) -> String {
    let target = row
        .target
        .map(|target| target.format(row.unit))
        .unwrap_or_default();
    let (value, made_of) = match outcome {
        Ok(measurement) => {
            let sides = measurement.sides.iter().filter_map(|side| {
                let summary = Summary::of(&side.samples)?;
                Some(format!(
                    "{}: {}",
                    side.name,
                    side.unit.format(summary.median)
                ))
            });
            let all: Vec<_> = sides.chain(measurement.note.clone()).collect();
            (row.unit.format(measurement.value), all.join("; "))
        }
        Err(Trouble::NotHere(reason) | Trouble::Failed(reason)) => ("–".to_owned(), reason.clone()),
    };
    let verdict = verdict(row, outcome);
    format!(
        "| `{}` | {} | {target} | {value} | {verdict} | {} |",
        row.name,
        row.what,
        made_of.replace('|', "\\|")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::findings::Measurement;
    use crate::benchmark::row::{CRUN, NSPAWN, RUN};

    fn findings() -> Findings {
        let mut findings = Findings::default();
        let measurement = Measurement {
            value: 2.5,
            sides: vec![
                Side::times("ours", vec![5.0, 6.0, 4.0]),
                Side::times("the floor", vec![2.0]),
            ],
            note: None,
        };
        findings.add(RUN, Ok(measurement.clone()));
        findings.add(CRUN, Ok(measurement));
        findings.add(
            NSPAWN,
            Err(Trouble::NotHere("there is no systemd".to_owned())),
        );
        findings
    }

    #[test]
    fn a_missed_target_is_said_to_be_missed_and_a_met_one_met() {
        let shown = text(&findings());
        let verdicts: Vec<_> = shown
            .lines()
            .filter(|line| !line.starts_with(' '))
            .map(|line| {
                line.split_whitespace()
                    .take(5)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            verdicts,
            [
                "run 2.50 ≤ 2 MISSED",
                "crun 2.50 ≥ 1 met",
                "nspawn – not measurable here"
            ]
        );
    }

    #[test]
    fn a_document_shows_what_a_value_was_made_of() {
        let machine = Machine {
            processors: "2 × A Processor".to_owned(),
            memory: 4096,
            load: "0.10".to_owned(),
            kernel: "6.18".to_owned(),
            programs: vec!["minirun 0.1.0".to_owned(), "crun 1.8".to_owned()],
        };
        assert_eq!(
            markdown(&machine, &findings()),
            "\
Measured on 2 × A Processor, 4096 MiB of memory, Linux 6.18; load 0.10 in the minute before.

Versions: minirun 0.1.0; crun 1.8.

| row | what | target | value | | made of (medians) |
|---|---|---|---|---|---|
| `run` | `run --rm demo true` ÷ the floor | ≤ 2 | 2.50 | MISSED | ours: 5.00 ms; the floor: 2.00 ms |
| `crun` | `crun run`, empty network namespace ÷ ours with full networking | ≥ 1 | 2.50 | met | ours: 5.00 ms; the floor: 2.00 ms |
| `nspawn` | `systemd-nspawn --network-veth` ÷ ours with full networking |  | – | not measurable here | there is no systemd |
"
        );
    }
}
