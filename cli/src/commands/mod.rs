//! One file for each command: its options, and what it does with them.

pub mod container_options;
pub mod create;
pub mod exec;
pub mod images;
pub mod import;
pub mod info;
pub mod inspect;
pub mod kill;
pub mod logs;
pub mod network;
pub mod port;
pub mod ps;
pub mod restart;
pub mod rm;
pub mod rmi;
pub mod run;
pub mod start;
pub mod stop;
pub mod version;
pub mod wait;
