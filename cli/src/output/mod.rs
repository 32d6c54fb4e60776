//! Words out: tables, times and sizes in the form that Docker's users read every day, safe for a terminal.
//!
//! Everything here is pure and returns text; nothing prints.

pub mod duration;
pub mod sanitize;
pub mod size;
pub mod table;
pub mod template;
