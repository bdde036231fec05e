//! A table of results, handed to other libraries through the Arrow PyCapsule interface: nothing is copied on the way, and
//! nobody needs a particular one of them.

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, RecordBatchIterator, StringArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use failover_sim::output::{self, Column, Values};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of one kind, by column.
#[pyclass(frozen)]
pub struct Table {
    name: &'static str,
    batch: RecordBatch,
}

impl Table {
    pub fn of(table: &output::Table) -> Self {
        let fields: Vec<Field> = table.columns.iter().map(field).collect();
        let columns = table.columns.iter().map(|column| array(&column.values)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        Table { name: table.name, batch: batch.expect("columns are as long as each other") }
    }
}

fn field(column: &Column) -> Field {
    let data_type = match column.values {
        Values::Text(_) => DataType::Utf8,
        Values::UInt(_) => DataType::UInt64,
        Values::Float(_) => DataType::Float64,
        Values::Bool(_) => DataType::Boolean,
    };
    let told = [("unit", column.unit), ("meaning", &column.meaning)];
    let told: HashMap<String, String> = told.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
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

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A wish that may be refused: the schema is what it is.
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}
