"""Where gains come from: in words, and as what a program goes by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from engine.errors import DataError


@dataclass(frozen=True)
class Provenance:
    """Where gains come from.

    Attributes
    ----------
    text
        Publisher, file or store, and what was done, in words.
    store
        Database URL of the gain store, without a password; empty where there is none.
    experiment
        Digest of the experiment whose results the gains are made of, or were predicted from; empty where
        there is none.
    gain_of, gain_form
        Of collected gains: ``"metric"`` or ``"loss"``, and ``"relative"`` or ``"log-ratio"``.
    """

    text: str = ""
    store: str = ""
    experiment: str = ""
    gain_of: str = ""
    gain_form: str = ""

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return self != UNKNOWN

    def noting(self, *notes: str) -> Provenance:
        """Return this provenance with more words behind its own."""
        return replace(self, text="; ".join(filter(None, (self.text, *notes))))

    def to_dict(self) -> dict[str, str]:
        """Return plain data, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Provenance:
        """Rebuild a provenance from :meth:`to_dict`.

        Raises
        ------
        DataError
            If a field is unknown or is no text.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(data, Mapping) or not known >= set(data):
            raise DataError(f"A provenance holds {', '.join(sorted(known))}, not {data!r:.80}.")
        if not all(isinstance(value, str) for value in data.values()):
            raise DataError(f"The fields of a provenance are text, not {data!r:.80}.")
        return cls(**data)

    def to_json(self) -> str:
        """Return the provenance as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Rebuild a provenance from :meth:`to_json`.

        Raises
        ------
        DataError
            If it is no such text.
        """
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise DataError(f"This is no provenance: {text!r:.80}.") from error


UNKNOWN = Provenance()
