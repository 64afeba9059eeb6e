"""``python -m dwn_asic`` is ``dwn-asic``."""

from dwn_asic.cli import main

main()
