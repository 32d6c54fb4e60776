//! The options of `run`, `create` and `update` that limit a container.

use crate::failure::Failure;
use clap::Args;
use minirun_runtime::byte_size::ByteSize;
use minirun_runtime::create::CreateRequest;
use minirun_runtime::resources::block::BlockWeight;
use minirun_runtime::resources::cpu::{CpuPeriod, CpuQuota, CpuShares, NanoCpus};
use minirun_runtime::resources::cpu_set::CpuSet;
use minirun_runtime::resources::limit::{Limit, MemorySwap};
use minirun_runtime::resources::pids_limit::PidsLimit;
use minirun_runtime::resources::{Resources, ResourcesChange};

/// How much of the host a container may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct ContainerResources {
    /// Memory, such as `512m`; 0 is no limit
    #[arg(short, long, value_name = "SIZE", allow_negative_numbers = true)]
    memory: Option<Limit<ByteSize>>,
    /// Memory and swap together; -1 is all the swap there is [default: twice the memory]
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    memory_swap: Option<MemorySwap>,
    /// Memory that is left to it when the host's is scarce
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    memory_reservation: Option<Limit<ByteSize>>,
    /// Processor time, as that of so many processors, such as 1.5; 0 is no limit
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    cpus: Option<Limit<NanoCpus>>,
    /// Weight when processors are scarce [default: 1024]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    cpu_shares: Option<Limit<CpuShares>>,
    /// Processor time in each period, in microseconds; -1 is no limit
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    cpu_quota: Option<Limit<CpuQuota>>,
    /// Length of a period in microseconds [default: 100000]
    #[arg(long, value_name = "MICROSECONDS", allow_negative_numbers = true)]
    cpu_period: Option<Limit<CpuPeriod>>,
    /// Processors to run on, such as 0-2,4; nothing is all of them
    #[arg(long, value_name = "LIST", value_parser = CpuSet::parse_limit)]
    cpuset_cpus: Option<Limit<CpuSet>>,
    /// Memory nodes to use
    #[arg(long, value_name = "LIST", value_parser = CpuSet::parse_limit)]
    cpuset_mems: Option<Limit<CpuSet>>,
    /// Processes and threads; -1 is no limit
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pids_limit: Option<Limit<PidsLimit>>,
    /// Weight when disks are busy, from 10 to 1000; 0 is the usual one
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    blkio_weight: Option<Limit<BlockWeight>>,
}

impl ContainerResources {
    /// The request with what these options say.
    pub fn fill(&self, request: CreateRequest) -> Result<CreateRequest, Failure> {
        let resources = Resources::default()
            .changed(&self.change())
            .map_err(Failure::own)?;
        Ok(CreateRequest {
            resources,
            ..request
        })
    }

    /// What these options change.
    pub fn change(&self) -> ResourcesChange {
        ResourcesChange {
            memory: self.memory,
            memory_swap: self.memory_swap,
            memory_reservation: self.memory_reservation,
            cpus: self.cpus,
            cpu_quota: self.cpu_quota,
            cpu_period: self.cpu_period,
            cpu_shares: self.cpu_shares,
            cpuset_cpus: self.cpuset_cpus.clone(),
            cpuset_mems: self.cpuset_mems.clone(),
            pids: self.pids_limit,
            block_weight: self.blkio_weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};

    fn change(words: &[&str]) -> Result<ResourcesChange, String> {
        let command = ContainerResources::augment_args(Command::new("run").no_binary_name(true));
        let matches = command
            .try_get_matches_from(words)
            .map_err(|error| error.to_string())?;
        let options = ContainerResources::from_arg_matches(&matches).map_err(|e| e.to_string())?;
        Ok(options.change())
    }

    #[test]
    fn no_limit_can_be_asked_for() {
        let words = [
            "-m",
            "-1",
            "--memory-swap",
            "-1",
            "--pids-limit=-1",
            "--cpuset-cpus=",
        ];
        let change = change(&words).unwrap();
        assert_eq!(change.memory, Some(Limit::Unlimited));
        assert_eq!(change.memory_swap, Some(MemorySwap::Unlimited));
        assert_eq!(change.pids, Some(Limit::Unlimited));
        assert_eq!(change.cpuset_cpus, Some(Limit::Unlimited));
        assert_eq!(change.cpus, None);
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for words in [
            ["--memory", "much"],
            ["--cpus", "two"],
            ["--cpuset-cpus", "3-1"],
            ["--pids-limit", "-2"],
        ] {
            assert!(change(&words).is_err(), "{words:?}");
        }
    }
}
