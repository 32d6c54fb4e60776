//! Real containers: every test has a mount namespace, a tmpfs and a root file system of its own.

mod exec;
mod fixture;
mod life;
mod plan;
mod root;
mod security;
mod terminal;
