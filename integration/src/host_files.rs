//! Files of a host, and what its kernel lets be set there.

use std::fs;
use std::path::Path;

use crate::driver;
use crate::host::TestHost;

impl TestHost {
    /// Writes minirun's configuration. The firewall driver stays.
    #[track_caller]
    pub fn configures(&self, text: &str) {
        let text = format!("{}{text}", self.driver().setting());
        self.write_file(driver::CONFIGURATION, &text);
    }

    /// Writes a file of this host (below `/etc`, `/run` or `/var/lib`; nothing else is its own).
    #[track_caller]
    pub fn write_file(&self, path: &str, text: &str) {
        let own = ["/etc/", "/run/", "/var/lib/"]
            .iter()
            .any(|start| path.starts_with(start));
        assert!(own, "`{path}` belongs to the machine, not to the host");
        self.inside(|| {
            fs::create_dir_all(Path::new(path).parent().expect("a file has a directory"))
                .and_then(|()| fs::write(path, text))
                .unwrap_or_else(|error| panic!("cannot write `{path}`: {error}"));
        });
    }

    /// Reads a file as this host sees it.
    #[track_caller]
    pub fn read_file(&self, path: &str) -> String {
        self.inside(|| {
            fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
        })
    }

    /// Sets a sysctl of this host's network (`net/ipv4/ip_forward`). Says false if this kernel does not have it.
    #[track_caller]
    pub fn set_sysctl(&self, name: &str, value: &str) -> bool {
        assert!(
            name.starts_with("net/"),
            "only sysctls of the network belong to the host"
        );
        let path = format!("/proc/sys/{name}");
        self.inside(|| match fs::write(&path, value) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => panic!("cannot write `{path}`: {error}"),
        })
    }

    /// Reads a sysctl of this host's network, without the newline at its end.
    #[track_caller]
    pub fn sysctl(&self, name: &str) -> String {
        self.read_file(&format!("/proc/sys/{name}"))
            .trim_end()
            .to_owned()
    }

    /// The path, on this host, of a file that the kernel shows for a container's control group: the name that it has in version 1, and
    /// in version 2.
    #[track_caller]
    pub fn control_path(&self, container: &str, (one, two): (&str, &str)) -> String {
        let id = self.container(container).inspect()["Id"].take();
        let id = id.as_str().expect("a container has an id").to_owned();
        let controller = one.split('.').next().unwrap_or_default();
        let old = format!("/sys/fs/cgroup/{controller}/minirun/{id}/{one}");
        let unified = format!("/sys/fs/cgroup/minirun/{id}/{two}");
        let beside = format!("/sys/fs/cgroup/unified/minirun/{id}/{two}");
        let there = |path: &String| self.inside(|| Path::new(path).exists());
        let found = [old, unified, beside].into_iter().find(there);
        found.unwrap_or_else(|| panic!("container `{container}` has no file `{one}` or `{two}`"))
    }

    /// What such a file says, without the newline at its end.
    #[track_caller]
    pub fn control(&self, container: &str, names: (&str, &str)) -> String {
        let path = self.control_path(container, names);
        self.read_file(&path).trim_end().to_owned()
    }
}
