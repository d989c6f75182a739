"""Reading and writing gains and affinities.

Every format is one module with a reader and a writer; :mod:`engine.gains.formats.gains_file` picks the
format from the path. Whatever is wrong with a file is a
:class:`~engine.errors.DataError` of one line that names the file, the line and the task.
"""

from __future__ import annotations

from engine.gains.formats.affinity_json import read_affinity, write_affinity
from engine.gains.formats.gains_file import read_gains, write_gains

__all__ = ["read_affinity", "read_gains", "write_affinity", "write_gains"]
