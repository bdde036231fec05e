//! Python's values as those of settings.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta, PyDeltaAccess, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use toml::Value;

/// The value as TOML has it. A time is written with its unit, as settings are; whether the value suits a setting is said
/// by the scenario, in its own words.
///
/// # Errors
/// `TypeError` for what is no value of any setting.
pub fn setting(path: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        Ok(Value::Boolean(value.extract()?))
    } else if value.is_instance_of::<PyInt>() {
        // One beyond 64 bits is too large for every setting, and a float says so.
        value.extract().map(Value::Integer).or_else(|_| value.extract().map(Value::Float))
    } else if value.is_instance_of::<PyFloat>() {
        Ok(Value::Float(value.extract()?))
    } else if value.is_instance_of::<PyString>() {
        Ok(Value::String(value.extract()?))
    } else if let Ok(delta) = value.cast::<PyDelta>() {
        Ok(Value::String(duration(delta)))
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items = value.try_iter()?.map(|item| setting(path, &item?));
        Ok(Value::Array(items.collect::<PyResult<_>>()?))
    } else if let Ok(table) = value.cast::<PyDict>() {
        let entry = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let key: String = key.extract().map_err(|_| no_value(path, &key))?;
            Ok((key, setting(path, &value)?))
        };
        Ok(Value::Table(table.iter().map(entry).collect::<PyResult<_>>()?))
    } else if value.hasattr("dtype")? && value.hasattr("item")? {
        // NumPy's numbers are none of Python's.
        setting(path, &value.call_method0("item")?)
    } else {
        Err(no_value(path, value))
    }
}

fn no_value(path: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type().qualname().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "`{path}` takes str, bool, int, float, datetime.timedelta, or a list or dict of these, not {kind}"
    ))
}

/// In the largest unit in which it is a whole number.
fn duration(delta: &Bound<'_, PyDelta>) -> String {
    let seconds = i64::from(delta.get_days()) * 86_400 + i64::from(delta.get_seconds());
    let micros = i128::from(seconds) * 1_000_000 + i128::from(delta.get_microseconds());
    let units = [("s", 1_000_000), ("ms", 1000)];
    match units.into_iter().find(|(_, length)| micros % length == 0) {
        Some((unit, length)) => format!("{}{unit}", micros / length),
        None => format!("{micros}us"),
    }
}
