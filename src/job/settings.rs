//! Settings that are made in every scenario: `--set`.

use super::Failure;
use crate::experiment::design::Sweep;
use crate::scenario::Document;

/// Makes settings, each `path=value`, in every scenario.
///
/// # Errors
/// If one of them cannot be read, or is no setting of a scenario.
pub fn make_settings(set: &[String], documents: &mut [Document]) -> Result<(), Failure> {
    for document in documents {
        for assignment in set {
            document.set_text(assignment)?;
        }
    }
    Ok(())
}

/// Refuses to set what the sweep sets again at every point: it would change nothing.
///
/// # Errors
/// With the axis that sets it.
pub fn check_settings(set: &[String], sweep: &Sweep) -> Result<(), Failure> {
    for assignment in set {
        let path = assignment.split('=').next().unwrap_or_default().trim();
        // An axis of some scenarios leaves the others to be set.
        let mut axes = sweep.axes.iter().filter(|axis| axis.scenarios.is_none());
        if let Some(axis) = axes.find(|axis| axis.overrides(path)) {
            return Err(Failure::refused(
                format!("`--set {assignment}` would change nothing: the sweep has an axis `{}`", axis.path),
                "leave it out, or change the values of the axis in experiment.toml",
            ));
        }
    }
    Ok(())
}
