//! Containers: from an image and a few words to a running process with its own root, network and log.
//!
//! A [`runtime::Runtime`] is a host's containers, images and networks. [`create`] turns what was asked for into a
//! [`config::ContainerConfig`], in which every name is resolved; [`start`] forks a [`monitor`], which builds the OCI
//! specification ([`spec`]), makes the process ([`process`]) and attaches it to its network, then watches it to its end.
//! [`stop`], [`remove`], [`exec`], [`logs`] and [`details`] are what can be done to it meanwhile and afterwards.
//!
//! There is no daemon: what is known of a container is its directory, what is known of a running one is its record and
//! the kernel. A monitor that is killed takes its container with it, and the next command that meets it repairs what
//! is left.
//!
//! Invariant: nothing here writes to a terminal, and no answer depends on a container that was not asked about.

pub mod app_armor;
pub mod attach;
pub mod boot;
pub mod byte_size;
pub mod capabilities;
pub mod cgroup;
mod change;
pub mod condition;
pub mod config;
pub mod connect;
mod connections;
pub mod container_state;
pub mod create;
mod descriptors;
pub mod details;
pub mod devices;
pub mod disk_usage;
pub mod duration;
pub mod egress;
pub mod ending;
mod environment;
pub mod error;
mod error_hint;
pub mod events;
pub mod exec;
pub mod facts;
pub mod files;
pub mod forerunner;
mod fork;
pub mod generated_name;
pub mod health;
pub mod host_security;
pub mod image;
pub mod images;
mod judgement;
pub mod last_place;
mod layers;
mod link_environment;
mod link_removal;
mod link_resolution;
pub mod log;
pub mod log_options;
pub mod logs;
mod lookout;
pub mod moment;
pub mod monitor;
mod mounts;
mod network_files;
mod network_place;
pub mod networking;
pub mod networks;
pub mod outline;
mod own_status;
mod pause;
pub mod pipe;
pub mod process;
pub mod process_identity;
pub mod process_listing;
pub mod profile;
pub mod project_quota;
pub mod prune;
mod record_stamp;
pub mod remove;
mod rename;
mod repair;
pub mod report;
pub mod resources;
mod resources_update;
pub mod restart_policy;
mod resume;
pub mod run_usage;
pub mod runtime;
pub mod seccomp;
pub mod security;
mod settle;
pub mod signal;
pub mod spec;
pub mod start;
mod start_order;
pub mod statistics;
pub mod stop;
pub mod stop_mark;
pub mod stop_timeout;
mod stopping;
pub mod storage;
pub mod store;
pub mod streams;
pub mod summary;
pub mod survey;
pub mod terminal;
pub mod time_limit;
mod tree_removal;
mod ulimits;
pub mod update;
pub mod user;
pub mod user_ids;
mod vital_sign;
pub mod volumes;
pub mod warning;
