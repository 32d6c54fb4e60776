//! Many containers on one network: what the next start, a look at all of them, and each of them costs.

use crate::benchmark::bare;
use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::findings::{Curve, Findings, Measurement, Outcome, Side, Trouble};
use crate::benchmark::options::Options;
use crate::benchmark::row::{MEMORY, PS, Row, THOUSANDTH_IPTABLES, THOUSANDTH_NFTABLES, Unit};
use crate::benchmark::starts::both;
use crate::statistics::median;

/// How many are started at the same time while nothing is measured.
const AT_ONCE: usize = 4;

/// How many monitors are looked at.
const MONITORS: usize = 30;

/// The start that is timed, and what takes it away again.
const START: &str = "run -d --name last demo sleep infinity";
const REMOVAL: &str = "rm -f last";

/// Measures the rows of many containers that are wanted.
pub fn measure(options: &Options, findings: &mut Findings) {
    let of_all: Vec<Row> = [PS, MEMORY]
        .into_iter()
        .filter(|row| options.want(*row))
        .collect();
    let mut unseen = !of_all.is_empty();
    for (driver, row) in [
        (Driver::Nftables, THOUSANDTH_NFTABLES),
        (Driver::Iptables, THOUSANDTH_IPTABLES),
    ] {
        // Whichever host is full of containers first serves the other rows.
        if !options.want(row) && !unseen {
            continue;
        }
        match grow(options, driver, row, findings) {
            Ok(bench) if unseen => {
                look_at_all(options, &bench, findings);
                unseen = false;
            }
            Ok(_) => {}
            Err(trouble) => {
                let wanted = options.want(row).then_some(row);
                let concerned = wanted.iter().chain(of_all.iter().filter(|_| unseen));
                for row in concerned {
                    findings.add(*row, Err(trouble.clone()));
                }
            }
        }
    }
}

/// Starts all but one of the crowd, measuring a start at the beginning, on the way and at the end.
fn grow(
    options: &Options,
    driver: Driver,
    row: Row,
    findings: &mut Findings,
) -> Result<Bench, Trouble> {
    let bench = Bench::create(driver)?;
    bare::prepare(&bench)?;
    let stops = checkpoints(options.crowd - 1);
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let mut there = 0;
    for stop in &stops {
        fill(&bench, there..*stop, |_| String::new())?;
        there = *stop;
        if options.want(row) {
            let [start, bare] = among(options.runs, &bench)?;
            ours.push((*stop as f64, start));
            floor.push((*stop as f64, bare));
        }
    }
    if options.want(row) {
        findings.add(row, growth(&ours, &floor));
        let name = format!("minirun, {}", driver.word());
        findings.starts_among_many.push(curve(&name, &ours));
        let name = format!("the floor beside them ({})", driver.word());
        findings.starts_among_many.push(curve(&name, &floor));
    }
    Ok(bench)
}

/// A start, and the floor, among those that are there.
fn among(runs: usize, bench: &Bench) -> Result<[Vec<f64>; 2], Trouble> {
    let start = || {
        let elapsed = bench.time(&format!("minirun {START}"))?;
        bench.minirun(REMOVAL)?;
        Ok(elapsed)
    };
    let contenders = vec![
        Contender::new(start),
        Contender::new(|| bench.time(bare::LINE)),
    ];
    both(hold(runs, contenders)?)
}

fn growth(ours: &[(f64, Vec<f64>)], floor: &[(f64, Vec<f64>)]) -> Outcome {
    let ends = |series: &[(f64, Vec<f64>)]| Some((series.first()?.clone(), series.last()?.clone()));
    let none = || Trouble::Failed("nothing was measured".to_owned());
    let ((_, first), (count, last)) = ends(ours).ok_or_else(none)?;
    let ((_, bare_first), (_, bare_last)) = ends(floor).ok_or_else(none)?;
    let bare = median(&bare_last) / median(&bare_first);
    Ok(Measurement {
        value: median(&last) / median(&first),
        sides: vec![
            Side::times(&format!("start among {count} others"), last),
            Side::times("start of the first", first),
        ],
        note: Some(format!("the floor became {bare:.2} × as long meanwhile")),
    })
}

/// A line through the medians.
pub fn curve(name: &str, series: &[(f64, Vec<f64>)]) -> Curve {
    Curve {
        name: name.to_owned(),
        points: series
            .iter()
            .map(|(count, samples)| (*count, median(samples)))
            .collect(),
    }
}

/// None, a tenth, a quarter, a half, three quarters, and all of a crowd.
pub fn checkpoints(crowd: usize) -> Vec<usize> {
    let mut stops = vec![0, crowd / 10, crowd / 4, crowd / 2, crowd * 3 / 4, crowd];
    stops.dedup();
    stops
}

/// Starts containers `c0`, `c1` and so on that do nothing, each with the options that belong to its number.
pub fn fill(
    bench: &Bench,
    numbers: std::ops::Range<usize>,
    options: impl Fn(usize) -> String,
) -> Result<(), Trouble> {
    let line = |number| {
        let options = options(number);
        format!("minirun run -d --name c{number} {options} demo sleep infinity")
    };
    let lines: Vec<String> = numbers.map(line).collect();
    for batch in lines.chunks(AT_ONCE) {
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        bench.run_together(&batch)?;
    }
    bench.begin();
    Ok(())
}

/// With the last one started as well.
fn look_at_all(options: &Options, bench: &Bench, findings: &mut Findings) {
    let started = bench.minirun(START).map(drop);
    bench.begin();
    if options.want(PS) {
        let outcome = started.clone().and_then(|()| listing(options, bench));
        findings.add(PS, outcome);
    }
    if options.want(MEMORY) {
        let outcome = started.and_then(|()| memory(options, bench));
        findings.add(MEMORY, outcome);
    }
}

fn listing(options: &Options, bench: &Bench) -> Outcome {
    let count = bench.minirun("ps -q")?.stdout().lines().count();
    if count != options.crowd {
        let message = format!("{count} containers run instead of {}", options.crowd);
        return Err(Trouble::Failed(message));
    }
    let contender = Contender::new(|| bench.time("minirun ps"));
    let samples = hold(options.runs, vec![contender])?.remove(0);
    Ok(Measurement {
        value: median(&samples),
        sides: vec![Side::times("minirun ps", samples)],
        note: said_of(options.crowd, 1000, "containers"),
    })
}

fn memory(options: &Options, bench: &Bench) -> Outcome {
    let looked_at = MONITORS.min(options.crowd - 1);
    let sample = |number| {
        let first = bench.host.container(&format!("c{number}")).process();
        first.parent().unshared_memory() as f64
    };
    let samples: Vec<f64> = (0..looked_at).map(sample).collect();
    Ok(Measurement {
        value: median(&samples),
        sides: vec![Side {
            name: "monitor of `sleep infinity`".to_owned(),
            unit: Unit::Kibibytes,
            samples,
        }],
        note: Some("pages that no other process has".to_owned()),
    })
}

/// A note where another number was measured than the row speaks of.
pub fn said_of(count: usize, usual: usize, what: &str) -> Option<String> {
    (count != usual).then(|| format!("measured with {count} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_looked_at_on_its_way() {
        assert_eq!(checkpoints(999), [0, 99, 249, 499, 749, 999]);
        assert_eq!(checkpoints(2), [0, 1, 2]);
    }

    #[test]
    fn a_curve_goes_through_the_medians() {
        let series = [(0.0, vec![1.0, 3.0]), (10.0, vec![4.0])];
        assert_eq!(curve("ours", &series).points, [(0.0, 2.0), (10.0, 4.0)]);
    }
}
