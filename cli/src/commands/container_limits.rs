//! The options of `run` and `create` for limits that hold from the start to the end of a container.

use super::switch::parse_switch;
use crate::failure::Failure;
use clap::{ArgAction, Args};
use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::resources::Resources;
use minirun_runtime::resources::block::{BlockLimits, BlockWeight, OnDevice, Operations};
use minirun_runtime::resources::group_parent::GroupParent;
use minirun_runtime::resources::scarce_memory::{OomKiller, OomScore, Swappiness};
use minirun_runtime::resources::ulimit::{Ulimit, distinct};

/// What no `update` changes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct ContainerLimits {
    /// Weight on one disk, from 10 to 1000
    #[arg(long, value_name = "DEVICE:NUMBER")]
    blkio_weight_device: Vec<OnDevice<BlockWeight>>,
    /// Bytes read from a disk in a second, such as /dev/sda:1m
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_read_bps: Vec<OnDevice<ByteSize>>,
    /// Bytes written to a disk in a second
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_write_bps: Vec<OnDevice<ByteSize>>,
    /// Operations of reading from a disk in a second
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_read_iops: Vec<OnDevice<Operations>>,
    /// Operations of writing to a disk in a second
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_write_iops: Vec<OnDevice<Operations>>,
    /// How readily its memory goes to swap, from 0 to 100; version 1 of control groups only
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = swappiness)]
    memory_swappiness: Option<SwappinessChoice>,
    /// Let processes wait instead of killing one when its memory is used up; version 1 only
    #[arg(
        long,
        value_name = "true|false",
        value_parser = parse_switch,
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    oom_kill_disable: bool,
    /// How readily it is killed when the host's memory is used up, from -1000 to 1000
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    oom_score_adj: Option<OomScore>,
    /// What each process may use, such as nofile=1024:4096
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    ulimit: Vec<Ulimit>,
    /// Control group below which the container's own is made [default: /minirun]
    #[arg(long, value_name = "PATH")]
    cgroup_parent: Option<GroupParent>,
}

/// A swappiness, or the host's, which Docker's users write `-1`.
#[derive(Debug, Clone, Copy)]
enum SwappinessChoice {
    Usual,
    Named(Swappiness),
}

fn swappiness(
    word: &str,
) -> Result<SwappinessChoice, minirun_runtime::resources::scarce_memory::ScarceMemoryError> {
    match word {
        "-1" => Ok(SwappinessChoice::Usual),
        word => word.parse().map(SwappinessChoice::Named),
    }
}

impl ContainerLimits {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let block = BlockLimits {
            weight: request.resources.block.weight,
            device_weights: self.blkio_weight_device.clone(),
            read_bytes: self.device_read_bps.clone(),
            written_bytes: self.device_write_bps.clone(),
            reads: self.device_read_iops.clone(),
            writes: self.device_write_iops.clone(),
        };
        let resources = Resources {
            block,
            swappiness: match self.memory_swappiness {
                Some(SwappinessChoice::Named(swappiness)) => Some(swappiness),
                Some(SwappinessChoice::Usual) | None => None,
            },
            oom_killer: match self.oom_kill_disable {
                true => OomKiller::Disabled,
                false => OomKiller::Usual,
            },
            oom_score: self.oom_score_adj,
            ulimits: distinct(&self.ulimit),
            group_parent: self.cgroup_parent.clone().unwrap_or_default(),
            ..request.resources
        };
        resources.check().map_err(Failure::own)?;
        Ok(CreateRequest {
            resources,
            ..request
        })
    }
}
