"""Tables as multi-task data: CSV, TSV, Parquet and ARFF."""

from engine.data.readers.table import Table, TableColumn
from engine.data.readers.table_data import read_table_data
from engine.data.readers.table_files import read_table

__all__ = ["Table", "TableColumn", "read_table", "read_table_data"]
