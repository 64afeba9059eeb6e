"""Conversion between LUT layers and the state dicts of torch_dwn.

A layer's ``luts`` are (L, 2**n) values whose sign is the stored bit. Its wiring is ``mapping`` (L, n), or
the argmax over dim 0 of ``mapping.weights`` (in, L * n), reshaped to (L, n). A layer with learned wiring also
has a ``_LUTLayer__dummy_mapping``. That entry and constants of training have no effect on the network.

References
----------
github.com/alanbacellar/DWN, the paper's authors' code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dwn_asic.boolean.lut_network import LutLayer

__all__ = ["LayerError", "check_all_used", "layer_prefixes", "read_array", "read_layers", "write_layers"]

_OF_A_LAYER = ("luts", "mapping", "mapping.weights")
_OF_TRAINING = ("_LUTLayer__dummy_mapping", "alpha", "beta", "mapping.tau")
"""Entries of a layer that only its training needs."""
_MEANINGLESS = frozenset({"n_averaged", "num_updates", "step", "global_step", "epoch", "tau"})
"""Names of entries without effect on predictions: counters of averaged weights (``torch.optim.swa_utils``,
moving averages) and of training loops, and the temperature of a GroupSum, by which all sums are divided."""
_LOSSES = frozenset({"criterion", "loss", "loss_fn"})
"""First parts of the names of entries that belong to a loss, for example class weights."""


class LayerError(ValueError):
    """A state dict does not describe a network of LUT layers."""


def read_layers(state: Mapping[str, Any], n_bits: int) -> tuple[LutLayer, ...]:
    """Return the layers of a state dict, first to last; :func:`check_all_used` checks all other entries.

    Parameters
    ----------
    state
        State dict. Keys may have prefixes (``module.``, ``_orig_mod.``, names of attributes). Layers are in
        the order of the dict, but layers whose prefixes differ only in numbers are ordered by these numbers.
    n_bits
        Number T of input bits of the first layer.

    Raises
    ------
    LayerError
        There are no layers, or their shapes or wirings do not fit each other.
    """
    prefixes = layer_prefixes(state)
    if not prefixes:
        raise LayerError(f"no key ends in 'luts'; the keys are: {_some(state)}")
    layers = []
    for prefix in prefixes:
        layer = _read_layer(state, prefix, n_bits)
        layers.append(layer)
        n_bits = layer.n_luts
    return tuple(layers)


def layer_prefixes(state: Mapping[str, Any]) -> list[str]:
    """Return the prefix of each layer's keys (the part before ``luts``), first layer to last."""
    prefixes = [key[: -len("luts")] for key in state if key == "luts" or key.endswith(".luts")]
    places: dict[str, list[int]] = {}
    for place, prefix in enumerate(prefixes):
        places.setdefault(re.sub(r"\d+", "#", prefix), []).append(place)
    ordered = list(prefixes)
    for alike in places.values():
        by_number = sorted((prefixes[place] for place in alike), key=_numbers)
        for place, prefix in zip(alike, by_number, strict=True):
            ordered[place] = prefix
    return ordered


def _numbers(prefix: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", prefix)]


def check_all_used(state: Mapping[str, Any], also_used: Collection[str]) -> None:
    """Check that every entry of a state dict is known: of a layer, without effect, or in ``also_used``.

    Raises
    ------
    LayerError
        There are other entries, which might change the network; the message lists their keys.
    """
    known = {f"{prefix}{name}" for prefix in layer_prefixes(state) for name in (*_OF_A_LAYER, *_OF_TRAINING)}
    unknown = [key for key in state if key not in known and key not in also_used and not _harmless(key)]
    if unknown:
        count = "1 entry" if len(unknown) == 1 else f"{len(unknown)} entries"
        raise LayerError(
            f"has {count} with an unknown effect on the network: {', '.join(unknown)}; "
            "remove from the state dict what has no effect"
        )


def _harmless(key: str) -> bool:
    steps = key.split(".")
    return steps[-1] in _MEANINGLESS or steps[0] in _LOSSES


def _read_layer(state: Mapping[str, Any], prefix: str, n_bits: int) -> LutLayer:
    luts = read_array(state, f"{prefix}luts")
    if luts.ndim != 2 or luts.shape[1] < 2 or luts.shape[1] & (luts.shape[1] - 1):
        raise LayerError(f"{prefix}luts has shape {luts.shape}, expected (LUTs, a power of two)")
    if not np.isfinite(luts).all():
        raise LayerError(f"{prefix}luts has values that are not finite")
    n_luts, n_inputs = luts.shape[0], luts.shape[1].bit_length() - 1
    if f"{prefix}mapping.weights" in state:
        weights = read_array(state, f"{prefix}mapping.weights")
        if weights.shape != (n_bits, n_luts * n_inputs):
            raise LayerError(
                f"{prefix}mapping.weights has shape {weights.shape}, expected "
                f"{(n_bits, n_luts * n_inputs)}: the layer has {n_bits} input bits and {n_luts} LUTs with "
                f"{n_inputs} inputs each"
            )
        mapping = weights.argmax(axis=0).reshape(n_luts, n_inputs)
    elif f"{prefix}mapping" in state:
        mapping = read_array(state, f"{prefix}mapping")
        if mapping.shape != (n_luts, n_inputs):
            raise LayerError(
                f"{prefix}mapping has shape {mapping.shape}, expected {(n_luts, n_inputs)} for its LUTs"
            )
    else:
        raise LayerError(f"{prefix}luts has neither {prefix}mapping nor {prefix}mapping.weights beside it")
    mapping = mapping.astype(np.int64)
    if mapping.min() < 0 or mapping.max() >= n_bits:
        raise LayerError(
            f"{prefix}mapping reads bits {mapping.min()} to {mapping.max()} of only {n_bits} input bits"
        )
    return LutLayer(mapping, luts > 0)


def write_layers(layers: tuple[LutLayer, ...]) -> dict[str, torch.Tensor]:
    """Return the state dict of an ``nn.Sequential`` of torch_dwn layers with fixed mappings.

    The values of its LUTs are -1 and 1.
    """
    state = {}
    for i, layer in enumerate(layers):
        state[f"{i}.mapping"] = torch.from_numpy(layer.mapping.astype(np.int32))
        state[f"{i}.luts"] = torch.from_numpy(np.where(layer.tables, 1.0, -1.0).astype(np.float32))
    return state


def read_array(state: Mapping[str, Any], key: str) -> NDArray[Any]:
    """Return an entry of a state dict as an array; raises LayerError if it is not numeric."""
    value = state[key]
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        return (value.float() if value.is_floating_point() else value).numpy()
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return value
    raise LayerError(f"{key} is a {type(value).__name__}, not a tensor")


def _some(state: Mapping[str, Any]) -> str:
    keys = [str(key) for key in state]
    return ", ".join(keys[:6]) + (", ..." if len(keys) > 6 else "") if keys else "none"
