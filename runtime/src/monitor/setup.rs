//! Making a container: the way from a record to a running program.
//!
//! The container's first process makes its root file system while the monitor makes its network; the gate between them
//! opens when both are done ([`set_up`]) and the process is on record ([`Prepared::begin`]).

use super::MonitorStreams;
use super::teardown::CGROUP_PARENT;
use super::watch::Output;
use crate::cgroup::Cgroup;
use crate::config::{ContainerConfig, NetworkMode};
use crate::container_state::{ContainerPaths, LastPlace};
use crate::error::RuntimeError;
use crate::link_environment::running_link_environment;
use crate::log::{LogWriter, Stream};
use crate::network_files;
use crate::process::{
    ChildStdio, HeldProcess, InitPlan, InitStep, OverlayRoot, RunningProcess, spawn,
};
use crate::report::Reporter;
use crate::runtime::Runtime;
use crate::spec::{SpecInputs, build_spec, document};
use crate::user::{UserRequest, resolve_user};
use minirun_bridge::atomic_file;
use minirun_bridge::attach::{Attachment, EndpointRequest, NamespaceToAttach};
use minirun_bridge::endpoint::HostsRecord;
use minirun_bridge::publish::{HostPort, PublishRequest};
use minirun_netns::Narrator;
use minirun_netns::Netlink;
use minirun_netns::{Namespace, bring_up_loopback};
use std::fs::File;
use std::io::pipe;
use std::os::fd::AsFd;
use std::path::PathBuf;

/// A container that was made and runs.
#[derive(Debug)]
pub(super) struct Container {
    /// Its first process.
    pub(super) process: RunningProcess,
    /// Its place on the network; holds the reserved ports.
    pub(super) attachment: Option<Attachment>,
    /// Its log.
    pub(super) log: LogWriter,
    /// Standard output and standard error.
    pub(super) outputs: [Output; 2],
}

/// A container that was made, and whose first process waits for its program to begin.
#[derive(Debug)]
pub(super) struct Prepared {
    held: HeldProcess,
    plan: InitPlan,
    attachment: Option<Attachment>,
    log: LogWriter,
    outputs: [Output; 2],
}

/// Makes the container.
pub(super) fn set_up(
    runtime: &Runtime,
    config: &ContainerConfig,
    streams: MonitorStreams,
    reporter: &mut Reporter,
) -> Result<Prepared, RuntimeError> {
    let paths = runtime.paths(&config.id);
    let log = LogWriter::open(&paths.log())
        .map_err(|error| RuntimeError::file("open", &paths.log(), error))?;
    let cgroup = Cgroup::create(CGROUP_PARENT, &config.id)?;
    let plan = plan(runtime, config, cgroup.as_ref())?;
    network_files::write(runtime, config, &paths)?;
    let (mut held, outputs) = spawn_held(&plan, streams, cgroup.as_ref())?;
    reporter.tell(&plan);
    let connected = connect(runtime, config, &held, reporter);
    // Asked first, because without its process a network namespace cannot be connected: then this is the cause.
    held.wait_root_ready()?;
    let attachment = connected?;
    tell(plan.steps_before_gate(), reporter);
    Ok(Prepared {
        held,
        plan,
        attachment,
        log,
        outputs,
    })
}

impl Prepared {
    /// The first process, as the monitor's process namespace counts.
    pub(super) fn pid(&self) -> i32 {
        self.held.pid()
    }

    /// Lets the program begin.
    pub(super) fn begin(self, reporter: &mut Reporter) -> Result<Container, RuntimeError> {
        let process = self.held.release()?;
        tell(self.plan.steps_after_gate(), reporter);
        Ok(Container {
            process,
            attachment: self.attachment,
            log: self.log,
            outputs: self.outputs,
        })
    }
}

fn tell(steps: &[InitStep], narrator: &mut dyn Narrator) {
    for step in steps {
        narrator.tell(step);
    }
}

/// The specification of this start, written beside the container, and what the first process has to do for it.
fn plan(
    runtime: &Runtime,
    config: &ContainerConfig,
    cgroup: Option<&Cgroup>,
) -> Result<InitPlan, RuntimeError> {
    let paths = runtime.paths(&config.id);
    let image = runtime.images.image(&config.image_id)?;
    let upper = paths.root.join("upper");
    let mut searched: Vec<PathBuf> = vec![upper.clone()];
    searched.extend(image.layers.iter().cloned());
    let request: UserRequest = config.process.user.parse()?;
    let spec = build_spec(&SpecInputs {
        config,
        directory: &paths.root,
        link_environment: &running_link_environment(runtime, config)?,
        user: &resolve_user(&request, &searched)?,
        cgroup_path: cgroup.map(Cgroup::spec_path),
    })?;
    let document =
        document(&spec).map_err(|error| RuntimeError::system("write the specification", error))?;
    atomic_file::write_json(&paths.specification(), &document)?;
    let root = OverlayRoot {
        layers: image.layers,
        upper,
        work: paths.root.join("work"),
        merged: paths.root.join("merged"),
    };
    Ok(InitPlan::prepare(&spec, &root)?)
}

fn spawn_held(
    plan: &InitPlan,
    streams: MonitorStreams,
    cgroup: Option<&Cgroup>,
) -> Result<(HeldProcess, [Output; 2]), RuntimeError> {
    let make_pipe = || pipe().map_err(|error| RuntimeError::system("make pipes", error));
    let (stdout, container_stdout) = make_pipe()?;
    let (stderr, container_stderr) = make_pipe()?;
    let null = File::open("/dev/null")
        .map_err(|error| RuntimeError::file("open", "/dev/null".as_ref(), error))?;
    let stdin = match &streams.stdin {
        Some(stdin) => stdin.as_fd(),
        None => null.as_fd(),
    };
    let stdio = ChildStdio {
        stdin,
        stdout: container_stdout.as_fd(),
        stderr: container_stderr.as_fd(),
    };
    let held = spawn(plan, stdio, cgroup.map(Cgroup::fd))?;
    let outputs = [
        Output::new(stdout, streams.stdout, Stream::Stdout)?,
        Output::new(stderr, streams.stderr, Stream::Stderr)?,
    ];
    Ok((held, outputs))
}

/// Gives the container the network it asked for.
fn connect(
    runtime: &Runtime,
    config: &ContainerConfig,
    held: &HeldProcess,
    narrator: &mut dyn Narrator,
) -> Result<Option<Attachment>, RuntimeError> {
    if config.network.mode == NetworkMode::Host {
        return Ok(None);
    }
    let label = format!("/proc/{}/ns/net", held.pid());
    let namespace = Namespace::open(&label)?;
    if config.network.mode == NetworkMode::None {
        bring_up_loopback(&mut Netlink::open_in(&namespace)?)?;
        return Ok(None);
    }
    let network = runtime.default_network()?;
    let request = endpoint_request(config, &runtime.paths(&config.id), network.gateway)?;
    let place = NamespaceToAttach {
        namespace: &namespace,
        label: &label,
    };
    let attachment = runtime.attach_waiting(&network, &request, place, narrator)?;
    Ok(Some(attachment))
}

fn endpoint_request(
    config: &ContainerConfig,
    paths: &ContainerPaths,
    gateway: std::net::Ipv4Addr,
) -> Result<EndpointRequest, RuntimeError> {
    let last: LastPlace = match atomic_file::read_json(&paths.last_place()) {
        Ok(last) => last,
        Err(error) if error.is_missing() => LastPlace::default(),
        Err(error) => return Err(error.into()),
    };
    let network = &config.network;
    let mut publish = network.publish.clone();
    if network.publish_all {
        let published = |port| publish.iter().any(|request| request.container == port);
        let missing: Vec<_> = network
            .expose
            .iter()
            .copied()
            .filter(|port| !published(*port))
            .collect();
        publish.extend(missing.into_iter().map(|container| PublishRequest {
            host_address: None,
            host_port: HostPort::Any,
            container,
        }));
    }
    Ok(EndpointRequest {
        container: config.id,
        name: config.name.clone(),
        hostname: config.hostname.clone(),
        static_address: network.static_address,
        last_address: last.address,
        mac: network.mac_address,
        exposed: network.expose.clone(),
        publish,
        last_publications: last.publications,
        links: network.links.clone(),
        hosts: HostsRecord {
            path: paths.root.join("hosts"),
            extra: network
                .extra_hosts
                .iter()
                .map(|extra| extra.resolve(gateway.into()))
                .collect(),
        },
    })
}

/// Notes the address and the host ports, for the next start. That is worth nothing to the running program, so a failure
/// does not count.
pub(super) fn remember_place(paths: &ContainerPaths, attachment: Option<&Attachment>) {
    if let Some(attachment) = attachment {
        let place = LastPlace {
            address: Some(attachment.endpoint.address),
            publications: attachment.endpoint.publications.clone(),
        };
        let _ = atomic_file::write_json(&paths.last_place(), &place);
    }
}
