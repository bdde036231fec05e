"""Tables of results, and how they get to the libraries that people work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from failover_sim import _html
from failover_sim import _native as native
from failover_sim._arguments import did_you_mean

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


class Column(NamedTuple):
    """What a column of a table is: its name, what its values are in (`text`, `count`, `ms`, `USD`, ...), and what they say."""

    name: str
    unit: str
    meaning: str


class Table:
    """Rows of results, by column; the same as in the files that the command line writes.

    Names, units and meanings of all columns are in `docs/columns.md`. A missing value is null, never 0. Whole numbers
    are unsigned 64-bit integers: cast them before you subtract.

    A table needs no library of tables. One that speaks Arrow takes it as it is, without a copy: `polars.DataFrame(table)`,
    `pyarrow.table(table)`.

    >>> import failover_sim as fs
    >>> runs = fs.Scenario.load("experiments/01_incident_3am/any_phase_5s.toml").run(runs=3).runs
    >>> runs
    <Table runs: 3 rows, 59 columns>
    >>> runs["failed_count"]
    [395, 382, 886]
    >>> runs.columns[5]
    Column(name='request_count', unit='count', meaning='requests that arrived: succeeded + failed + open')
    """

    def __init__(self, table: native.Table) -> None:
        self._native = table

    @property
    def name(self) -> str:
        """What the table is called, as its file is."""
        return self._native.name

    @property
    def columns(self) -> list[Column]:
        """Name, unit and meaning of every column, in order."""
        return [Column(*column) for column in self._native.columns]

    def __len__(self) -> int:
        return len(self._native)

    __iter__: ClassVar[None] = None
    """It could be rows or columns, and pandas would take the one for the other."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: str) -> list[str | int | float | bool | None]:
        """The values of a column.

        Raises:
            KeyError: There is no such column.
        """
        if name not in self:
            near = did_you_mean(str(name), [column.name for column in self.columns])
            raise KeyError(f"there is no column `{name}` in the table `{self.name}`{near}")
        return self._native.column(name, None)

    def to_polars(self) -> polars.DataFrame:
        """The table for Polars.

        Raises:
            ImportError: Polars is not installed: `pip install "failover-sim[polars]"`.
        """
        try:
            import polars
        except ImportError as error:
            raise _missing("polars", error) from error
        return polars.DataFrame(self)

    def to_pandas(self) -> pandas.DataFrame:
        """The table for pandas. Whole numbers and truths are of its nullable types, `UInt64` and `boolean`.

        Raises:
            ImportError: pandas or PyArrow is not installed: `pip install "failover-sim[pandas]"`.
        """
        try:
            import pandas
            import pyarrow
        except ImportError as error:
            raise _missing("pandas", error) from error
        # Else a column's type would depend on whether a value is missing.
        nullable = {pyarrow.uint64(): pandas.UInt64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
        frame: pandas.DataFrame = self.to_arrow().to_pandas(types_mapper=nullable.get)
        return frame

    def to_arrow(self) -> pyarrow.Table:
        """The table for PyArrow. A field's metadata have its `unit` and `meaning`.

        Raises:
            ImportError: PyArrow is not installed: `pip install "failover-sim[arrow]"`.
        """
        try:
            import pyarrow
        except ImportError as error:
            raise _missing("arrow", error) from error
        return pyarrow.table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        columns = _html.counted(len(self._native.columns), "column")
        return f"<Table {self.name}: {_html.counted(len(self), 'row')}, {columns}>"

    def _repr_html_(self) -> str:
        columns = [(column.name, column.unit) for column in self.columns]
        shown = [name for name, _ in columns[: _html.MOST_COLUMNS]]
        head = {name: self._native.column(name, _html.MOST_ROWS) for name in shown}
        return _html.table(self.name, columns, len(self), head)


def _missing(extra: str, error: ImportError) -> ImportError:
    wanted = f'to_{extra}() needs {error.name}, which is not installed: pip install "failover-sim[{extra}]"'
    return ImportError(wanted, name=error.name)


class Tables:
    """Results that are tables; what is said without a name is said of the first of them."""

    TABLES: tuple[str, ...] = ()
    """The names of the tables, each of which is an attribute, too; the first is the default."""

    def table(self, name: str | None = None) -> Table:
        """The table of this name, or the one that answers most questions.

        Raises:
            KeyError: There is no such table.
        """
        name = self.TABLES[0] if name is None else name
        if name not in self.TABLES:
            raise KeyError(f"there is no table {name!r}: choose one of {', '.join(self.TABLES)}")
        table = getattr(self, name)
        assert isinstance(table, Table)
        return table

    def to_polars(self, table: str | None = None) -> polars.DataFrame:
        """A table for Polars; see `Table.to_polars`."""
        return self.table(table).to_polars()

    def to_pandas(self, table: str | None = None) -> pandas.DataFrame:
        """A table for pandas; see `Table.to_pandas`."""
        return self.table(table).to_pandas()

    def to_arrow(self, table: str | None = None) -> pyarrow.Table:
        """A table for PyArrow; see `Table.to_arrow`."""
        return self.table(table).to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)
