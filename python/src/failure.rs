//! What the command line prints when it refuses something, as exceptions, with arguments for its options.
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
        130 => PyKeyboardInterrupt::new_err(in_python(text)),
        _ => failed(text),
    }
}

/// What the command line calls its options, and what they are as arguments. Only what stands between backticks is an
/// option, or before a line and a column: all else is a user's own text.
const ARGUMENTS: [(&str, &str); 16] = [
    ("the same command and `--resume`", "the same call and `resume=True`"),
    ("`sweep --resume`", "`resume=True`"),
    ("`--resume`", "`resume=True`"),
    ("`--force`", "`force=True`"),
    ("`--yes`", "`yes=True`"),
    ("`--runs`", "`runs`"),
    ("`--min-runs`", "`min_runs`"),
    ("`--max-runs`", "`max_runs`"),
    ("`--until`", "`until`"),
    ("`--metrics counts`", "`metrics=\"counts\"`"),
    ("`--metrics all`", "`metrics=\"all\"`"),
    ("`--minimize failed_count`", "`minimize=\"failed_count\"`"),
    ("--> --minimize:", "--> minimize:"),
    ("--> --maximize:", "--> maximize:"),
    ("--> --subject-to:", "--> subject_to:"),
    ("or use `run`", "or use `compare`"),
];

/// What the command line says, for somebody who wrote Python.
fn in_python(text: String) -> String {
    ARGUMENTS.iter().fold(text, |text, (option, argument)| text.replace(option, argument))
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
        Ok(class) => PyErr::from_type(class.clone(), (in_python(text),)),
        Err(error) => error,
    })
}

/// The work was stopped by nobody who raised something else.
pub fn interrupted(_: Cancelled) -> PyErr {
    PyKeyboardInterrupt::new_err(())
}
