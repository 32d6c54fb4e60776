//! The three pictures of the documentation.

use std::fs;
use std::io;
use std::path::Path;

use crate::benchmark::chart::{Axis, Chart, Line, Scale};
use crate::benchmark::findings::{Curve, Findings, Side};
use crate::statistics::sorted;

/// Writes those for which there is something to show.
///
/// # Errors
///
/// If the directory cannot be written to.
pub fn write(findings: &Findings, directory: &Path) -> io::Result<()> {
    for (name, chart) in [
        (
            "performance-start.svg",
            start_latency(&findings.start_times()),
        ),
        (
            "performance-containers.svg",
            among_containers(&findings.starts_among_many),
        ),
        (
            "performance-links.svg",
            among_links(&findings.requests_among_many),
        ),
    ] {
        if !chart.lines.is_empty() {
            fs::write(directory.join(name), chart.svg())?;
        }
    }
    Ok(())
}

fn axis(label: &str, scale: Scale) -> Axis {
    Axis {
        label: label.to_owned(),
        scale,
    }
}

/// How many of a hundred starts took no longer than that.
fn start_latency(sides: &[&Side]) -> Chart {
    Chart {
        title: "Start latency: how many of 100 starts took no longer".to_owned(),
        description:
            "One rising line for each program; the further to the left, the faster it starts."
                .to_owned(),
        horizontal: axis(
            "milliseconds from the command to its end",
            Scale::Logarithmic,
        ),
        vertical: axis("starts of 100", Scale::Linear),
        lines: sides.iter().map(|side| distribution(side)).collect(),
    }
}

fn distribution(side: &Side) -> Line {
    let samples = sorted(&side.samples);
    let count = samples.len() as f64;
    let points = samples.iter().enumerate();
    Line {
        name: side.name.clone(),
        points: points
            .map(|(index, value)| (*value, (index + 1) as f64 * 100.0 / count))
            .collect(),
    }
}

fn among_containers(curves: &[Curve]) -> Chart {
    Chart {
        title: "Start latency against the number of running containers".to_owned(),
        description: "Medians of `run -d` on one network among others, and of the bare kernel work on the same host.".to_owned(),
        horizontal: axis("running containers on the network", Scale::Linear),
        vertical: axis("milliseconds", Scale::Linear),
        lines: curves.iter().map(line).collect(),
    }
}

fn among_links(curves: &[Curve]) -> Chart {
    Chart {
        title: "Requests per second against the number of other links and published ports".to_owned(),
        description: "Medians, divided by those of a host without other links and ports; 1 means that they cost nothing.".to_owned(),
        horizontal: axis("other links, and as many other published ports", Scale::Linear),
        vertical: axis("requests/s ÷ those with none", Scale::Linear),
        lines: curves.iter().map(line).collect(),
    }
}

fn line(curve: &Curve) -> Line {
    Line {
        name: curve.name.clone(),
        points: curve.points.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_rises_from_the_fastest_to_the_slowest() {
        let side = Side::times("ours", vec![7.0, 5.0, 6.0, 9.0]);
        assert_eq!(
            distribution(&side).points,
            [(5.0, 25.0), (6.0, 50.0), (7.0, 75.0), (9.0, 100.0)]
        );
    }

    #[test]
    fn nothing_is_written_where_nothing_was_measured() {
        let directory = tempfile::tempdir().expect("there is room");
        write(&Findings::default(), directory.path()).expect("there is nothing to write");
        assert_eq!(
            fs::read_dir(directory.path()).expect("it is there").count(),
            0
        );
    }
}
