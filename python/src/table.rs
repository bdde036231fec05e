//! A table of results, handed to other libraries through the Arrow PyCapsule interface: nothing is copied on the way, and
//! nobody needs a particular one of them.

use crate::failure::failed;
use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, RecordBatch, RecordBatchIterator, StringArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use failover_sim::output::{self, Column, Values};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use std::sync::Arc;

/// Rows of one kind, by column.
#[pyclass(frozen, module = "failover_sim._native")]
pub struct Table {
    name: &'static str,
    schema: SchemaRef,
    rows: Box<dyn Rows>,
}

/// Where a table's rows are.
pub trait Rows: Send + Sync {
    /// How many there are.
    fn count(&self) -> Result<usize, ArrowError>;
    /// All of them, some at a time.
    fn batches(&self) -> Batches;
}

/// Rows, some at a time.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

impl Rows for RecordBatch {
    fn count(&self) -> Result<usize, ArrowError> {
        Ok(self.num_rows())
    }

    fn batches(&self) -> Batches {
        Box::new(std::iter::once(Ok(self.clone())))
    }
}

impl Table {
    pub fn of(table: &output::Table) -> Self {
        let batch = batch(table);
        Table { name: table.name, schema: batch.schema(), rows: Box::new(batch) }
    }

    /// A table with the columns of `empty`, whose rows are elsewhere.
    pub fn over(empty: &output::Table, rows: impl Rows + 'static) -> Self {
        Table { name: empty.name, schema: batch(empty).schema(), rows: Box::new(rows) }
    }
}

pub fn batch(table: &output::Table) -> RecordBatch {
    let fields: Vec<Field> = table.columns.iter().map(field).collect();
    let columns = table.columns.iter().map(|column| array(&column.values)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
    batch.expect("columns are as long as each other")
}

fn field(column: &Column) -> Field {
    let data_type = match column.values {
        Values::Text(_) => DataType::Utf8,
        Values::UInt(_) => DataType::UInt64,
        Values::Float(_) => DataType::Float64,
        Values::Bool(_) => DataType::Boolean,
    };
    let told = [("unit", column.unit), ("meaning", &column.meaning)];
    let told = told.map(|(key, text)| (key.to_owned(), text.to_owned()));
    Field::new(column.name.clone(), data_type, true).with_metadata(told)
}

fn array(values: &Values) -> ArrayRef {
    match values {
        Values::Text(texts) => Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
        Values::UInt(numbers) => Arc::new(numbers.iter().copied().collect::<UInt64Array>()),
        Values::Float(numbers) => Arc::new(numbers.iter().copied().collect::<Float64Array>()),
        Values::Bool(truths) => Arc::new(truths.iter().copied().collect::<BooleanArray>()),
    }
}

#[pymethods]
impl Table {
    /// What the table is called.
    #[getter]
    fn name(&self) -> &'static str {
        self.name
    }

    /// Name, unit and meaning of each column.
    #[getter]
    fn columns(&self) -> Vec<(String, String, String)> {
        let told = |field: &Field, key: &str| field.metadata().get(key).cloned().unwrap_or_default();
        self.schema.fields().iter().map(|f| (f.name().clone(), told(f, "unit"), told(f, "meaning"))).collect()
    }

    /// The values of a column, the first `limit` of them.
    fn column<'py>(&self, py: Python<'py>, name: &str, limit: Option<usize>) -> PyResult<Bound<'py, PyList>> {
        let (nth, _) =
            self.schema.column_with_name(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()))?;
        let list = PyList::empty(py);
        let limit = limit.unwrap_or(usize::MAX);
        let mut batches = self.rows.batches();
        while list.len() < limit
            && let Some(batch) = py.detach(|| batches.next())
        {
            let column = batch.map_err(unreadable)?.column(nth).clone();
            let column = column.slice(0, column.len().min(limit - list.len()));
            let values = match column.data_type() {
                DataType::Utf8 => PyList::new(py, column.as_string::<i32>()),
                DataType::UInt64 => PyList::new(py, column.as_primitive::<UInt64Type>()),
                DataType::Float64 => PyList::new(py, column.as_primitive::<Float64Type>()),
                _ => PyList::new(py, column.as_boolean().iter().collect::<Vec<_>>()),
            };
            list.call_method1("extend", (values?,))?;
        }
        Ok(list)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.rows.count()).map_err(unreadable)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A wish that may be refused: the schema is what it is.
        drop(requested_schema);
        let batches = RecordBatchIterator::new(self.rows.batches(), self.schema.clone());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

fn unreadable(error: ArrowError) -> PyErr {
    failed(match error {
        ArrowError::ExternalError(error) => error.to_string(),
        error => error.to_string(),
    })
}
