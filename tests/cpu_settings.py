"""Settings under which the libraries compute as they would on other CPUs, or with several threads.

Each is a set of environment variables for a process. A library that does not know a variable ignores it.
"""

from __future__ import annotations

from collections.abc import Iterator

from numpy._core._multiarray_umath import __cpu_dispatch__

PLAIN = {"OMP_NUM_THREADS": "1"}
"""The settings to compare with: this CPU, one thread."""

TORCH_DEFAULT = {"ATEN_CPU_CAPABILITY": "default"}
TORCH_AVX2 = {"ATEN_CPU_CAPABILITY": "avx2"}
MKL = {"MKL_CBWR": "COMPATIBLE", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
NUMPY = {"NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__), "OPENBLAS_CORETYPE": "Prescott"}
C_LIBRARY = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"}
NUMBA_GENERIC = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
THREADS = {"OMP_NUM_THREADS": "2"}


def one_by_one() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and the variables of each setting."""
    yield "torch without vector instructions", TORCH_DEFAULT
    yield "torch with AVX2", TORCH_AVX2
    yield "MKL without AVX", MKL
    yield "numpy and OpenBLAS without AVX", NUMPY
    yield "C library without AVX and FMA", C_LIBRARY
    yield "numba for any x86-64", NUMBA_GENERIC
    yield "numba for x86-64-v2", {"NUMBA_CPU_NAME": "nehalem"}
    yield "two threads", THREADS


def together() -> dict[str, dict[str, str]]:
    """Return few settings that cover all of them, for a quick test."""
    return {
        "an old CPU": {**TORCH_DEFAULT, **MKL, **NUMPY, **C_LIBRARY},
        "an old CPU for numba": NUMBA_GENERIC,
        "AVX2 and two threads": {**TORCH_AVX2, **THREADS},
    }
