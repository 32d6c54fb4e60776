//! Filters, run as the kernel runs them, and compared with what their policies say.

mod compiled;
mod default;
mod installed;
mod interpreter;
mod reading;
mod user_profile;
