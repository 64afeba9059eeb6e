"""A layout of a random netlist, which is made once for all tests of place and route."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from netlists import random_netlist

from dwn_asic.targets.asic.pdk import Pdk, load_pdk
from dwn_asic.targets.asic.tapeout.figures_of_layout import measured
from dwn_asic.targets.asic.tapeout.lay_out import LaidOut, LayoutOptions, lay_out
from dwn_asic.targets.asic.tapeout.layout import Layout
from dwn_asic.targets.asic.tapeout.netlist import Netlist
from dwn_asic.targets.asic.tapeout.technology import Technology, load_technology

CELLS = 60
SHARED = Path(os.environ.get("DWN_ASIC_SHARED_PDK") or Path(__file__).parents[4] / "shared" / "pdk")


def _load(name: str) -> Pdk:
    if not SHARED.is_dir():
        pytest.skip(f"no real PDK files in {SHARED}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDK_ROOT", str(SHARED))
        return load_pdk(name)


@pytest.fixture(scope="session")
def installed() -> Pdk:
    """Return the installed PDK sky130hd."""
    return _load("sky130hd")


@pytest.fixture(scope="session")
def ihp() -> Pdk:
    """Return the installed PDK ihp-sg13g2."""
    return _load("ihp-sg13g2")


@pytest.fixture(scope="session")
def technology(installed: Pdk) -> Technology:
    """Return the technology of the installed PDK."""
    return load_technology(installed)


@pytest.fixture(scope="session")
def netlist(installed: Pdk) -> Netlist:
    """Return a random netlist with enough flip-flops for a clock tree."""
    return random_netlist(installed.library, CELLS, seed=1, registers=0.3)


@pytest.fixture(scope="session")
def laid_out(netlist: Netlist, technology: Technology) -> LaidOut:
    """Return its layout."""
    return lay_out(netlist, technology, LayoutOptions(utilization=0.7, seed=1))


@pytest.fixture(scope="session")
def layout(laid_out: LaidOut, installed: Pdk) -> Layout:
    """Return its layout with wires and figures."""
    from dwn_asic.targets.asic.pdk_timing import load_timing

    return measured(laid_out, load_timing(installed).library)
