//! `--mount KEY=VALUE,…`.

mod csv;
mod fields;
mod kinds;

use super::destination::Destination;
use super::mount::{Access, Origin};
use super::problem::{MountError, MountProblem, Problems};
use super::wanted::MountWanted;
use fields::Fields;

/// Understands `--mount`. A source that begins with `.` is a path behind `base`, the directory of whoever typed it.
///
/// # Errors
/// [`MountError`] with everything that is wrong.
pub fn parse_mount_option(text: &str, base: &str) -> Result<MountWanted, MountError> {
    let mut problems = Problems::default();
    let Some(fields) = csv::fields(text) else {
        problems.add(MountProblem::Quotes);
        return problems.settle(text, None);
    };
    let fields = Fields::read(&fields, &mut problems);
    let destination = fields.destination.clone().unwrap_or_default();
    let destination = problems.keep(destination.parse::<Destination>());
    let kind = kinds::kind(&fields, base, &mut problems);
    let wanted = destination
        .zip(kind)
        .map(|(destination, kind)| MountWanted {
            destination,
            access: match fields.read_only {
                true => Access::ReadOnly,
                false => Access::ReadWrite,
            },
            kind,
            origin: Origin::MountOption,
        });
    problems.settle(text, wanted)
}

#[cfg(test)]
mod tests;
