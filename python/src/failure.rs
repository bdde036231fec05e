//! What the command line prints when it refuses something, as exceptions.
//!
//! Their classes are written in Python, in `_errors.py`: one of them has two bases.

use failover_sim::experiment::runner::Cancelled;
use failover_sim::job::Failure;
use failover_sim::scenario::Problems;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Makes an exception of what is wrong with scenarios.
pub fn refused(problems: Problems) -> PyErr {
    input_error(problems.render(false))
}

/// Makes an exception of why a job was not done.
pub fn not_done(failure: Failure) -> PyErr {
    let text = failure.text(false);
    match failure.code() {
        2 => input_error(text),
        130 => PyKeyboardInterrupt::new_err(text),
        _ => failed(text),
    }
}

/// Bad input; the text is all that is said.
pub fn input_error(text: String) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    error_of(&CLASS, "InputError", text)
}

/// Something failed on the way; the text is all that is said.
pub fn failed(text: String) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    error_of(&CLASS, "FailoverSimError", text)
}

fn error_of(class: &'static PyOnceLock<Py<PyType>>, name: &str, text: String) -> PyErr {
    Python::attach(|py| match class.import(py, "failover_sim._errors", name) {
        Ok(class) => PyErr::from_type(class.clone(), (text,)),
        Err(error) => error,
    })
}

/// The work was stopped by nobody who raised something else.
pub fn interrupted(_: Cancelled) -> PyErr {
    PyKeyboardInterrupt::new_err(())
}
