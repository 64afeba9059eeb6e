"""Protocol by which codes enter a Tiny Tapeout design and the class leaves it.

The bits that the circuit reads of each code are packed into bytes, features in the order of their ports. A
feature takes the bits from its lowest to its highest one that is read; it shares a byte with its neighbours
where it fits, and takes two bytes if it has more than eight bits.

*Parallel*: one or two bytes are applied to ``ui_in`` and ``uio_in``. The class follows two rising edges of
the clock later.

*Serial*: more bytes are written one by one. ``ui_in`` has the byte, the low bits of ``uio_in`` its address,
and ``uio_in[7]`` is the write strobe. At a rising edge of the clock where the strobe is 1, the byte is
stored. The class follows at the next edge.

In both modes the class is on the low bits of ``uo_out``, and ``uo_out[7]`` is 1 while it is valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import Interface
from dwn_asic.errors import DwnAsicError
from dwn_asic.verilog.writer import used_bits

__all__ = ["STROBE", "VALID", "Field", "Protocol", "protocol_of"]

VALID = 7
"""Bit of ``uo_out`` that is 1 while the class is valid."""
STROBE = 7
"""Bit of ``uio_in`` that is the write strobe of the serial mode."""
_BYTE = 8
_MOST_BYTES = 1 << STROBE
_PARALLEL_BYTES = 2


@dataclass(frozen=True)
class Field:
    """Neighbouring bits of a code, and their place in a byte.

    Attributes
    ----------
    feature
        Index of the feature.
    byte
        Number of the byte.
    offset
        Lowest bit of the byte that the field takes.
    low
        Lowest bit of the code that the field holds.
    width
        Number of bits.
    """

    feature: int
    byte: int
    offset: int
    low: int
    width: int


@dataclass(frozen=True)
class Protocol:
    """The packing of codes into bytes, and the width of the class.

    Attributes
    ----------
    fields
        Fields of all features, in the order of features and of bits.
    class_bits
        Width of the class index in bits.
    """

    fields: tuple[Field, ...]
    class_bits: int

    @property
    def n_bytes(self) -> int:
        """Number of bytes of a row."""
        return max((field.byte for field in self.fields), default=-1) + 1

    @property
    def parallel(self) -> bool:
        """True if all bytes are applied at once."""
        return self.n_bytes <= _PARALLEL_BYTES

    @property
    def address_bits(self) -> int:
        """Number of address pins in the serial mode; 0 in the parallel mode."""
        return 0 if self.parallel else (self.n_bytes - 1).bit_length()

    def bytes_of(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the (N, B) bytes of (N, F) codes."""
        packed = np.zeros((len(codes), self.n_bytes), np.uint8)
        for field in self.fields:
            bits = codes[:, field.feature] >> field.low & (1 << field.width) - 1
            packed[:, field.byte] |= (bits << field.offset).astype(np.uint8)
        return packed

    @property
    def class_pins(self) -> str:
        """Pins of the class, as Verilog names them."""
        return f"uo_out[{self.class_bits - 1}:0]" if self.class_bits > 1 else "uo_out[0]"

    def of_feature(self, feature: int) -> tuple[Field, ...]:
        """Return the fields of a feature, the one with its low bits first."""
        return tuple(field for field in self.fields if field.feature == feature)

    def width(self, feature: int) -> int:
        """Return the number of bits of a feature that are loaded."""
        return sum(field.width for field in self.of_feature(feature))


def protocol_of(circuit: Circuit) -> Protocol:
    """Return the protocol of a circuit.

    Raises
    ------
    DwnAsicError
        The class or the codes do not fit the pins.
    """
    interface: Interface = circuit.core.interface
    class_bits = len(circuit.core.outputs)
    if class_bits > VALID:
        raise DwnAsicError(
            f"Tiny Tapeout: {len(interface.class_names)} classes do not fit the pins (at most {1 << VALID})"
        )
    protocol = Protocol(tuple(_fields(used_bits(circuit.encoder))), class_bits)
    if protocol.n_bytes > _MOST_BYTES:
        raise DwnAsicError(
            f"Tiny Tapeout: the codes of {len(used_bits(circuit.encoder))} features take {protocol.n_bytes} "
            f"bytes, more than {_MOST_BYTES}, which is what the address pins reach"
        )
    return protocol


def _fields(read: dict[int, tuple[int, ...]]) -> Iterator[Field]:
    byte, used = 0, 0
    for feature, bits in read.items():
        low, left = bits[0], bits[-1] - bits[0] + 1
        while left:
            width = min(left, _BYTE)
            if used and used + left > _BYTE:
                byte, used = byte + 1, 0
            yield Field(feature, byte, used, low, width)
            used, low, left = used + width, low + width, left - width
