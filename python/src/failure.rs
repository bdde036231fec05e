//! What the command line prints when it refuses something, as exceptions.
//!
//! Their classes are written in Python, in `_errors.py`: one of them has two bases.

use failover_sim::experiment::runner::Cancelled;
use failover_sim::scenario::Problems;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Makes an exception of what is wrong with scenarios.
pub fn refused(problems: Problems) -> PyErr {
    input_error(problems.render(false))
}

/// Bad input; the text is all that is said.
pub fn input_error(text: String) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Python::attach(|py| match CLASS.import(py, "failover_sim._errors", "InputError") {
        Ok(class) => PyErr::from_type(class.clone(), (text,)),
        Err(error) => error,
    })
}

/// The work was stopped by nobody who raised something else.
pub fn interrupted(_: Cancelled) -> PyErr {
    PyKeyboardInterrupt::new_err(())
}
