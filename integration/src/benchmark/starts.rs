//! Starts beside the floor, and beside each other.

use crate::benchmark::bare;
use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::findings::{Findings, Measurement, Outcome, Side, Trouble};
use crate::benchmark::options::Options;
use crate::benchmark::processors;
use crate::benchmark::row::{EIGHT, EXEC, RUN, RUN_IPTABLES, RUN_NFTABLES};
use crate::statistics::median;
use std::cell::Cell;
use std::time::Duration;

/// A start with nothing but the default network.
pub const PLAIN: &str = "minirun run --rm demo true";

/// The same with everything that takes rules.
const FULL: &str = "minirun run --rm -p 8080:80 --link web1:web demo true";

/// Measures the rows of single starts that are wanted.
pub fn measure(options: &Options, findings: &mut Findings) {
    let full = |driver| beside_the_floor(options.runs, driver, FULL, closed_with_target);
    if options.want(RUN) {
        let nothing = |_: &Bench| Ok(());
        let outcome = beside_the_floor(options.runs, Driver::Automatic, PLAIN, nothing);
        findings.add(RUN, outcome);
    }
    if options.want(RUN_NFTABLES) {
        findings.add(RUN_NFTABLES, full(Driver::Nftables));
    }
    if options.want(RUN_IPTABLES) {
        findings.add(RUN_IPTABLES, full(Driver::Iptables));
    }
    if options.want(EXEC) {
        findings.add(EXEC, executions(options.runs));
    }
    if options.want(EIGHT) {
        findings.add(EIGHT, at_once(options.runs));
    }
}

/// Closes the network, and starts what the measured container is linked to.
fn closed_with_target(bench: &Bench) -> Result<(), Trouble> {
    bench.minirun("network update bridge --icc=false")?;
    bench.minirun("run -d --name web1 --expose 80 demo sleep infinity")?;
    bench.begin();
    Ok(())
}

fn beside_the_floor(
    runs: usize,
    driver: Driver,
    line: &str,
    prepare: impl FnOnce(&Bench) -> Result<(), Trouble>,
) -> Outcome {
    let bench = Bench::create(driver)?;
    bare::prepare(&bench)?;
    prepare(&bench)?;
    let contenders = [line, bare::LINE].map(|line| Contender::new(|| bench.time(line)));
    let [ours, floor] = both(hold(runs, contenders.into())?)?;
    let name = match driver {
        Driver::Automatic => line.to_owned(),
        driver => format!("{line} ({})", driver.word()),
    };
    Ok(Measurement {
        value: median(&ours) / median(&floor),
        sides: vec![Side::times(&name, ours), Side::times("the floor", floor)],
        note: None,
    })
}

fn executions(runs: usize) -> Outcome {
    let bench = Bench::create(Driver::Automatic)?;
    bench.minirun("run -d --name demo demo sleep infinity")?;
    bench.begin();
    let pid = bench.host.container("demo").pid();
    let entering = format!("nsenter --target {pid} --all true");
    let lines = ["minirun exec demo true", entering.as_str()];
    let contenders = lines.map(|line| Contender::new(|| bench.time(line)));
    let [ours, bare] = both(hold(runs, contenders.into())?)?;
    Ok(Measurement {
        value: median(&ours) / median(&bare),
        sides: vec![Side::times(lines[0], ours), Side::times("nsenter", bare)],
        note: None,
    })
}

fn at_once(runs: usize) -> Outcome {
    const AT_ONCE: usize = 8;
    let bench = Bench::create(Driver::Automatic)?;
    bare::prepare(&bench)?;
    let idle = Cell::new(Duration::ZERO);
    let together = || {
        bench.settle()?;
        let before = processors::idle_time();
        let took = bench.time_at_once(&[PLAIN; AT_ONCE]);
        idle.set(idle.get() + processors::idle_time().saturating_sub(before));
        took
    };
    let contenders = vec![
        Contender::new(together),
        Contender::new(|| bench.time(PLAIN)),
        Contender::new(|| bench.time_together(&[bare::LINE; AT_ONCE])),
        Contender::new(|| bench.time(bare::LINE)),
    ];
    let [together, alone, floors, floor] = all(hold(runs, contenders)?)?;
    let ratio = |together, alone| median(together) / (AT_ONCE as f64 * median(alone));
    // The round that does not count was idle, too.
    let rounds = (runs + 1) as f64 / runs as f64;
    let whole = together.iter().sum::<f64>() * rounds * processors::number() as f64;
    let busy = 1.0 - idle.get().as_secs_f64() * 1000.0 / whole;
    let note = format!(
        "{} processors, busy for {:.0} % of the time with 8 at once; the floor's ratio is {:.2}",
        processors::number(),
        busy * 100.0,
        ratio(&floors, &floor),
    );
    Ok(Measurement {
        value: ratio(&together, &alone),
        sides: vec![
            Side::times("8 at once", together),
            Side::times("one", alone),
            Side::times("8 floors at once", floors),
            Side::times("one floor", floor),
        ],
        note: Some(note),
    })
}

/// The samples of exactly two contenders.
///
/// # Errors
///
/// If there were not two.
pub fn both(samples: Vec<Vec<f64>>) -> Result<[Vec<f64>; 2], Trouble> {
    all(samples)
}

/// The samples of as many as are wanted.
fn all<const MANY: usize>(samples: Vec<Vec<f64>>) -> Result<[Vec<f64>; MANY], Trouble> {
    samples
        .try_into()
        .map_err(|_| Trouble::Failed(format!("a contest of {MANY} has as many results")))
}
