"""Verilog of the top module: the official ports, registers for the codes, and the classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dwn_asic.boolean.graph import Interface
from dwn_asic.boolean.ports import CLASS_PORT, feature_port
from dwn_asic.targets.asic.tinytapeout.protocol import STROBE, VALID, Field, Protocol
from dwn_asic.targets.asic.tinytapeout.tiles import PORTS

__all__ = ["wrapper_verilog"]

_COMMENTS = {
    "ui_in": "dedicated inputs",
    "uo_out": "dedicated outputs",
    "uio_in": "bidirectional pins: input path",
    "uio_out": "bidirectional pins: output path",
    "uio_oe": "bidirectional pins: 1 makes a pin an output",
    "ena": "1 while the design is selected",
    "clk": "clock",
    "rst_n": "reset, active low",
}


def wrapper_verilog(top: str, name: str, interface: Interface, protocol: Protocol) -> str:
    """Return the Verilog text of the top module of a Tiny Tapeout design.

    Parameters
    ----------
    top
        Name of the top module.
    name
        Prefix of the module names of the classifier, whose module NAME_top has no registers.
    interface
        Names of the features, and widths of their codes.
    protocol
        Packing of the codes into bytes.
    """
    features = list(dict.fromkeys(field.feature for field in protocol.fields))
    ports = {feature: feature_port(feature, interface.feature_names[feature]) for feature in features}
    registers = [f"  reg {_range(protocol.width(f))}{port}_q;" for f, port in ports.items()]
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "",
        "`default_nettype none",
        "",
        f"// {top}: a Tiny Tapeout design around the classifier {name}_top.",
        f"module {top} (",
        *_header(),
        ");",
        "  // Codes of the features: the bits that the classifier reads.",
        *registers,
        f"  wire {_range(protocol.class_bits)}class_d;",
        f"  reg {_range(protocol.class_bits)}class_q;",
        *(_parallel(protocol, ports) if protocol.parallel else _serial(protocol, ports)),
        "",
        f"  {name}_top classifier (",
        *(
            f"    .{port}({_whole(port, protocol.of_feature(f), interface.widths[f])}),"
            for f, port in ports.items()
        ),
        f"    .{CLASS_PORT}(class_d)",
        "  );",
        "",
        "  // The bidirectional pins are inputs.",
        "  assign uio_out = 8'b0;",
        "  assign uio_oe = 8'b0;",
        "  wire _unused = &{ena, ui_in, uio_in, 1'b0};",
        "endmodule",
        "",
        "`default_nettype wire",
        "",
    ]
    return "\n".join(lines)


def _header() -> Iterator[str]:
    for port in PORTS:
        width = f"[{port.width - 1}:0]" if port.width > 1 else ""
        comma = "" if port is PORTS[-1] else ","
        declared = f"  {port.direction:<6} wire {width:<5} {port.name}{comma}"
        yield f"{declared:<30}// {_COMMENTS[port.name]}"


def _parallel(protocol: Protocol, ports: dict[int, str]) -> Iterator[str]:
    """Yield the registers of the parallel mode: codes, then class, each for one clock cycle."""
    yield "  // 1 from the first and from the second clock edge after reset."
    yield "  reg [1:0] filled;"
    yield "  always @(posedge clk) begin"
    for feature, port in ports.items():
        fields = protocol.of_feature(feature)
        sources = [_bits(("ui_in", "uio_in")[field.byte], field.offset, field.width) for field in fields]
        value = sources[0] if len(sources) == 1 else f"{{{', '.join(reversed(sources))}}}"
        yield f"    {port}_q <= {value};"
    yield "    class_q <= class_d;"
    yield "    filled <= rst_n ? {filled[0], 1'b1} : 2'b00;"
    yield "  end"
    yield from _outputs("filled[1]", protocol.class_bits)


def _serial(protocol: Protocol, ports: dict[int, str]) -> Iterator[str]:
    """Yield the registers of the serial mode: bytes that are written, class, and both flags."""
    bits, last = protocol.address_bits, protocol.n_bytes - 1
    yield f"  wire write = uio_in[{STROBE}];"
    yield f"  wire [{bits - 1}:0] address = uio_in[{bits - 1}:0];"
    yield "  // The last byte was written since the reset; the class is that of all bytes."
    yield "  reg loaded;"
    yield "  reg settled;"
    yield "  always @(posedge clk) begin"
    yield "    if (write)"
    yield "      case (address)"
    for byte in range(protocol.n_bytes):
        stored = [_stored(protocol, field, ports) for field in protocol.fields if field.byte == byte]
        body = stored[0] if len(stored) == 1 else f"begin {' '.join(stored)} end"
        yield f"        {bits}'d{byte}: {body}"
    yield "        default: ;"
    yield "      endcase"
    yield "    class_q <= class_d;"
    yield "    settled <= rst_n & ~write;"
    yield f"    loaded <= rst_n & (loaded | (write & (address == {bits}'d{last})));"
    yield "  end"
    yield from _outputs("loaded & settled", protocol.class_bits)


def _stored(protocol: Protocol, field: Field, ports: dict[int, str]) -> str:
    """Return the statement that stores the bits of a byte."""
    low = field.low - protocol.of_feature(field.feature)[0].low
    held = _bits(f"{ports[field.feature]}_q", low, field.width, protocol.width(field.feature))
    return f"{held} <= {_bits('ui_in', field.offset, field.width)};"


def _outputs(valid: str, class_bits: int) -> Iterator[str]:
    zeros = VALID - class_bits
    middle = f"{zeros}'b{'0' * zeros}, " if zeros else ""
    yield f"  assign uo_out = {{{valid}, {middle}class_q}};"


def _whole(port: str, fields: Sequence[Field], width: int) -> str:
    """Return the whole code of a feature, whose other bits are 0."""
    low, held = fields[0].low, sum(field.width for field in fields)
    high = width - low - held
    parts = [f"{high}'b0"] * (high > 0) + [f"{port}_q"] + [f"{low}'b0"] * (low > 0)
    return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"


def _bits(net: str, low: int, width: int, whole: int = 8) -> str:
    """Return some neighbouring bits of a net of a known width."""
    if width == whole:
        return net
    return f"{net}[{low}]" if width == 1 else f"{net}[{low + width - 1}:{low}]"


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""
