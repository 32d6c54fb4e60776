//! The options of `run` and `create` that say what is mounted.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::storage::{
    MountWanted, StorageOption, StorageWanted, VolumesFrom, parse_mount_option, parse_tmpfs_option,
    parse_volume_option,
};

/// What of a container's file system is not its image's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Storage")]
pub struct ContainerStorage {
    /// Show a path of the host, or a volume, in the container
    #[arg(
        short,
        long,
        value_name = "[SOURCE:]DESTINATION[:OPTIONS]",
        value_parser = volume_option
    )]
    volume: Vec<MountWanted>,
    /// The same in full: `type=bind|volume|tmpfs`, `source`, `destination`, `readonly` and others
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = mount_option)]
    mount: Vec<MountWanted>,
    /// Mount a file system in memory
    #[arg(long, value_name = "DESTINATION[:OPTIONS]", value_parser = tmpfs_option)]
    tmpfs: Vec<MountWanted>,
    /// Mount what another container has
    #[arg(long, value_name = "CONTAINER[:ro]")]
    volumes_from: Vec<VolumesFrom>,
    /// Size of /dev/shm [default: 64m]
    #[arg(long, value_name = "SIZE")]
    shm_size: Option<ByteSize>,
    /// How much the container may write outside of mounts: `size=SIZE`
    #[arg(long, value_name = "KEY=VALUE")]
    storage_opt: Vec<StorageOption>,
}

impl ContainerStorage {
    /// The request with what these options say.
    pub fn fill(&self, mut request: CreateRequest) -> Result<CreateRequest, Failure> {
        let mounts = self.volume.iter().chain(&self.mount).chain(&self.tmpfs);
        request.storage = StorageWanted {
            mounts: mounts.cloned().collect(),
            volumes_from: self.volumes_from.clone(),
            shared_memory: self.shm_size,
            options: self.storage_opt.clone(),
        };
        Ok(request)
    }
}

fn volume_option(text: &str) -> Result<MountWanted, String> {
    let base = base()?;
    parse_volume_option(text, &base).map_err(|error| error.to_string())
}

fn mount_option(text: &str) -> Result<MountWanted, String> {
    let base = base()?;
    parse_mount_option(text, &base).map_err(|error| error.to_string())
}

fn tmpfs_option(text: &str) -> Result<MountWanted, String> {
    parse_tmpfs_option(text).map_err(|error| error.to_string())
}

/// What a relative path continues.
fn base() -> Result<String, String> {
    let found = std::env::current_dir().map(|directory| directory.into_os_string().into_string());
    match found {
        Ok(Ok(directory)) => Ok(directory),
        Ok(Err(path)) => Err(format!(
            "the current directory `{}` is not UTF-8",
            path.display()
        )),
        Err(error) => Err(format!("cannot find the current directory: {error}")),
    }
}
