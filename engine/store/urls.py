"""Database URLs: read, and shown without what is secret in them."""

from __future__ import annotations

from typing import Any

from engine.errors import UsageError, quoted

NO_URL = "write sqlite:///gains.db or postgresql+psycopg://user@host/gains."
HIDDEN = "***"
_SECRET = ("pass", "secret", "token")
"""What the name of a secret setting in a URL holds."""


def parsed(url: str) -> Any:
    """Return a URL in its parts, with the driver that is used for PostgreSQL.

    Raises
    ------
    UsageError
        If the text is no database URL; what may hold a password is not shown.
    """
    import sqlalchemy

    try:
        parts = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        # Where a password begins and ends is not known.
        open_to_show = "@" not in url and not any(word in url.lower() for word in _SECRET)
        raise UsageError(f"{quoted(url) if open_to_show else 'This'} is no database URL: {NO_URL}") from error
    return parts.set(drivername="postgresql+psycopg") if parts.drivername == "postgresql" else parts


def shown(url: Any) -> str:
    """Return a URL without its passwords, wherever they stand in it."""
    import sqlalchemy

    parts = sqlalchemy.make_url(url)
    hidden = {key: "hidden" for key in parts.query if _is_secret(key)}
    text = str(parts.update_query_dict(hidden).render_as_string(hide_password=True))
    for key in hidden:
        text = text.replace(f"{key}=hidden", f"{key}={HIDDEN}")
    return text


def secrets(url: Any) -> tuple[str, ...]:
    """Return what must not be shown of a URL: its passwords, the longest first."""
    import sqlalchemy

    parts = sqlalchemy.make_url(url)
    found = {parts.password or ""}
    for key, value in parts.query.items():
        if _is_secret(key):
            found.update((value,) if isinstance(value, str) else value)
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET)
