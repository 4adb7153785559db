"""A TOML table, read strictly: every key is known, of its type, and named in its error."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from loadtest.errors import LabError

_REQUIRED = object()
_TYPES = {str: "text", list: "a list", dict: "a table", bool: "true or false"}


class DocumentError(LabError):
    """A document cannot be used; the message names file, key and remedy."""


class Table:
    """A table whose keys are taken one by one; `done` complains of those that nobody took.

    `where` names file and table in errors. A key without default is required.
    """

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise DocumentError(f"{where}: must be a table, is {data!r}")
        self.where = where
        self._left: dict[str, Any] = dict(data)
        self._known: list[str] = []

    def take(self, key: str, kind: type, default: Any = _REQUIRED) -> Any:
        """The value of `key`, which must be of type `kind`."""
        value = self._pop(key, default)
        if value is not default and type(value) is not kind:
            raise DocumentError(f"{self.where}: {key} must be {_TYPES[kind]}, is {value!r}")
        return value

    def number(self, key: str, default: Any = _REQUIRED, *, least: float | None = None) -> Any:
        """The number at `key`, whole where the default is; above zero, or at least `least`."""
        value = self._pop(key, default)
        if value is default:
            return value
        wanted: tuple[type, ...] = (int,) if type(default) is int else (int, float)
        if type(value) not in wanted:
            word = "a whole number" if wanted == (int,) else "a number"
            raise DocumentError(f"{self.where}: {key} must be {word}, is {value!r}")
        if value < least if least is not None else value <= 0:
            bound = "above 0" if least is None else f"at least {least:g}"
            raise DocumentError(f"{self.where}: {key} must be {bound}, is {value!r}")
        return value

    def one_of(self, key: str, choices: Collection[str], default: Any = _REQUIRED) -> Any:
        """The text at `key`, one of `choices`."""
        value = self._pop(key, default)
        if value not in choices:
            raise DocumentError(f"{self.where}: {key} {value!r} is none of: {', '.join(choices)}")
        return value

    def texts(self, key: str, default: Any = _REQUIRED) -> tuple[str, ...]:
        """The list of texts at `key`, none twice."""
        values = self.take(key, list, default)
        if values is default:
            return tuple(default)
        if not values or not all(isinstance(value, str) for value in values):
            raise DocumentError(f"{self.where}: {key} must be a list of names, is {values!r}")
        if len(set(values)) < len(values):
            raise DocumentError(f"{self.where}: {key} names one thing twice: {', '.join(values)}")
        return tuple(values)

    def numbers(self, key: str, *, whole: bool = False) -> dict[str, Any]:
        """The table of numbers at `key`, empty where it is missing."""
        values = self.take(key, dict, {})
        for name, value in values.items():
            if type(value) is not int and (whole or type(value) is not float):
                word = "a whole number" if whole else "a number"
                raise DocumentError(f"{self.where}: {key}.{name} must be {word}, is {value!r}")
        return dict(values)

    def some(self, keys: Collection[str]) -> dict[str, Any]:
        """Those of `keys` that are here, taken as they are."""
        self._known += keys
        return {key: self._left.pop(key) for key in keys if key in self._left}

    def done(self) -> None:
        """Complain of a key that nobody took."""
        for key in self._left:
            raise DocumentError(
                f"{self.where}: unknown key {key!r}; there are: {', '.join(sorted(self._known))}"
            )

    def _pop(self, key: str, default: Any) -> Any:
        self._known.append(key)
        if key in self._left:
            return self._left.pop(key)
        if default is _REQUIRED:
            raise DocumentError(f"{self.where}: {key} is missing; add it")
        return default
