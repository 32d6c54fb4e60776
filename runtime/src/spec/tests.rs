use std::collections::BTreeSet;

use minirun_bridge::id::ContainerId;

use super::*;
use crate::config::{LinkEnvironment, NetworkConfig, NetworkMode};
use crate::devices::guard::DeviceGuard;
use crate::signal::StopSignal;

fn config() -> ContainerConfig {
    ContainerConfig {
        id: ContainerId::random().unwrap(),
        name: "web2".parse().unwrap(),
        created: jiff::Timestamp::UNIX_EPOCH,
        image: "demo".to_owned(),
        image_id: format!("sha256:{}", "0".repeat(64)).parse().unwrap(),
        process: ProcessConfig {
            entrypoint: vec!["/bin/httpd".to_owned()],
            command: vec!["-p".to_owned(), "80".to_owned()],
            environment: vec!["A=b".parse().unwrap()],
            working_directory: String::new(),
            user: String::new(),
            no_new_privileges: false,
            open_stdin: false,
            terminal: false,
            init: false,
        },
        hostname: "box".parse().unwrap(),
        read_only: false,
        labels: Default::default(),
        stop_signal: StopSignal::TERMINATE,
        stop_timeout: crate::stop_timeout::StopTimeout::default(),
        auto_remove: false,
        restart: Default::default(),
        health: None,
        log: Default::default(),
        storage: Default::default(),
        resources: Default::default(),
        security: Default::default(),
        devices: Default::default(),
        time_limit: Default::default(),
        profiles: Vec::new(),
        network: NetworkConfig {
            mode: NetworkMode::Networks,
            memberships: Vec::new(),
            link_environment: LinkEnvironment::Full,
            dns_search: Vec::new(),
            dns_options: Vec::new(),
            expose: BTreeSet::new(),
            publish: Vec::new(),
            publish_all: false,
            links: Vec::new(),
            extra_hosts: Vec::new(),
            nameservers: Vec::new(),
            egress: Default::default(),
        },
    }
}

fn build(config: &ContainerConfig, uid: u32) -> Result<Spec, SpecError> {
    build_guarded(config, uid, DeviceGuard::ControlGroup)
}

fn build_guarded(
    config: &ContainerConfig,
    uid: u32,
    guard: DeviceGuard,
) -> Result<Spec, SpecError> {
    build_spec(&SpecInputs {
        config,
        directory: Path::new("/containers/c"),
        etc_files: Path::new("/containers/c"),
        volumes: Path::new("/volumes"),
        link_environment: &["WEB_NAME=/web2/web".parse().unwrap()],
        user: &ResolvedUser {
            uid,
            gid: 7,
            additional_gids: vec![7, 8],
            home: "/home".to_owned(),
        },
        host: &HostSecurity {
            capabilities: CapabilityMask::usual(),
            ..HostSecurity::default()
        },
        cgroup_path: Some("/minirun/c"),
        window: Some(WindowSize {
            rows: 25,
            columns: 80,
        }),
        devices: &GuardedDevices::usual(guard),
    })
}

#[test]
fn the_process_is_what_was_asked_for() {
    let spec = build(&config(), 0).unwrap();
    let process = spec.process().as_ref().unwrap();
    let words = ["/bin/httpd", "-p", "80"].map(str::to_owned).to_vec();
    assert_eq!(process.args().as_ref().unwrap(), &words);
    let variables = process.env().as_ref().unwrap();
    assert_eq!(
        variables[1..],
        ["HOSTNAME=box", "WEB_NAME=/web2/web", "A=b", "HOME=/home"]
    );
    assert_eq!(process.cwd(), Path::new("/"));
    assert_eq!((process.user().uid(), process.user().gid()), (0, 7));
    assert_eq!(process.user().additional_gids(), &Some(vec![7, 8]));
    assert_eq!(process.no_new_privileges(), Some(false));
    assert_eq!(process.rlimits(), &None);
    assert_eq!(
        process.capabilities(),
        &Some(sets_of(CapabilityMask::usual(), 0))
    );
}

#[test]
fn only_a_terminal_has_a_size_and_a_kind() {
    let mut config = config();
    let spec = build(&config, 0).unwrap();
    let process = spec.process().as_ref().unwrap();
    assert_eq!(
        (process.terminal(), process.console_size()),
        (Some(false), None)
    );
    config.process.terminal = true;
    let spec = build(&config, 0).unwrap();
    let process = spec.process().as_ref().unwrap();
    let size = process.console_size().unwrap();
    assert_eq!((size.height(), size.width()), (25, 80));
    assert_eq!(process.env().as_ref().unwrap()[2], "TERM=xterm");
}

#[test]
fn the_documents_of_two_starts_are_the_same() {
    let config = config();
    let text = || document(&build(&config, 0).unwrap()).unwrap().to_string();
    let first = text();
    assert!((0..20).all(|_| text() == first));
    assert!(first.contains(r#""bounding":["CAP_AUDIT_WRITE","CAP_CHOWN","#));
}

#[test]
fn only_root_holds_capabilities() {
    let spec = build(&config(), 1000).unwrap();
    let process = spec.process().as_ref().unwrap();
    assert_eq!(
        process.capabilities(),
        &Some(sets_of(CapabilityMask::usual(), 1000))
    );
}

#[test]
fn the_container_has_its_root_its_name_and_its_group() {
    let mut config = config();
    config.read_only = true;
    config.hostname = "box.example.org".parse().unwrap();
    let spec = build(&config, 0).unwrap();
    assert_eq!(spec.version(), "1.2.0");
    let root = spec.root().as_ref().unwrap();
    assert_eq!(root.path(), Path::new("/containers/c/merged"));
    assert_eq!(root.readonly(), Some(true));
    assert_eq!(spec.hostname().as_deref(), Some("box.example.org"));
    let linux = spec.linux().as_ref().unwrap();
    assert_eq!(
        linux.cgroups_path().as_deref(),
        Some(Path::new("/minirun/c"))
    );
    assert_eq!(linux.masked_paths().as_ref().unwrap().len(), 12);
    assert_eq!(linux.readonly_paths().as_ref().unwrap().len(), 5);
}

#[test]
fn a_network_of_its_own_has_a_namespace_and_settings_and_the_hosts_has_neither() {
    let mut config = config();
    for (mode, private) in [
        (NetworkMode::Networks, true),
        (NetworkMode::None, true),
        (NetworkMode::Host, false),
    ] {
        config.network.mode = mode;
        let spec = build(&config, 0).unwrap();
        let linux = spec.linux().as_ref().unwrap();
        let namespaces = linux.namespaces().as_ref().unwrap();
        assert_eq!(namespaces.len(), if private { 6 } else { 5 });
        let has_network = namespaces
            .iter()
            .any(|namespace| namespace.typ() == LinuxNamespaceType::Network);
        assert_eq!(has_network, private);
        assert_eq!(linux.sysctl().is_some(), private);
    }
}

#[test]
fn the_settings_let_ordinary_users_serve_low_ports_and_ping() {
    let spec = build(&config(), 0).unwrap();
    let settings = spec.linux().as_ref().unwrap().sysctl().clone().unwrap();
    assert_eq!(settings["net.ipv4.ip_unprivileged_port_start"], "0");
    assert_eq!(settings["net.ipv4.ping_group_range"], "0 2147483647");
    assert_eq!(settings.len(), 2);
}

#[test]
fn a_container_without_a_command_is_refused() {
    let mut config = config();
    config.process.entrypoint.clear();
    config.process.command.clear();
    let error = build(&config, 0).unwrap_err();
    assert!(error.to_string().contains("`demo`"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_relative_working_directory_is_refused() {
    let mut config = config();
    config.process.working_directory = "srv".to_owned();
    let error = build(&config, 0).unwrap_err();
    assert_eq!(error, SpecError::WorkingDirectory("srv".to_owned()));
    config.process.working_directory = "/srv".to_owned();
    let spec = build(&config, 0).unwrap();
    assert_eq!(spec.process().as_ref().unwrap().cwd(), Path::new("/srv"));
}

#[test]
fn the_specification_survives_being_saved_and_so_does_the_container() {
    let config = config();
    let spec = build(&config, 0).unwrap();
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<ContainerConfig>(&text).unwrap(),
        config
    );
}

#[test]
fn the_devices_are_listed_where_a_control_group_guards_them() {
    let devices = |guard| {
        let spec = build_guarded(&config(), 0, guard).unwrap();
        let resources = spec.linux().clone().unwrap().resources().clone();
        resources.map(|resources| resources.devices().clone().unwrap_or_default())
    };
    assert_eq!(devices(DeviceGuard::Mounts), None);
    let listed = devices(DeviceGuard::ControlGroup).unwrap();
    assert!(!listed[0].allow() && listed[0].typ().is_none());
    let of_null = &listed[3];
    assert!(of_null.allow());
    assert_eq!(
        (
            of_null.major(),
            of_null.minor(),
            of_null.access().as_deref()
        ),
        (Some(1), Some(3), Some("rwm"))
    );
    assert!(devices(DeviceGuard::Nobody).unwrap()[0].allow());
}

#[test]
fn a_container_that_mounts_come_into_makes_no_devices_where_nobody_guards_them() {
    let mut config = config();
    let bounding = |config: &ContainerConfig, guard| {
        let spec = build_guarded(config, 0, guard).unwrap();
        let process = spec.process().clone().unwrap();
        process
            .capabilities()
            .clone()
            .unwrap()
            .bounding()
            .clone()
            .unwrap()
    };
    assert_eq!(bounding(&config, DeviceGuard::Mounts).len(), 14);
    config.storage.mounts = vec![crate::storage::Mount {
        destination: "/mnt".parse().unwrap(),
        access: Default::default(),
        kind: MountKind::Bind(crate::storage::Bind {
            source: "/mnt".into(),
            propagation: crate::storage::Propagation::Rslave,
            recursion: Default::default(),
            missing: crate::storage::MissingSource::Create,
            owners: Default::default(),
        }),
        origin: crate::storage::Origin::MountOption,
    }];
    assert_eq!(bounding(&config, DeviceGuard::ControlGroup).len(), 14);
    let bounding = bounding(&config, DeviceGuard::Mounts);
    assert_eq!(bounding.len(), 13);
    assert!(!bounding.contains(&oci_spec::runtime::Capability::Mknod));
}
