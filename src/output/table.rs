//! A table in memory: named columns of nullable values, each with its unit and its meaning.
//!
//! What the tables of this program are is in [`super::schema`]; how they become files is in [`super::table_file`].

use std::borrow::Cow;
use std::sync::Arc;

/// A text that stands in many rows.
pub type Name = Arc<str>;

/// Rows of one kind, by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What the table is called; its file has this name.
    pub name: &'static str,
    /// All of the same length.
    pub columns: Vec<Column>,
}

/// One column and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name; a unit comes last in it.
    pub name: Cow<'static, str>,
    /// What the values are in: `text`, `count`, `ms`, ...
    pub unit: &'static str,
    /// What a value says, in a sentence without a full stop.
    pub meaning: Cow<'static, str>,
    /// One for each row.
    pub values: Values,
}

/// The values of a column. A missing one is `None`, whatever the type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Texts.
    Text(Vec<Option<Name>>),
    /// Whole numbers.
    UInt(Vec<Option<u64>>),
    /// Numbers.
    Float(Vec<Option<f64>>),
    /// Yes or no.
    Bool(Vec<Option<bool>>),
}

/// Does the same to the vector inside, whatever its type.
macro_rules! each_type {
    ($values:expr, $vec:ident => $result:expr) => {
        match $values {
            Values::Text($vec) => $result,
            Values::UInt($vec) => $result,
            Values::Float($vec) => $result,
            Values::Bool($vec) => $result,
        }
    };
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        each_type!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn append(&mut self, more: &Values) {
        match (self, more) {
            (Values::Text(own), Values::Text(more)) => own.extend_from_slice(more),
            (Values::UInt(own), Values::UInt(more)) => own.extend_from_slice(more),
            (Values::Float(own), Values::Float(more)) => own.extend_from_slice(more),
            (Values::Bool(own), Values::Bool(more)) => own.extend_from_slice(more),
            (own, more) => panic!("a column changed its type from {own:?} to {more:?}"),
        }
    }

    fn split_off(&mut self, at: usize) -> Values {
        match self {
            Values::Text(values) => Values::Text(values.split_off(at)),
            Values::UInt(values) => Values::UInt(values.split_off(at)),
            Values::Float(values) => Values::Float(values.split_off(at)),
            Values::Bool(values) => Values::Bool(values.split_off(at)),
        }
    }
}

impl Table {
    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Adds the rows of a table with the same columns.
    ///
    /// # Panics
    /// If the columns are not the same: a bug.
    pub fn append(&mut self, more: &Table) {
        assert_eq!(self.columns.len(), more.columns.len(), "batches of {} have the same columns", self.name);
        for (own, more) in self.columns.iter_mut().zip(&more.columns) {
            assert_eq!(own.name, more.name, "batches of {} have the same columns", self.name);
            own.values.append(&more.values);
        }
    }

    /// Keeps the first `at` rows and returns the rest.
    pub fn split_off(&mut self, at: usize) -> Table {
        let rest = |column: &mut Column| Column {
            name: column.name.clone(),
            unit: column.unit,
            meaning: column.meaning.clone(),
            values: column.values.split_off(at),
        };
        Table { name: self.name, columns: self.columns.iter_mut().map(rest).collect() }
    }
}

/// Makes a table of rows, a line of code for each column: its name, unit and meaning, and its value in a row.
pub(super) struct TableBuilder<'r, R> {
    table: Table,
    rows: &'r [R],
}

impl<'r, R> TableBuilder<'r, R> {
    pub fn new(name: &'static str, rows: &'r [R]) -> Self {
        TableBuilder { table: Table { name, columns: Vec::new() }, rows }
    }

    pub fn finish(self) -> Table {
        self.table
    }

    pub fn text(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        meaning: impl Into<Cow<'static, str>>,
        value: impl Fn(&R) -> Option<Name>,
    ) {
        let values = Values::Text(self.rows.iter().map(value).collect());
        self.push(name, "text", meaning, values);
    }

    pub fn uint<T: Into<Option<u64>>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        unit: &'static str,
        meaning: impl Into<Cow<'static, str>>,
        value: impl Fn(&R) -> T,
    ) {
        let values = Values::UInt(self.rows.iter().map(|row| value(row).into()).collect());
        self.push(name, unit, meaning, values);
    }

    pub fn float<T: Into<Option<f64>>>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        unit: &'static str,
        meaning: impl Into<Cow<'static, str>>,
        value: impl Fn(&R) -> T,
    ) {
        let values = Values::Float(self.rows.iter().map(|row| value(row).into()).collect());
        self.push(name, unit, meaning, values);
    }

    pub fn bool<T: Into<Option<bool>>>(
        &mut self,
        name: &'static str,
        meaning: impl Into<Cow<'static, str>>,
        value: impl Fn(&R) -> T,
    ) {
        let values = Values::Bool(self.rows.iter().map(|row| value(row).into()).collect());
        self.push(name, "yes or no", meaning, values);
    }

    fn push(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        unit: &'static str,
        meaning: impl Into<Cow<'static, str>>,
        values: Values,
    ) {
        self.table.columns.push(Column { name: name.into(), unit, meaning: meaning.into(), values });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(numbers: &[u64]) -> Table {
        let mut table = TableBuilder::new("squares", numbers);
        table.uint("number", "count", "a number", |n| *n);
        table.float("root", "", "its root, if it has a whole one", |n| {
            [Some(0.0), Some(1.0), None][*n as usize]
        });
        table.text("name", "its name", |n| Some(n.to_string().into()));
        table.bool("is_even", "whether it is even", |n| n % 2 == 0);
        table.finish()
    }

    #[test]
    fn what_was_split_off_can_be_appended_again() {
        let whole = squares(&[0, 1, 2]);
        for at in 0..=3 {
            let mut front = whole.clone();
            let rest = front.split_off(at);
            assert_eq!((front.row_count(), rest.row_count()), (at, 3 - at));
            front.append(&rest);
            assert_eq!(front, whole);
        }
        assert_eq!(whole.column("root").unwrap().values, Values::Float(vec![Some(0.0), Some(1.0), None]));
    }

    #[test]
    #[should_panic(expected = "have the same columns")]
    fn tables_of_different_columns_do_not_mix() {
        let mut table = squares(&[0]);
        let mut other = squares(&[1]);
        other.columns.swap(0, 1);
        table.append(&other);
    }
}
