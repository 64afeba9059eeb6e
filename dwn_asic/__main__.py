"""Run the command ``dwn-asic`` as ``python -m dwn_asic``."""

from dwn_asic.cli import main

main()
