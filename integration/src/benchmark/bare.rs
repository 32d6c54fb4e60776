//! The floor on a bench: what it stands on, and its command line.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::benchmark::bench::Bench;
use crate::benchmark::findings::{Trouble, expect};
use crate::floor::{self, FloorRun};

/// The word by which the benchmark calls itself as the floor.
pub const WORD: &str = "floor";

/// The command line that is compared with `minirun run --rm demo true`.
pub const LINE: &str = "benchmark floor /bin/true";

const BRIDGE: &str = "floor0";
const GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const CONTAINER: (Ipv4Addr, u8) = (Ipv4Addr::new(198, 18, 0, 2), 24);
/// In the host's own `/var/lib`, where minirun's layers are, so that both stand on the same file system.
const LAYER: &str = "/var/lib/floor";

/// Makes a bridge with an address, and a root file system with nothing but the `true` that minirun's demo image also has.
///
/// # Errors
///
/// What the programs that make them complained of.
pub fn prepare(bench: &Bench) -> Result<(), Trouble> {
    for arguments in [
        format!("link add {BRIDGE} type bridge stp_state 0"),
        format!("address add {GATEWAY}/24 dev {BRIDGE}"),
        format!("link set {BRIDGE} up"),
    ] {
        expect(bench.host.command("ip", arguments))?;
    }
    let script = format!("mkdir -p {LAYER}/bin && cp \"$(command -v minirun)\" {LAYER}/bin/true");
    expect(bench.host.command("sh", ["-c", &script])).map(drop)
}

/// Is the floor: a process of its own, as minirun is. Gives the exit code of `command`.
///
/// # Errors
///
/// The system call that failed.
pub fn run(command: Vec<OsString>) -> std::io::Result<i32> {
    floor::run(&FloorRun {
        bridge: BRIDGE.to_owned(),
        lower: PathBuf::from(LAYER),
        address: CONTAINER,
        gateway: GATEWAY,
        command,
    })
}
