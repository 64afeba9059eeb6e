"""Verilog text by module, without parsing it."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["black_box", "single_assigns", "split_modules"]

_MODULE = re.compile(r"^module\s+(\w+)\b.*?^endmodule\b[^\n]*\n?", re.MULTILINE | re.DOTALL)

_ASSIGN = re.compile(r"^( *)assign (\{[^;]*\}|[^;={]+) = (\{[^;]*\}|[^;={]+);\n", re.MULTILINE)
_NAME = r"\\\S+ |[A-Za-z_][\w$]*"
_DECLARED = re.compile(rf"^ *(?:input|output|wire) \[(\d+):(\d+)\] ({_NAME});", re.MULTILINE)
_PART = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[(?P<high>\d+)(?::(?P<low>\d+))?\])?|(?P<width>\d+)'(?P<base>[hb])(?P<digits>[0-9a-f]+)"
)


def split_modules(text: str) -> dict[str, str]:
    """Return the name and the text of each module of a text whose keywords begin lines."""
    return {found[1]: found[0] for found in _MODULE.finditer(text)}


def black_box(text: str) -> str:
    """Return a module that this package wrote as a black box for Yosys: its ports alone."""
    header, _, _ = text.partition("\n);\n")
    return f"(* blackbox *)\n{header}\n);\nendmodule\n"


def single_assigns(text: str) -> str:
    """Return a netlist of Yosys with one assign per bit in place of each assign of several nets.

    Yosys writes ``assign { a, b } = { c, d };``, which some readers, OpenSTA among them, do not accept.
    """
    ranges = {name: (int(high), int(low)) for high, low, name in _DECLARED.findall(text)}

    def single(found: re.Match[str]) -> str:
        indent, left, right = found.groups()
        if "{" not in left + right:
            return found[0]
        return "".join(
            f"{indent}assign {target} = {source};\n"
            for target, source in zip(_bits(left, ranges), _bits(right, ranges), strict=True)
        )

    return _ASSIGN.sub(single, text)


def _bits(parts: str, ranges: Mapping[str, tuple[int, int]]) -> list[str]:
    """Return the bits of a net or of a concatenation, most significant first."""
    bits = []
    for part in _PART.finditer(parts):
        if part["width"]:
            value = int(part["digits"], 16 if part["base"] == "h" else 2)
            bits += [f"1'h{value >> bit & 1}" for bit in reversed(range(int(part["width"])))]
            continue
        name = part["name"]
        if part["high"] is None and name not in ranges:
            bits.append(name)
            continue
        high, low = (
            ranges[name] if part["high"] is None else (int(part["high"]), int(part["low"] or part["high"]))
        )
        bits += [f"{name}[{bit}]" for bit in range(high, low - 1, -1)]
    return bits
