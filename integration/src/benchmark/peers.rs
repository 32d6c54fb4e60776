//! The same program from the same root file system, started by others.

use std::path::Path;

use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::bundle;
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::findings::{Findings, Measurement, Side, Trouble, expect};
use crate::benchmark::options::Options;
use crate::benchmark::row::{BUBBLEWRAP, CRUN, DOCKER, NSPAWN, PODMAN, RUNC, Row};
use crate::docker_engine::{self, DockerEngine};
use crate::statistics::median;

/// The rows of this part.
const ROWS: [Row; 6] = [DOCKER, PODMAN, CRUN, RUNC, BUBBLEWRAP, NSPAWN];

/// What it is compared with.
const OURS: &str = "minirun run --rm busybox true";

const PODMAN_STORE: &str = "podman --root /var/lib/podman --runroot /run/podman --tmpdir /run/podman-tmp \
    --cgroup-manager cgroupfs --events-backend file";

/// A peer that works here.
struct Peer {
    row: Row,
    line: String,
}

/// Measures those that are wanted and installed, with minirun among them.
pub fn measure(options: &Options, findings: &mut Findings) {
    let wanted: Vec<Row> = ROWS.into_iter().filter(|row| options.want(*row)).collect();
    if wanted.is_empty() {
        return;
    }
    if let Err(trouble) = compare(options.runs, &wanted, findings) {
        for row in wanted {
            findings.add(row, Err(trouble.clone()));
        }
    }
}

/// Each peer that cannot be tried has its own row say so; trouble of minirun is trouble of all rows.
fn compare(runs: usize, wanted: &[Row], findings: &mut Findings) -> Result<(), Trouble> {
    let bench = Bench::create(Driver::Automatic)?;
    let directory = bench.host.makes_busybox_root();
    bench.minirun(format!("import {directory}/rootfs.tar busybox"))?;
    let engine = wanted
        .iter()
        .any(|row| *row == DOCKER && is_installed("dockerd") && is_installed("docker"))
        .then(|| DockerEngine::start_with(&bench.host, "--storage-driver overlay2"));
    let mut peers = Vec::new();
    for row in wanted {
        match prepare(&bench, *row, &directory, engine.is_some()) {
            Ok(line) => peers.push(Peer { row: *row, line }),
            Err(trouble) => findings.add(*row, Err(trouble.of_peer())),
        }
    }
    bench.begin();
    peers.retain(|peer| match bench.time(&peer.line) {
        Ok(_) => true,
        Err(trouble) => {
            findings.add(peer.row, Err(trouble.of_peer()));
            false
        }
    });
    if !peers.is_empty() {
        compete(&bench, runs, &peers, findings)?;
    }
    if let Some(engine) = engine {
        engine.stop();
    }
    Ok(())
}

fn compete(
    bench: &Bench,
    runs: usize,
    peers: &[Peer],
    findings: &mut Findings,
) -> Result<(), Trouble> {
    let lines = [OURS]
        .into_iter()
        .chain(peers.iter().map(|peer| peer.line.as_str()));
    let contenders = lines.map(|line| Contender::new(move || bench.time(line)));
    let mut samples = hold(runs, contenders.collect())?.into_iter();
    let ours = samples.next().unwrap_or_default();
    for (peer, theirs) in peers.iter().zip(samples) {
        let measurement = Measurement {
            value: median(&theirs) / median(&ours),
            sides: vec![
                Side::times(peer.row.name, theirs),
                Side::times(OURS, ours.clone()),
            ],
            note: None,
        };
        findings.add(peer.row, Ok(measurement));
    }
    Ok(())
}

/// Makes ready what a peer needs, and gives the command line that starts `true` and waits for its end.
fn prepare(bench: &Bench, row: Row, directory: &str, engine: bool) -> Result<String, Trouble> {
    let root = format!("{directory}/root");
    match row.name {
        "docker" if engine => Ok(format!(
            "docker --host {} run --rm busybox true",
            docker_engine::SOCKET
        )),
        "podman" => {
            require("podman")?;
            let import = format!("{PODMAN_STORE} import --quiet {directory}/rootfs.tar busybox");
            expect(bench.host.command("sh", ["-c", &import]))?;
            Ok(format!(
                "{PODMAN_STORE} run --rm --log-driver k8s-file localhost/busybox true"
            ))
        }
        runtime @ ("crun" | "runc") => {
            require(runtime)?;
            let configuration = bundle::configuration(&root).to_string();
            let path = format!("{}/config.json", bundle::DIRECTORY);
            bench.host.write_file(&path, &configuration);
            let directory = bundle::DIRECTORY;
            Ok(format!(
                "{runtime} run --bundle {directory} {runtime}-bundle"
            ))
        }
        "bubblewrap" => {
            require("bwrap")?;
            Ok(format!(
                "bwrap --unshare-all --bind {root} / --proc /proc --dev /dev true"
            ))
        }
        "nspawn" => {
            require("systemd-nspawn")?;
            Ok(format!(
                "systemd-nspawn --quiet --register=no --keep-unit --network-veth --machine=bench --directory={root} /bin/true"
            ))
        }
        name => Err(Trouble::NotHere(format!("{name} is not installed"))),
    }
}

fn require(program: &str) -> Result<(), Trouble> {
    if is_installed(program) {
        return Ok(());
    }
    Err(Trouble::NotHere(format!("`{program}` is not installed")))
}

/// Whether a program lies where a host of ours looks for it.
pub fn is_installed(program: &str) -> bool {
    [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ]
    .iter()
    .any(|directory| Path::new(directory).join(program).is_file())
}
