"""Settings as groups of frozen dataclasses: from plain values, as YAML has them, and back. Knows no setting itself.

A setting's name is its path: `optimizer.batch` is the field `batch` of the group in the field `optimizer`. A group
whose class has `named` is one of several kinds; its field `name` says which.
"""

from __future__ import annotations

import copy
import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, TypeVar

import yaml

from ..errors import InstcolorError

T = TypeVar("T")


def some(default: Any = dataclasses.MISSING, *, factory: Any = dataclasses.MISSING, how: str = "") -> Any:
    """A field, or a whole group, that only some stages take: those that name it. `how` is as for `given`."""
    return dataclasses.field(default=default, default_factory=factory, metadata={"some": True, "how": how})


def given(default: Any = dataclasses.MISSING, *, how: str) -> Any:
    """A field that is told how to come by where it has no value: no default, or `null` in the file."""
    return dataclasses.field(default=default, metadata={"how": how})


def built(kind: type[T], values: Any) -> T:
    """A dataclass and its groups from plain values, each checked against the type of its field.

    Raises InstcolorError, one line, with the settings that are unknown, not given or of another type.
    """
    reading = _Reading(kind)
    result = reading.group(kind, values, "")
    if reading.unknown:
        raise InstcolorError(f"no such setting: {', '.join(sorted(reading.unknown))}")
    if reading.missing:
        raise InstcolorError(f"not given: {'; '.join(reading.missing)}")
    answer: T = result
    return answer


def plain(group: Any) -> dict[str, Any]:
    """All settings of a dataclass as YAML and JSON have them."""
    answer: dict[str, Any] = _plain(dataclasses.asdict(group))
    return answer


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings from nested groups by their full names."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        result |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return result


def replaced(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with some of them replaced, by their full names. Raises InstcolorError for one inside no group."""
    result = copy.deepcopy(dict(values))
    for name, value in overrides.items():
        place = result
        *groups, last = name.split(".")
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InstcolorError(f"{group} has no settings inside it")
        place[last] = value
    return result


def parse_overrides(settings: Iterable[str]) -> dict[str, Any]:
    """`["optimizer.batch=8", "seed=1"]` as a dict; values are YAML. Raises InstcolorError."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise InstcolorError(f"--set {setting}: not of the form name=value")
        try:
            values[name] = yaml.safe_load(value) if value else ""
        except yaml.YAMLError:
            raise InstcolorError(f"--set {setting}: the value is not YAML") from None
    return values


def not_for(group: Any, takes: Set[str]) -> list[str]:
    """Settings that only some stages take, that are not in `takes` and not at their defaults.

    A name in `takes` is that of a setting; that of a group, for what in it is for every stage that takes the group; or
    `GROUP.*` for all of it.
    """
    return list(_unfit(group, takes, "", True))


def _unfit(group: Any, takes: Set[str], prefix: str, is_taken: bool) -> Iterator[str]:
    for field in dataclasses.fields(group):
        name, value = prefix + field.name, getattr(group, field.name)
        fits = name in takes or f"{prefix}*" in takes or (is_taken and not field.metadata.get("some"))
        if dataclasses.is_dataclass(value):
            if not fits and f"{name}.*" not in takes and type(value) is not type(_default(field)):
                yield f"{name}.name"
            yield from _unfit(value, takes, f"{name}.", fits)
        elif not fits and value != _default(field):
            yield name


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


class _Reading:
    """One pass over the values of a config; what is wrong with names is collected, the rest raises at once."""

    def __init__(self, root: type) -> None:
        self.root = root
        self.unknown: list[str] = []
        self.missing: list[str] = []

    def group(self, kind: Any, values: Any, prefix: str) -> Any:
        """The dataclass; None where a setting in it is unknown or not given."""
        if not isinstance(values, Mapping):
            raise InstcolorError(f"{prefix.rstrip('.')}: {values!r} is not a group of settings")
        if hasattr(kind, "named"):
            kind = kind.named(values["name"]) if "name" in values else kind.named()
        hints, fields = typing.get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
        self.unknown += [self._unknown(prefix, str(name)) for name in values if name not in fields]
        missing = [name for name, field in fields.items() if _is_missing(field, values)]
        self.missing += [prefix + name + _how(fields[name]) for name in missing]
        known = {name: value for name, value in values.items() if name in fields and name not in missing}
        converted = {name: self._converted(hints[name], value, prefix + name) for name, value in known.items()}
        return None if self.unknown or self.missing else kind(**converted)

    def _unknown(self, prefix: str, name: str) -> str:
        """An unknown name, and where a setting is that is called so."""
        known = [] if prefix else [place for place in _names(self.root, "") if name in _short(place)]
        return prefix + name + (f" (now {' or '.join(known)})" if known else "")

    def _converted(self, kind: Any, value: Any, name: str) -> Any:
        if dataclasses.is_dataclass(kind):
            return self.group(kind, value, name + ".")
        if isinstance(kind, types.GenericAlias):  # tuple[...]
            if not isinstance(value, list | tuple):
                raise InstcolorError(f"{name}: {value!r} is not a list")
            inner = typing.get_args(kind)
            inner = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
            if len(inner) != len(value):
                raise InstcolorError(f"{name}: {value!r} has not {len(inner)} entries")
            return tuple(self._converted(k, v, name) for k, v in zip(inner, value, strict=True))
        if kind is float and type(value) in (int, str):
            try:
                return float(value)  # YAML takes 1e-4 for text
            except ValueError:
                pass
        elif type(value) is kind:
            return value
        raise InstcolorError(f"{name}: {value!r} is not of type {kind.__name__}")


def _is_missing(field: dataclasses.Field[Any], values: Mapping[str, Any]) -> bool:
    if field.name not in values:
        return _default(field) is dataclasses.MISSING
    return values[field.name] is None and bool(_how(field))


def _how(field: dataclasses.Field[Any]) -> str:
    how = field.metadata.get("how")
    return f" ({how})" if how else ""


def _names(kind: Any, prefix: str) -> Iterator[str]:
    """Full names of all settings; of groups of several kinds, those of the one that is taken without a name."""
    kind = kind.named() if hasattr(kind, "named") else kind
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _names(hints[field.name], f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def _short(name: str) -> tuple[str, ...]:
    """What somebody may call a setting who knows its group: `hints.share` is `share` and `hint_share`."""
    *groups, last = name.split(".")
    return (last, *(f"{group.rstrip('s')}_{last}" for group in groups))


def _plain(value: Any) -> Any:
    """Tuples as lists, which YAML can write."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
