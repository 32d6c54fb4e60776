//! Turns what a container is into the OCI runtime specification of what is run: `config.json` beside the container.
//!
//! This is pure: it reads no file and asks no kernel, so the same inputs always give the same specification.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use minirun_bridge::environment::EnvironmentVariable;
use oci_spec::runtime::{
    Box as WindowBox, BoxBuilder, Linux, LinuxNamespace, LinuxNamespaceType, Process, Root, Spec,
    User,
};
use serde_json::{Map, Value};

use crate::capabilities::default_sets;
use crate::config::{ContainerConfig, ProcessConfig};
use crate::environment::{EnvironmentInputs, process_environment};
use crate::mounts::{MASKED_PATHS, READ_ONLY_PATHS, RootAccess, container_mounts, owned};
use crate::terminal::WindowSize;
use crate::user::ResolvedUser;

/// The version of the runtime specification that is followed.
const SPEC_VERSION: &str = "1.2.0";
/// Where the root file system is mounted, beneath the container's directory.
const ROOT: &str = "merged";

/// Kernel settings of a private network namespace: ordinary users may serve low ports and send pings, as in Docker.
const NETWORK_SETTINGS: [(&str, &str); 2] = [
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.ping_group_range", "0 2147483647"),
];

/// Everything a specification is made from.
#[derive(Clone, Copy, Debug)]
pub struct SpecInputs<'a> {
    /// The container as it was created.
    pub config: &'a ContainerConfig,
    /// Its directory on the host, absolute: `merged`, where the root is mounted.
    pub directory: &'a Path,
    /// Where its `hosts`, `hostname` and `resolv.conf` are: those of another container, if it shares that one's network.
    pub etc_files: &'a Path,
    /// The variables of its links, as they are at this start.
    pub link_environment: &'a [EnvironmentVariable],
    /// Who its process runs as.
    pub user: &'a ResolvedUser,
    /// Its control group from the root of the hierarchy, such as `/minirun/<id>`; none on a host without one.
    pub cgroup_path: Option<&'a str>,
    /// How large the window of its terminal is, if it is to have one and somebody looks at it.
    pub window: Option<WindowSize>,
}

/// Why a container cannot be specified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Neither the image nor the user says what to run.
    #[error("no command to run: the image `{image}` has neither an entry point nor a command")]
    NoCommand {
        /// The image as it was typed.
        image: String,
    },
    /// The working directory is not an absolute path.
    #[error("invalid working directory `{0}`: write an absolute path, such as `/{0}`")]
    WorkingDirectory(String),
}

impl SpecError {
    /// What helps, where something is known to.
    pub fn hint(&self) -> Option<String> {
        match self {
            SpecError::NoCommand { image } => Some(format!(
                "write the command behind the image: `{image} COMMAND`"
            )),
            SpecError::WorkingDirectory(_) => None,
        }
    }
}

/// Builds the specification of one start of the container.
pub fn build_spec(inputs: &SpecInputs<'_>) -> Result<Spec, SpecError> {
    let access = if inputs.config.read_only {
        RootAccess::ReadOnly
    } else {
        RootAccess::Writable
    };
    let mut root = Root::default();
    root.set_path(inputs.directory.join(ROOT))
        .set_readonly(Some(inputs.config.read_only));
    let mut spec = Spec::default();
    spec.set_version(SPEC_VERSION.to_owned())
        .set_root(Some(root))
        .set_mounts(Some(container_mounts(inputs.etc_files, access)))
        .set_process(Some(process(inputs)?))
        .set_hostname(Some(inputs.config.hostname.to_string()))
        .set_annotations(None)
        .set_linux(Some(linux(inputs)));
    Ok(spec)
}

/// The specification as the document that is saved. The library keeps capabilities and settings in sets without an order;
/// here they have one, so that two starts of one container can be compared.
///
/// # Errors
/// When the specification has no JSON form.
pub fn document(spec: &Spec) -> serde_json::Result<Value> {
    let mut document = serde_json::to_value(spec)?;
    let capabilities = document
        .pointer_mut("/process/capabilities")
        .and_then(Value::as_object_mut);
    for set in capabilities.into_iter().flat_map(Map::values_mut) {
        if let Value::Array(names) = set {
            names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
    }
    let settings = document.pointer_mut("/linux/sysctl");
    if let Some(settings) = settings.and_then(Value::as_object_mut) {
        settings.sort_keys();
    }
    Ok(document)
}

fn process(inputs: &SpecInputs<'_>) -> Result<Process, SpecError> {
    let config = &inputs.config.process;
    let environment = process_environment(&EnvironmentInputs {
        hostname: &inputs.config.hostname,
        link_environment: inputs.link_environment,
        configured: &config.environment,
        home: &inputs.user.home,
        terminal: config.terminal,
    });
    let variables = environment.iter().map(ToString::to_string).collect();
    let mut process = Process::default();
    process
        .set_terminal(Some(config.terminal))
        .set_console_size(
            inputs
                .window
                .filter(|_| config.terminal)
                .and_then(console_size),
        )
        .set_user(user(inputs.user))
        .set_args(Some(arguments(inputs.config)?))
        .set_env(Some(variables))
        .set_cwd(working_directory(config)?)
        .set_capabilities(Some(default_sets(inputs.user.uid)))
        .set_rlimits(None)
        .set_no_new_privileges(Some(config.no_new_privileges));
    Ok(process)
}

fn console_size(window: WindowSize) -> Option<WindowBox> {
    BoxBuilder::default()
        .height(window.rows)
        .width(window.columns)
        .build()
        .ok()
}

fn user(resolved: &ResolvedUser) -> User {
    let mut user = User::default();
    user.set_uid(resolved.uid)
        .set_gid(resolved.gid)
        .set_additional_gids(Some(resolved.additional_gids.clone()));
    user
}

/// The command line: the entry point's words, then the command's.
fn arguments(config: &ContainerConfig) -> Result<Vec<String>, SpecError> {
    let process = &config.process;
    let arguments: Vec<String> = process
        .entrypoint
        .iter()
        .chain(&process.command)
        .cloned()
        .collect();
    if arguments.is_empty() {
        return Err(SpecError::NoCommand {
            image: config.image.clone(),
        });
    }
    Ok(arguments)
}

fn working_directory(config: &ProcessConfig) -> Result<PathBuf, SpecError> {
    match config.working_directory.as_str() {
        "" => Ok(PathBuf::from("/")),
        directory if directory.starts_with('/') => Ok(PathBuf::from(directory)),
        directory => Err(SpecError::WorkingDirectory(directory.to_owned())),
    }
}

fn linux(inputs: &SpecInputs<'_>) -> Linux {
    let private_network = inputs.config.network.mode.is_private();
    let settings: HashMap<String, String> = NETWORK_SETTINGS
        .iter()
        .filter(|_| private_network)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces(inputs)))
        .set_sysctl((!settings.is_empty()).then_some(settings))
        .set_resources(None)
        .set_cgroups_path(inputs.cgroup_path.map(PathBuf::from))
        .set_masked_paths(Some(owned(&MASKED_PATHS)))
        .set_readonly_paths(Some(owned(&READ_ONLY_PATHS)));
    linux
}

/// The namespaces that are made new: all but user, and but network on the host's.
fn namespaces(inputs: &SpecInputs<'_>) -> Vec<LinuxNamespace> {
    let network = inputs
        .config
        .network
        .mode
        .is_private()
        .then_some(LinuxNamespaceType::Network);
    [
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Uts,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Cgroup,
    ]
    .into_iter()
    .chain(network)
    .map(|kind| {
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind);
        namespace
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use minirun_bridge::id::ContainerId;

    use super::*;
    use crate::config::{LinkEnvironment, NetworkConfig, NetworkMode};
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
            },
        }
    }

    fn build(config: &ContainerConfig, uid: u32) -> Result<Spec, SpecError> {
        build_spec(&SpecInputs {
            config,
            directory: Path::new("/containers/c"),
            etc_files: Path::new("/containers/c"),
            link_environment: &["WEB_NAME=/web2/web".parse().unwrap()],
            user: &ResolvedUser {
                uid,
                gid: 7,
                additional_gids: vec![7, 8],
                home: "/home".to_owned(),
            },
            cgroup_path: Some("/minirun/c"),
            window: Some(WindowSize {
                rows: 25,
                columns: 80,
            }),
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
        assert_eq!(process.capabilities(), &Some(default_sets(0)));
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
        assert_eq!(process.capabilities(), &Some(default_sets(1000)));
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
        assert_eq!(linux.resources(), &None);
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
}
