"""Names of tasks."""

from __future__ import annotations


def task_name_flaw(name: object) -> str:
    """Return what is wrong with a task name, empty if nothing is.

    A name must survive every file format and every table: printable text without ``|`` and without
    spaces at its ends.
    """
    if not isinstance(name, str):
        return "must be text"
    if not name.strip():
        return "must not be empty"
    if "|" in name:
        return "must not contain '|'"
    if name != name.strip() or not name.isprintable():
        return "must be printable text without spaces at its ends"
    return ""
