"""Tables as multi-task data: CSV, TSV, Parquet and ARFF."""

from engine.data.readers.files import read_table
from engine.data.readers.table import Column, Table
from engine.data.readers.tables import read_table_data

__all__ = ["Column", "Table", "read_table", "read_table_data"]
