"""The whole precheck of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dwn_asic.targets.asic.tinytapeout.precheck import layout as layouts
from dwn_asic.targets.asic.tinytapeout.precheck import proof, simulation
from dwn_asic.targets.asic.tinytapeout.precheck import repository as repositories
from dwn_asic.targets.asic.tinytapeout.precheck.rule import Finding, Findings, checked

__all__ = ["precheck"]


def precheck(
    files: Mapping[str, str], layout: layouts.LayoutFiles | None = None, *, simulate: bool = True
) -> Findings:
    """Check a Tiny Tapeout repository, and its layout if there is one, against all rules that can be checked.

    Parameters
    ----------
    files
        Path and text of each text file, for example those of :func:`dwn_asic.tiny_tapeout`.
    layout
        GDS, LEF and netlist of a layout.
    simulate
        Whether to run the tests of the repository, which takes some seconds.

    Returns
    -------
    Findings
        Each rule by its name, with its verdict. Nothing is raised for a broken rule.
    """
    repository = repositories.Repository(files)

    def findings() -> Iterator[Finding]:
        yield from checked(repositories.RULES, repository)
        yield from checked(proof.RULES, repository)
        if simulate:
            yield from checked(simulation.RULES, repository)
        if layout is not None:
            yield from checked(layouts.RULES, layouts.CheckedLayout(repository, layout))

    return Findings(tuple(findings()))
