"""Reading of a LEF macro: its size, and the shapes and use of its pins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dwn_asic.targets.asic.tinytapeout.precheck.rule import RuleBrokenError

__all__ = ["LefMacro", "LefPin", "Rectangle", "read_macro"]

Rectangle = tuple[int, int, int, int]
"""Left, bottom, right and top in nm."""
_LENGTH = re.compile(r"-?\d+\.\d{3}")
_RECT = re.compile(r"^(LAYER|RECT) +(.+?) *;$", re.MULTILINE)


@dataclass(frozen=True)
class LefPin:
    """A pin of a macro: its direction and use, and the layer and place of each of its rectangles."""

    name: str
    direction: str
    use: str
    shapes: tuple[tuple[str, Rectangle], ...]


@dataclass(frozen=True)
class LefMacro:
    """A macro: its origin and size in nm, and its pins by name."""

    name: str
    origin: tuple[int, int]
    size: tuple[int, int]
    pins: Mapping[str, LefPin]


def read_macro(text: str, name: str) -> LefMacro:
    """Read the macro of that name from the text of a LEF file; raises RuleBrokenError if it is wrong."""
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines())
    macro = re.search(
        rf"^MACRO {re.escape(name)}$(.*?)^END {re.escape(name)}$", lines, re.MULTILINE | re.DOTALL
    )
    if macro is None:
        raise RuleBrokenError(f"the LEF has no macro {name}")
    body = macro[1]
    size = re.search(r"^SIZE (\S+) BY (\S+) ?;$", body, re.MULTILINE)
    origin = re.search(r"^ORIGIN (\S+) (\S+) ?;$", body, re.MULTILINE)
    if size is None or origin is None:
        raise RuleBrokenError(f"the LEF macro {name} has no {'SIZE' if size is None else 'ORIGIN'}")
    pins = {}
    for pin in re.finditer(r"^PIN (\S+)$(.*?)^END \1$", body, re.MULTILINE | re.DOTALL):
        if pin[1] in pins:
            raise RuleBrokenError(f"the LEF macro {name} has two pins {pin[1]}")
        pins[pin[1]] = LefPin(pin[1], _value(pin[2], "DIRECTION"), _value(pin[2], "USE"), _shapes(pin[2]))
    return LefMacro(name, (_nm(origin[1]), _nm(origin[2])), (_nm(size[1]), _nm(size[2])), pins)


def _value(body: str, key: str) -> str:
    found = re.search(rf"^{key} (\S+) ?;$", body, re.MULTILINE)
    return found[1] if found else ""


def _shapes(body: str) -> tuple[tuple[str, Rectangle], ...]:
    layer, found = "", []
    for key, rest in _RECT.findall(body):
        if key == "LAYER":
            layer = rest
        else:
            left, bottom, right, top = map(_nm, rest.split())
            found.append((layer, (left, bottom, right, top)))
    return tuple(found)


def _nm(text: str) -> int:
    """Return a length in um as nm; the precheck of Tiny Tapeout reads only numbers with three decimals."""
    if not _LENGTH.fullmatch(text):
        raise RuleBrokenError(f"the LEF has the length {text}, which is no number with three decimals")
    return int(text.replace(".", ""))
