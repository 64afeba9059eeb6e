"""Place and route: from a mapped netlist to a layout of standard cells, with the files of a tape-out.

A layout is made of typed values: a technology, a netlist of instances, a floorplan, a placement and routes.
Every spacing rule of the router is a resource of capacity one, so a routing in which no resource is used by
two nets keeps the rules; :mod:`dwn_asic.targets.asic.tapeout.self_check` measures the result again.
"""
