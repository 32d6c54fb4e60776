//! Making a container: the way from a record to a running program.
//!
//! The container's first process makes its root file system while the monitor makes its network; the gate between them
//! opens when both are done ([`set_up`]) and the process is on record ([`Prepared::begin`]). Whoever finds it there relies on the
//! specification and the monitor's socket, so these are there before.

use super::MonitorStreams;
use super::control::Control;
use super::health::HealthChecks;
use super::kept_terminal::KeptTerminal;
use super::networks::{ContainerNetwork, connect, new_interfaces, shared_namespace};
use super::run_clock::RunClock;
use super::streams::Streams;
use crate::cgroup::{Cgroup, CgroupError, DeviceGroup, Limits, guard_devices};
use crate::config::{ContainerConfig, NetworkMode};
use crate::connections::Connections;
use crate::container_state::ContainerPaths;
use crate::devices::guard::{DeviceGuard, GuardedDevices};
use crate::error::RuntimeError;
use crate::forerunner::Ahead;
use crate::host_security::HostSecurity;
use crate::link_environment::running_link_environment;
use crate::log::LogWriter;
use crate::log_options::LogOptions;
use crate::network_files;
use crate::process::{
    FirstProcess, HeldProcess, InitPlan, InitStep, OverlayRoot, RunningProcess, spawn,
};
use crate::report::{Narration, Reporter};
use crate::runtime::Runtime;
use crate::spec::{SpecInputs, build_spec, document};
use crate::streams::ProgramEnds;
use crate::user::{UserRequest, resolve_user};
use jiff::Timestamp;
use minirun_bridge::atomic_file;
use minirun_netns::Narrator;
use oci_spec::runtime::Spec;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

/// A container that was made and runs.
pub(super) struct Container {
    /// Its first process.
    pub(super) process: RunningProcess,
    /// What it has of networks.
    pub(super) network: ContainerNetwork,
    /// Where commands say what they want of its monitor; none when it has ended.
    pub(super) control: Option<Control>,
    /// Its log; none if it keeps none.
    pub(super) log: Option<LogWriter>,
    /// What its program reads and writes.
    pub(super) streams: Streams,
    /// The commands that have attached themselves, besides the one that began.
    pub(super) reporters: Vec<Reporter>,
    /// The terminals of executed programs that were left to us.
    pub(super) kept_terminals: Vec<KeptTerminal>,
    /// The checks of its health, if there are any.
    pub(super) health: Option<Box<HealthChecks>>,
    /// How long it runs.
    pub(super) clock: RunClock,
    /// Since when, for people.
    pub(super) since: Timestamp,
}

/// A container that was made, and whose first process waits for its program to begin.
pub(super) struct Prepared {
    held: HeldProcess,
    plan: InitPlan,
    network: ContainerNetwork,
    control: Control,
    log: Option<LogWriter>,
    streams: Streams,
}

/// Makes the container.
///
/// What the first process does not need is done when it is there already, because it makes its root on another processor.
pub(super) fn set_up(
    (runtime, config): (&Runtime, &ContainerConfig),
    (mut command, ahead): (MonitorStreams, Ahead),
    reporter: &mut Reporter,
) -> Result<Prepared, RuntimeError> {
    let paths = runtime.paths(&config.id);
    let connections = Connections::of(runtime, config)?;
    let shared = shared_namespace(runtime, config)?;
    let cgroup = Cgroup::create(config.group())?;
    let limits = Limits::establish(config.group(), &config.resources)?;
    let usual = ahead.usual_devices.as_ref().map(AsFd::as_fd);
    let (devices, device_group) = guarded_devices(config, (cgroup.as_ref(), usual))?;
    let surroundings = (&connections, &command);
    let (spec, plan) = plan((runtime, config), surroundings, (cgroup.as_ref(), &devices))?;
    let plan = match reporter.narration() {
        Narration::Told => plan.timed()?,
        Narration::Silent => plan,
    };
    network_files::write(config, &connections, &paths)?;
    let terminal_listener = command.stdout.take_if(|_| config.process.terminal);
    let (ends, pipes) = match config.process.terminal {
        true => (ProgramEnds::nothing()?, None),
        false => {
            let (ends, streams) = Streams::of_pipes(&config.process, command)?;
            (ends, Some(streams))
        }
    };
    let group = cgroup.as_ref().map(Cgroup::fd);
    let spawn = || spawn(&plan, ends.stdio(), (group, ahead.network.as_ref()));
    let mut held = match &shared {
        // A process is born into the network namespace of its parent.
        Some(namespace) => namespace.run(spawn)??,
        None => spawn()?,
    };
    // They are the program's only from now on, so that their end is noticed.
    drop(ends);
    // Its user namespace would have had to come first.
    let network = ahead.network.filter(|_| config.security.id_range.is_none());
    drop(ahead.usual_devices);
    limits.admit(held.pid())?;
    device_group
        .iter()
        .try_for_each(|group| group.admit(held.pid()))?;
    let groups = (cgroup.as_ref(), &limits, device_group.as_ref());
    tell_beginning(groups, &plan, reporter);
    write_specification(&paths, &spec)?;
    let control = Control::open(&paths)?;
    let log = open_log(config, &paths)?;
    let place = (&mut held, network);
    let connected = connect((runtime, config), &connections, place, reporter);
    // Asked first, because without its process a network namespace cannot be connected: then this is the cause.
    held.wait_root_ready()?;
    let network = connected?;
    tell(plan.done_before_gate(), reporter);
    let streams = match pipes {
        Some(streams) => streams,
        None => Streams::of_terminal(held.take_terminal(), terminal_listener)?,
    };
    Ok(Prepared {
        held,
        plan,
        network,
        control,
        log,
        streams,
    })
}

impl Prepared {
    /// The first process, as the monitor's process namespace counts.
    pub(super) fn pid(&self) -> i32 {
        self.held.pid()
    }

    /// Lets the program begin.
    pub(super) fn begin(
        self,
        since: Timestamp,
        reporter: &mut Reporter,
    ) -> Result<Container, RuntimeError> {
        let process = self.held.release()?;
        let clock = RunClock::begin()?;
        if !self.plan.limits().is_empty() {
            reporter.tell(self.plan.limits());
        }
        tell(self.plan.done_after_gate(), reporter);
        Ok(Container {
            process,
            network: self.network,
            control: Some(self.control),
            log: self.log,
            streams: self.streams,
            reporters: Vec::new(),
            kept_terminals: Vec::new(),
            health: None,
            clock,
            since,
        })
    }
}

fn open_log(
    config: &ContainerConfig,
    paths: &ContainerPaths,
) -> Result<Option<LogWriter>, RuntimeError> {
    let LogOptions::JsonFile(limit) = config.log else {
        return Ok(None);
    };
    LogWriter::open(&paths.log(), limit)
        .map(Some)
        .map_err(|error| RuntimeError::file("open", &paths.log(), error))
}

fn tell_beginning(
    (cgroup, limits, devices): (Option<&Cgroup>, &Limits, Option<&DeviceGroup>),
    plan: &InitPlan,
    narrator: &mut dyn Narrator,
) {
    if let Some(cgroup) = cgroup {
        narrator.tell(cgroup);
    }
    if let Some(devices) = devices {
        narrator.tell(devices);
    }
    narrator.tell(plan);
    if !limits.is_empty() {
        narrator.tell(limits);
    }
}

/// Tells steps that the first process has done meanwhile.
fn tell<'plan>(
    steps: impl Iterator<Item = (&'plan InitStep, Option<Duration>)>,
    reporter: &mut Reporter,
) {
    for (step, age) in steps {
        reporter.tell_of_earlier(step, age.unwrap_or_default());
    }
}

/// The specification of this start, and what the first process has to do for it.
fn plan(
    (runtime, config): (&Runtime, &ContainerConfig),
    (connections, command): (&Connections, &MonitorStreams),
    (cgroup, devices): (Option<&Cgroup>, &GuardedDevices),
) -> Result<(Spec, InitPlan), RuntimeError> {
    let paths = runtime.paths(&config.id);
    let image = runtime.images.image(&config.image_id)?;
    let upper = paths.root.join("upper");
    let mut searched: Vec<PathBuf> = vec![upper.clone()];
    searched.extend(image.layers.iter().cloned());
    let request: UserRequest = config.process.user.parse()?;
    let etc_files = match &config.network.mode {
        NetworkMode::Container(owner) => runtime.paths(owner).root,
        _ => paths.root.clone(),
    };
    runtime.prepare_mount_sources(config)?;
    let volumes = runtime.volumes();
    let spec = build_spec(&SpecInputs {
        config,
        directory: &paths.root,
        etc_files: &etc_files,
        volumes: volumes.directory(),
        link_environment: &running_link_environment(runtime, config)?,
        user: &resolve_user(&request, &searched)?,
        host: &HostSecurity::examine(&config.security)?,
        cgroup_path: cgroup.map(Cgroup::spec_path),
        window: command.window,
        devices,
    })?;
    let root = OverlayRoot {
        layers: image.layers,
        upper,
        work: paths.root.join("work"),
        merged: paths.root.join("merged"),
    };
    let first = match config.process.init {
        true => FirstProcess::Init,
        false => FirstProcess::Program,
    };
    let filter = runtime.seccomp_filter(config)?;
    let plan = InitPlan::prepare(
        (&spec, filter),
        &root,
        (first, new_interfaces(connections)),
        volumes.directory(),
    )?;
    Ok((spec, plan))
}

/// Writes the specification beside the container, for whoever executes other programs there.
fn write_specification(paths: &ContainerPaths, spec: &Spec) -> Result<(), RuntimeError> {
    let document =
        document(spec).map_err(|error| RuntimeError::system("write the specification", error))?;
    Ok(atomic_file::replace_json(
        &paths.specification(),
        &document,
    )?)
}

/// The devices as they are on this host now, and what guards them from before the first process is born.
fn guarded_devices(
    config: &ContainerConfig,
    (cgroup, usual): (Option<&Cgroup>, Option<BorrowedFd<'_>>),
) -> Result<(GuardedDevices, Option<DeviceGroup>), RuntimeError> {
    let mut devices = config.devices.on_this_host(config.security.privilege)?;
    if devices.guard == DeviceGuard::Nobody {
        return Ok((devices, None));
    }
    let group = guard_devices(config.group(), cgroup, (&devices.policy, usual))?;
    match (&group, config.devices.option()) {
        (DeviceGroup::Unguarded(errno), Some(option)) => Err(CgroupError::NoDeviceGuard {
            option,
            source: (*errno).into(),
        })?,
        (DeviceGroup::Unguarded(_), None) => {}
        _ => devices.guard = DeviceGuard::ControlGroup,
    }
    Ok((devices, Some(group)))
}
