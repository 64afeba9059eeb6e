"""The compiled inner loop of the router: the cheapest tree of wires and vias between the pins of a net.

The router works on a grid of crossings: S = columns * lines of them on each of four layers, whose wires run
horizontally, vertically, horizontally, vertically. A crossing of a layer is the node
``layer * S + line * columns + column``.
Wires of the upper two layers may use only every ``stride``-th track.

What a net uses are *resources*; a spacing rule is kept if no resource is used by two nets:

- ``n``, for a node n;
- ``4 S + n``, for the gap between the node n of an upper layer and the next one along the wire, which two
  nets cannot share since their wire ends would be too close; for n on the lowest layer the gap between the
  pads at n and at the next line;
- ``8 S + n``, for a pad at the node n of the lowest layer, which cells may forbid.
"""

from __future__ import annotations

import numpy as np

from dwn_asic.compiled import allocating, kernel

__all__ = ["FORBIDDEN", "LAYERS", "RESOURCES_PER_CROSSING", "resources_of_tree", "route_net"]

LAYERS = 4
RESOURCES_PER_CROSSING = 9
FORBIDDEN = 1e9
"""Cost of a resource that the net may not use."""
# Costs in units of a step to the next column. Gaps cost little, as they only matter beside another net.
_NODE = np.array([1.0, 0.54, 0.9, 0.54])
_GAP, _PAD, _VIA, _BESIDE = 0.1, 0.3, 1.2, 1.0
_STEP_X, _STEP_Y = 1.0, 0.74
"""The least cost of a step to the next column and line, for the estimate of the remaining cost."""


@kernel
def _cost(r, net, use, history, owner, pressure):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the factor on the cost of a resource: 1 where it is free."""
    o = owner[r]
    if o != 0 and o != net:
        return FORBIDDEN
    return (1.0 + history[r]) * (1.0 + pressure * use[r])


@kernel
def _node(n, columns, lines, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Write the resources of a node; returns their number. The first is the node, the others are gaps."""
    size = columns * lines
    layer, q = n // size, n % size
    out[0], k = n, 1
    if layer == 1 or layer == 3:
        out[k], k = 4 * size + n, k + 1
        if q >= columns:
            out[k], k = 4 * size + n - columns, k + 1
    elif layer == 2:
        out[k], k = 4 * size + n, k + 1
        if q % columns > 0:
            out[k], k = 4 * size + n - 1, k + 1
    return k


@kernel
def _pad(n, columns, lines, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Write the resources of a pad at a node of the lowest layer; returns their number."""
    size = columns * lines
    out[0], out[1], k = 8 * size + n, 4 * size + n, 2
    if n >= columns:
        out[k], k = 4 * size + n - columns, k + 1
    return k


@kernel
def _island(n, columns, lines, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Write the room of a piece of layer 2 of the least area, around a node of it; returns its number."""
    size = columns * lines
    column, k = n % size % columns, 0
    if column < columns - 1:
        out[k], k = 4 * size + n + 1, k + 1
    if column > 1:
        out[k], k = 4 * size + n - 2, k + 1
    return k


@kernel
def _node_cost(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    n, net, columns, lines, use, history, owner, pressure, out
):
    k = _node(n, columns, lines, out)
    cost = _NODE[n // (columns * lines)] * _cost(n, net, use, history, owner, pressure)
    for i in range(1, k):
        cost += _GAP * _cost(out[i], net, use, history, owner, pressure)
    return cost


@kernel
def _pad_cost(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    n, net, columns, lines, use, history, owner, pressure, out
):
    k, cost = _pad(n, columns, lines, out), 0.0
    for i in range(k):
        cost += _PAD * _cost(out[i], net, use, history, owner, pressure)
    return cost


@kernel
def _island_cost(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    n, net, columns, lines, use, history, owner, pressure, out
):
    k, cost = _island(n, columns, lines, out), 0.0
    for i in range(k):
        cost += _GAP * _cost(out[i], net, use, history, owner, pressure)
    return cost


@kernel
def _access_cost(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    n, beside, has_pad, net, columns, lines, use, history, owner, pressure, out
):
    """Return the cost of reaching a pin at a node, beyond that of the node."""
    cost = 0.0
    if has_pad:
        cost += _pad_cost(n, net, columns, lines, use, history, owner, pressure, out)
    if beside != 0:
        cost += _BESIDE + _pad_cost(n + beside, net, columns, lines, use, history, owner, pressure, out)
        cost += _node_cost(n + beside, net, columns, lines, use, history, owner, pressure, out)
    return cost


@kernel
def _push(keys, values, count, key, value):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    i = count
    while i > 0:
        parent = (i - 1) >> 1
        if keys[parent] <= key:
            break
        keys[i], values[i] = keys[parent], values[parent]
        i = parent
    keys[i], values[i] = key, value
    return count + 1


@kernel
def _pop(keys, values, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    count -= 1
    key, value, i = keys[count], values[count], 0
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i], values[i] = keys[child], values[child]
        i = child
    keys[i], values[i] = key, value
    return count


@kernel
def _ahead(n, columns, size, box):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return a lower bound of the cost from a node to the box of the targets."""
    x, y = n % size % columns, n % size // columns
    dx = max(box[0] - x, 0, x - box[1])
    dy = max(box[2] - y, 0, y - box[3])
    return _STEP_X * dx + _STEP_Y * dy


@kernel
def _neighbour(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    n, way, columns, lines, stride_x, stride_y, window
):
    """Return the node one step away, or -1: ways 0 and 1 along the wire, 2 up, 3 down."""
    size = columns * lines
    layer, q = n // size, n % size
    x, y = q % columns, q // columns
    on_line = y % stride_y == stride_y - 1
    on_column = x % stride_x == stride_x - 1
    if way < 2:
        step = 1 - 2 * way
        if layer == 0 or layer == 2:
            if x + step < window[0] or x + step > window[1]:
                return -1
            return n + step
        if y + step < window[2] or y + step > window[3]:
            return -1
        return n + step * columns
    if way == 2:
        if layer == 3 or (layer >= 1 and not on_line) or (layer == 2 and not on_column):
            return -1
        return n + size
    return -1 if layer == 0 or (layer == 3 and not on_line) else n - size


@allocating
def route_net(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled  # noqa: C901
    net,
    pin_start,
    access_node,
    access_beside,
    access_pad,
    columns,
    lines,
    stride_x,
    stride_y,
    window,
    use,
    history,
    owner,
    pressure,
    best_cost,
    previous,
    stamp,
    target,
    generation,
    keys,
    values,
    tree,
    edges,
    chosen,
):
    """Connect the pins of a net, one after the other, each by the cheapest path to the tree so far.

    ``chosen[i]`` becomes the access of pin i, ``tree`` the nodes and ``edges`` the steps between them.
    Returns the number of nodes, of edges, the generation of the marks and whether all pins are connected.
    """
    size = columns * lines
    pins = len(pin_start) - 1
    out, box = np.zeros(4, np.int64), np.zeros(4, np.int64)
    done = np.zeros(pins, np.bool_)
    nodes, steps = 0, 0
    for i in range(pins):
        chosen[i] = -1
    for turn in range(pins - 1):
        generation += 1
        count = 0
        box[0], box[1], box[2], box[3] = columns, -1, lines, -1
        for i in range(pins):
            if done[i] or (turn == 0 and i == 0):
                continue
            for a in range(pin_start[i], pin_start[i + 1]):
                n = access_node[a]
                target[n] = generation
                x, y = n % size % columns, n % size // columns
                box[0], box[1] = min(box[0], x), max(box[1], x)
                box[2], box[3] = min(box[2], y), max(box[3], y)
        if turn == 0:
            for a in range(pin_start[0], pin_start[1]):
                n = access_node[a]
                cost = _node_cost(n, net, columns, lines, use, history, owner, pressure, out)
                cost += _access_cost(
                    n,
                    access_beside[a],
                    access_pad[a],
                    net,
                    columns,
                    lines,
                    use,
                    history,
                    owner,
                    pressure,
                    out,
                )
                if cost < FORBIDDEN * 0.05 and (stamp[n] != generation or cost < best_cost[n]):
                    stamp[n], best_cost[n], previous[n] = generation, cost, -2 - a
                    count = _push(keys, values, count, cost + _ahead(n, columns, size, box), n)
        else:
            for i in range(nodes):
                n = tree[i]
                stamp[n], best_cost[n], previous[n] = generation, 0.0, -1
                count = _push(keys, values, count, _ahead(n, columns, size, box), n)
        best, reached = 1e18, -1
        while count > 0:
            key, n = keys[0], values[0]
            count = _pop(keys, values, count)
            if key >= best:
                break
            cost = best_cost[n]
            if key > cost + _ahead(n, columns, size, box) + 1e-9:
                continue  # reached at a lower cost since
            if target[n] == generation:
                for i in range(pins):
                    if done[i] or (turn == 0 and i == 0):
                        continue
                    for a in range(pin_start[i], pin_start[i + 1]):
                        if access_node[a] == n:
                            total = cost + _access_cost(
                                n,
                                access_beside[a],
                                access_pad[a],
                                net,
                                columns,
                                lines,
                                use,
                                history,
                                owner,
                                pressure,
                                out,
                            )
                            if total < best:
                                best, reached = total, a
            layer = n // size
            for way in range(4):
                t = _neighbour(n, way, columns, lines, stride_x, stride_y, window)
                if t < 0:
                    continue
                more = _node_cost(t, net, columns, lines, use, history, owner, pressure, out)
                if way >= 2:
                    lower, below = min(n, t), min(layer, t // size)
                    more += _VIA
                    if below == 0:
                        more += _pad_cost(lower, net, columns, lines, use, history, owner, pressure, out)
                    elif below == 2:
                        more += _island_cost(lower, net, columns, lines, use, history, owner, pressure, out)
                if more >= FORBIDDEN * 0.05:
                    continue
                total = cost + more
                if total < best and (stamp[t] != generation or total < best_cost[t] - 1e-9):
                    stamp[t], best_cost[t], previous[t] = generation, total, n
                    count = _push(keys, values, count, total + _ahead(t, columns, size, box), t)
        if reached < 0 or best >= FORBIDDEN * 0.05:
            return nodes, steps, generation, False
        for i in range(pins):
            if pin_start[i] <= reached < pin_start[i + 1]:
                done[i], chosen[i] = True, reached
        n = access_node[reached]
        while True:
            p = previous[n]
            if p == -1:
                break
            tree[nodes] = n
            nodes += 1
            if p <= -2:
                chosen[0], done[0] = -2 - p, True
                break
            edges[steps, 0], edges[steps, 1] = p, n
            steps += 1
            n = p
    return nodes, steps, generation, True


@kernel
def _note(out, k, marks, mark, found, count):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Append those of k resources that have not been noted yet; returns the new count."""
    for i in range(k):
        if marks[out[i]] != mark:
            marks[out[i]] = mark
            found[count] = out[i]
            count += 1
    return count


@allocating
def resources_of_tree(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    nodes, edges, chosen, access_node, access_beside, access_pad, columns, lines, marks, mark, found
):
    """Write all resources that a net uses, each once; returns their number."""
    size = columns * lines
    out, count = np.zeros(4, np.int64), 0
    for n in nodes:
        count = _note(out, _node(n, columns, lines, out), marks, mark, found, count)
    for i in range(len(edges)):
        lower, upper = min(edges[i, 0], edges[i, 1]), max(edges[i, 0], edges[i, 1])
        if upper - lower != size:
            continue
        if lower < size:
            count = _note(out, _pad(lower, columns, lines, out), marks, mark, found, count)
        elif lower >= 2 * size:
            count = _note(out, _island(lower, columns, lines, out), marks, mark, found, count)
    for a in chosen:
        if a < 0:
            continue
        n, beside = access_node[a], access_beside[a]
        count = _note(out, _node(n, columns, lines, out), marks, mark, found, count)
        if access_pad[a]:
            count = _note(out, _pad(n, columns, lines, out), marks, mark, found, count)
        if beside != 0:
            count = _note(out, _pad(n + beside, columns, lines, out), marks, mark, found, count)
            count = _note(out, _node(n + beside, columns, lines, out), marks, mark, found, count)
    return count
