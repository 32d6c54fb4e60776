//! The same program from the same root file system, started by others.

use std::path::Path;

use crate::benchmark::bench::{Bench, Driver};
use crate::benchmark::bundle;
use crate::benchmark::contest::{Contender, hold};
use crate::benchmark::findings::{Findings, Measurement, Side, Trouble, expect};
use crate::benchmark::options::Options;
use crate::benchmark::row::{BUBBLEWRAP, CRUN, DOCKER, NSPAWN, PODMAN, RUNC, Row};
use crate::busybox;
use crate::docker_engine::{self, DockerEngine};
use crate::statistics::median;

/// The rows of this part.
const ROWS: [Row; 6] = [DOCKER, PODMAN, CRUN, RUNC, BUBBLEWRAP, NSPAWN];

/// What it is compared with.
const OURS: &str = "minirun run --rm busybox true";

const PODMAN_STORE: &str = "podman --root /var/lib/podman --runroot /run/podman --tmpdir /run/podman-tmp \
    --cgroup-manager cgroupfs --events-backend file";

/// Measures those that are wanted and installed, with minirun among them.
pub fn measure(options: &Options, findings: &mut Findings) {
    let wanted: Vec<Row> = ROWS.into_iter().filter(|row| options.want(*row)).collect();
    if wanted.is_empty() || (options.only.is_empty() && !options.peers) {
        return;
    }
    if let Err(trouble) = compare(options.runs, &wanted, findings) {
        for row in wanted {
            findings.add(row, Err(trouble.clone()));
        }
    }
}

/// A peer that works here, and where.
struct Peer<'bench> {
    row: Row,
    line: String,
    bench: &'bench Bench,
}

/// Each peer that cannot be tried has its own row say so; trouble of minirun is trouble of all rows.
///
/// There are three hosts, so that nobody finds rules changed by others: ours, Docker's, and one for everybody else.
fn compare(runs: usize, wanted: &[Row], findings: &mut Findings) -> Result<(), Trouble> {
    let [ours, dockers, others] = [benchmarked()?, benchmarked()?, benchmarked()?];
    let engine = wanted
        .iter()
        .any(|row| *row == DOCKER && is_installed("dockerd") && is_installed("docker"))
        .then(|| DockerEngine::start_with(&dockers.host, "--storage-driver overlay2"));
    let mut peers = Vec::new();
    for row in wanted {
        let bench = if *row == DOCKER { &dockers } else { &others };
        let prepared = prepare(bench, *row, engine.is_some()).and_then(|line| {
            // What a first run brings along and keeps belongs there from then on.
            bench.run_together(&[&line])?;
            Ok(line)
        });
        match prepared {
            Ok(line) => peers.push(Peer {
                row: *row,
                line,
                bench,
            }),
            Err(trouble) => findings.add(*row, Err(trouble.of_peer())),
        }
    }
    dockers.begin();
    compete(&ours, runs, &peers, findings)?;
    if let Some(engine) = engine {
        engine.stop();
    }
    Ok(())
}

/// A bench with the root file system that all of them have, and our image of it.
fn benchmarked() -> Result<Bench, Trouble> {
    let bench = Bench::create(Driver::Automatic)?;
    let archive = format!("{}/rootfs.tar", bench.host.makes_busybox_root());
    bench.minirun(format!("import {archive} busybox"))?;
    Ok(bench)
}

fn compete(
    ours: &Bench,
    runs: usize,
    peers: &[Peer<'_>],
    findings: &mut Findings,
) -> Result<(), Trouble> {
    let mut contenders = vec![Contender::new(|| ours.time(OURS))];
    contenders.extend(
        peers
            .iter()
            .map(|peer| Contender::new(|| peer.bench.time(&peer.line))),
    );
    let mut samples = hold(runs, contenders)?.into_iter();
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
fn prepare(bench: &Bench, row: Row, engine: bool) -> Result<String, Trouble> {
    let directory = busybox::DIRECTORY;
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
                "{PODMAN_STORE} run --rm --cgroups disabled --log-driver k8s-file localhost/busybox true"
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
            // Without systemd it fails, and leaves groups in the hierarchy that systemd has for itself, outside the host.
            if !bench
                .host
                .inside(|| Path::new("/run/systemd/system").exists())
            {
                let reason = "systemd does not run on a host made of namespaces";
                return Err(Trouble::NotHere(reason.to_owned()));
            }
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
