//! What the command line prints when it refuses something, as exceptions.

use failover_sim::scenario::Problems;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    _native,
    FailoverSimError,
    PyException,
    "Something went wrong: with the same text as on the command line."
);
pyo3::create_exception!(
    _native,
    InputError,
    FailoverSimError,
    "Bad input: what is wrong, where, and what to write instead."
);

/// Makes an exception of what is wrong with scenarios.
pub fn refused(problems: Problems) -> PyErr {
    InputError::new_err(problems.render(false))
}
