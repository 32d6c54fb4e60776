//! The process of a container: from a Spec to a running program.
//!
//! # Theory of operation
//!
//! 1. `InitPlan::prepare` (`init_plan.rs`) turns an OCI Spec into a flat list of `InitStep`s. Everything that needs
//!    memory is made here, in the parent, because the child may not allocate: another thread of the parent could have
//!    held the allocator's lock at the moment of the clone.
//! 2. `spawn` (`spawn.rs`) makes a socket pair, the *gate*, and one `clone3` call makes the child in its namespaces.
//! 3. The child (`child.rs`) first gives up every descriptor of the parent but its standard streams and the gate. Then
//!    it runs the steps: file system (`mounts.rs`, `binds.rs`), nodes and files (`nodes.rs`), always below a descriptor of the new
//!    root (`root_path.rs`), so that no symbolic link of an image can lead the mounts of the runtime to another place.
//! 4. When the root is ready, the parent mostly is not: it connects the network. So the child goes on with what takes long and needs
//!    nobody: it gives up capabilities for good and comes under its filter of system calls, if that permits the rest
//!    (`process_steps.rs`, `filter_place.rs`). At the step `WaitAtGate` it says that it is ready and waits. Nothing of the image has
//!    run yet, so nothing can interfere with the steps so far.
//! 5. The gate opens; the child takes on its identity (`identity.rs`) and executes its program (`program.rs`).
//!    Whoever has a start explained reads in shared memory when each step was done (`step_moments.rs`).
//! 6. A step that fails sends its index and error number through the gate. The gate closes on exec, so its end without
//!    a message means that the program runs.
//! 7. With `--init` it forks before that, and only its child executes the program; it stays itself, to pass signals on
//!    and to reap (`init.rs`).
//! 8. `spawn_exec` (`exec.rs`) enters the namespaces of a running container by way of a process between (`between.rs`),
//!    which clones the real one and stays as its parent; that one runs the same identity steps.
//! 8. A process that asks for a terminal makes it itself (`terminal.rs`), in the container's own file system of terminals,
//!    and sends the other end through the gate before it says that it is ready.
//!
//! The child dies with the thread that spawned it: that thread must live as long as the container. Whatever program the
//! image names, a container cannot change the executable of minirun, because minirun runs from a mount that is read-only
//! (`sealed.rs`).

mod app_armor;
mod begin_sealed;
mod between;
mod bind_explanation;
mod binds;
mod child;
mod clone;
mod descriptor_message;
mod detached_root;
mod error;
mod exec;
mod exit;
mod explanation;
mod filter_place;
mod gate;
mod identity;
mod init;
mod init_plan;
mod init_step;
mod mount_options;
mod mounts;
mod new_interfaces;
mod nodes;
mod option_buffer;
mod overlay;
mod path_buffer;
mod proc_file;
mod process_limits;
mod process_steps;
mod program;
mod raw_call;
mod root_path;
mod root_steps;
mod sealed;
mod spawn;
mod standard_streams;
mod step_moments;
mod system_call;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod usage;
mod user_namespace;
mod user_steps;

pub use begin_sealed::begin_sealed;
pub use detached_root::{RootPlan, RootView, RootWrites, clone_running_root, clone_stopped_root};
pub use error::ProcessError;
pub use exec::{ExecPlan, spawn_exec};
pub use exit::{Exit, RunningProcess};
pub use init_plan::{FirstProcess, InitPlan, NewInterfaces};
pub use init_step::InitStep;
pub use overlay::OverlayRoot;
pub use process_limits::ProcessLimits;
pub(crate) use process_limits::own_hard_limit;
pub(crate) use raw_call::raw_call;
pub use sealed::Sealed;
pub use spawn::{HeldProcess, spawn};
pub use standard_streams::ChildStdio;
pub(crate) use terminal::peer;
pub use usage::ProcessUsage;
