//! How long `minirun run --rm demo true` takes beside the bare kernel work of the same thing.
//!
//! `benchmark [--quick] [--runs N]`; the program calls itself as `benchmark floor …` for the other side of the comparison.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use minirun_integration::TestHost;
use minirun_integration::floor::{self, FloorRun};
use minirun_integration::statistics::Summary;

const BRIDGE: &str = "floor0";
const GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const CONTAINER: (Ipv4Addr, u8) = (Ipv4Addr::new(198, 18, 0, 2), 24);
/// In the host's own `/var/lib`, where minirun's layers are, so that both stand on the same file system.
const LAYER: &str = "/var/lib/floor";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == "floor" => be_the_floor(arguments.collect()),
        Some(word) if word == "--quick" => compare(5),
        Some(word) if word == "--runs" => match arguments
            .next()
            .and_then(|count| count.to_str()?.parse().ok())
        {
            Some(count @ 1..) => compare(count),
            _ => complain("--runs takes a number of at least 1"),
        },
        Some(word) => complain(&format!(
            "unknown option `{}`; usage: benchmark [--quick] [--runs N]",
            word.display()
        )),
        None => compare(30),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}

/// The other side of the comparison is a process of its own, as minirun is.
fn be_the_floor(command: Vec<OsString>) -> ExitCode {
    let run = FloorRun {
        bridge: BRIDGE.to_owned(),
        lower: PathBuf::from(LAYER),
        address: CONTAINER,
        gateway: GATEWAY,
        command,
    };
    match floor::run(&run) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(125)),
        Err(error) => {
            eprintln!("error: the floor failed: {error}");
            ExitCode::from(125)
        }
    }
}

fn compare(runs: usize) -> ExitCode {
    let host = TestHost::create();
    prepare_floor(&host);
    let own = env::current_exe()
        .expect("the running executable has a path")
        .display()
        .to_string();
    let minirun = |host: &TestHost| time(|| host.minirun("run --rm demo true").succeeds());
    let floor = |host: &TestHost| time(|| host.command(&own, "floor /bin/true").succeeds());
    // The first runs unpack the image and make the bridge and the rules; they are another subject.
    minirun(&host);
    floor(&host);
    let (mut with_minirun, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        with_minirun.push(minirun(&host));
        bare.push(floor(&host));
    }
    report(&host, runs, with_minirun, bare);
    host.command("ip", ["link", "delete", BRIDGE]).succeeds();
    host.finish();
    ExitCode::SUCCESS
}

fn time<T>(act: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

/// A bridge with an address, and a root file system with nothing but the `true` that minirun's demo image also has.
fn prepare_floor(host: &TestHost) {
    host.command(
        "ip",
        ["link", "add", BRIDGE, "type", "bridge", "stp_state", "0"],
    )
    .succeeds();
    host.command(
        "ip",
        ["address", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE],
    )
    .succeeds();
    host.command("ip", ["link", "set", BRIDGE, "up"]).succeeds();
    let script = format!("mkdir -p {LAYER}/bin && cp \"$(command -v minirun)\" {LAYER}/bin/true");
    host.command("sh", ["-c", &script]).succeeds();
}

fn report(host: &TestHost, runs: usize, with_minirun: Vec<Duration>, bare: Vec<Duration>) {
    let (Some(with_minirun), Some(bare)) = (Summary::of(with_minirun), Summary::of(bare)) else {
        return;
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("unknown");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "machine  {processors} × {}",
        processor.trim_start_matches([' ', '\t', ':'])
    );
    println!("kernel   {}", read("/proc/sys/kernel/osrelease").trim_end());
    println!("minirun  {}", host.minirun("--version").line());
    println!("firewall {}", host.command("iptables", "--version").line());
    println!("{runs} runs of each, in turn\n");
    println!(
        "{:28}{:>12} {:>12} {:>12}",
        "", "minimum", "median", "90 of 100"
    );
    println!("{:28}{with_minirun}", "minirun run --rm demo true");
    println!("{:28}{bare}", "the bare kernel work");
    println!(
        "\nratio of the medians: {:.2}",
        with_minirun.median.as_secs_f64() / bare.median.as_secs_f64()
    );
}
