"""The circuit under annealing as flat memory, which compiled code changes in place.

Nodes are numbered: 0 is the constant 0; then I candidate inputs (thresholds, code bits), of which a circuit
uses few; then G gate slots, some of them free. A gate is an AND or an XOR of two literals; a literal is ``2 *
node + complemented``. A gate reads only inputs and gates of lower slots, so slots are in topological order.
Edge ``2 * g + s`` is fan-in s of gate g; edge ``2 * G + k`` drives output k.

All integers are in one array ``c``: a header of numbers, then sections whose start indices are in the header,
so that ``c[c[KIND] + g]`` is the kind of gate g. Passing one array instead of thirty makes a call of compiled
code an order of magnitude cheaper, and a proposal makes dozens of calls.

Values are stored by block of rows: first all nodes' words of the first block, then those of the second. The
first block, where most proposals fail, is small and therefore stays in a fast cache.

Wrong rows are counted by level of their cost, see :mod:`dwn_asic.optimize.lossy.anneal.scored_rows`; unless
the cost depends on the predicted class, there is one level. The number of errors is the sum of the costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.packed import pack_rows
from dwn_asic.compiled import leaf

if TYPE_CHECKING:
    from dwn_asic.optimize.lossy.anneal.scored_rows import ScoredRows

__all__ = ["AND", "BLOCK", "FREE", "UNIT", "XOR", "Memory", "Prices", "block_size", "block_start"]

AND, XOR = 0, 1
FREE = -1
"""Literal of an edge that reads nothing, as both edges of a free gate slot do."""
UNIT = 0.01
"""NAND2-equivalents per unit of area. Areas are integers, so that undoing a change restores the exact sum."""
FIRST_BLOCK, BLOCK = 8, 64
"""Words evaluated at a time, in the first block and in all others; multiples of 4. Most proposals fail in the
first block, but every block has a fixed cost."""

# Numbers in the header.
AREA, ERRORS, GATES, USED_COUNT = 0, 1, 2, 3
"""State of the present circuit: area in UNITs, cost of misclassified rows, gates, inputs in use."""
LOGGED, PENDING_COUNT, FAILED, LOG_SIZE, PENDING_SIZE = 4, 5, 6, 7, 8
"""State of the present proposal: entries of the log and of the pending gates, whether it failed, and the
capacity of the log and of the pending gates."""
N_GATES, N_NODES, FIRST_GATE, N_EDGES, N_OUTPUTS, N_WORDS, N_BLOCKS, N_FEATURES, N_PARTS = range(9, 18)
N_ROWS = 18
"""Number of rows of ``values``."""
EPOCH = 19
"""A number that changes with the circuit, see FLIP_EPOCH."""
FORM, PLACE_OF, TO, NEW_GATE, NEW_KIND, NEW_A, NEW_B = range(20, 27)
"""The plan of a proposal, see :mod:`dwn_asic.optimize.lossy.anneal.moves`."""
N_SITES = 27
"""Number of nodes and outputs."""
MIXED, LEVELS, N_CLASSES = 28, 29, 30
"""1 if all rows cost 1 and words hold rows of any label; number of levels of cost, and of classes."""
N_SEGMENTS, N_GROUPS = 31, 32
"""Number of segments, and of groups of rows of equal costs."""

# Sections of c.
(
    KIND,  # (G,) AND or XOR
    LITERAL,  # (E,) literal of each edge, FREE if there is none
    HEAD,  # (N,) first edge that reads the node, -1 for none: the edges are a doubly linked list
    FOLLOWING,  # (E,) next edge that reads the same node
    PRECEDING,  # (E,) previous edge that reads the same node
    READERS,  # (N,) number of edges that read the node
    ACTIVE,  # (G,) the gates in use, in no order: the first GATES entries
    PLACE,  # (G,) index of a gate in ACTIVE
    USED,  # (I + 1,) the inputs in use, in no order: the first USED_COUNT entries
    USED_PLACE,  # (1 + I,) index of an input in USED
    PART_USES,  # (P,) number of inputs in use that need each part of a comparator
    GATE_PRICE,  # (2,) area of an AND, of an XOR
    PART_START,  # (I + 2,) the parts of node i are PARTS[PART_START[i] : PART_START[i + 1]]
    PARTS,  # parts of comparators
    PART_PRICE,  # (P,) area of a part
    FEATURE_START,  # (F + 1,) first node of each feature
    FEATURE_OF,  # (1 + I,) feature of each node
    LOG,  # (L, 2) changed edge (or E + gate for its kind) and its previous value
    PENDING,  # gates that may have lost their last reader or have become trivial
    CONE,  # (G,) gates to evaluate, in order
    CONE_PLACE,  # (N,) index of a node in CONE, -1 if it is not there
    CHANGED,  # (G,) 1 where the values of a gate of the cone have changed in the current block
    FLIP_EPOCH,  # (B, S) the epoch in which the wrong rows of the flipped site were computed
    # Where costs differ, a segment is a run of words of one block whose rows have equal costs.
    SEEN,  # (B, G) rows of each group in this block and those before it
    CHECKED,  # (B,) 1 if there are such rows of every group
    GROUP_ROWS,  # (G,) rows of each group
    GROUP_COST,  # (G,) highest cost of a row of each group
    TALLY,  # (G,) cost that the present proposal adds, by group, in the blocks so far
    SEGMENTS,  # (B + 1,) the segments of block b are SEGMENTS[b] .. SEGMENTS[b + 1] - 1
    SEGMENT_START,  # (S,) first word of a segment, within its block
    SEGMENT_END,  # (S,) the word after its last
    SEGMENT_GROUP,  # (S,) group of its rows
    SEGMENT_COST,  # (P, S) what each level adds to the cost of its rows
    WORD_LABEL,  # (W,) label of the rows of each word, if there are several levels
    LEVEL_OF,  # (C, C + 1) number of levels that a prediction reaches, by label
    # Sections of words.
    WANTED,  # (K, W) bit k of each row's class index; W is a whole number of blocks
    VALID,  # (W,) 1 where there is a row
    MARKS,  # (G / 64,) gates to evaluate, as a bitmap
) = range(33, 71)
_HEADER = 71


@leaf
def block_start(block):  # type: ignore[no-untyped-def]  # noqa: D103  # pragma: no cover - compiled
    # The first word of a block.
    return np.int64(0) if block == 0 else FIRST_BLOCK + (block - 1) * BLOCK


@leaf
def block_size(block):  # type: ignore[no-untyped-def]  # noqa: D103  # pragma: no cover - compiled
    return FIRST_BLOCK if block == 0 else BLOCK


@dataclass(frozen=True)
class Prices:
    """Areas in UNITs, see :mod:`dwn_asic.optimize.lossy.anneal.candidates`.

    Attributes
    ----------
    gate
        (2,) int64: area of an AND and of an XOR.
    part_start, parts
        The comparator parts that node i needs: ``parts[part_start[i] : part_start[i + 1]]``.
    part
        (P,) int64 area of each part; the inputs of a feature share parts.
    feature_start
        (F + 1,) int64: the inputs of feature f are the nodes from ``feature_start[f]`` up to the next start,
        ordered by their constants.
    """

    gate: NDArray[np.int64]
    part_start: NDArray[np.int64]
    parts: NDArray[np.int64]
    part: NDArray[np.int64]
    feature_start: NDArray[np.int64]


@dataclass(frozen=True)
class Memory:
    """One circuit, its values on all rows, and working space.

    Attributes
    ----------
    c
        int64 array, see the docstring of the module.
    words
        uint64 array: the state of the random numbers, then the sections of words.
    values
        (R * W,) uint64: row r of block b starts at ``block_start(b) * R + r * block_size(b)``. The first N
        rows are values of the nodes, the next G rows are working space, indexed by place in the cone, and the
        last rows say which rows of data would be wrong if the node or the output were flipped, one row for
        each level of their cost.
    """

    c: NDArray[np.int64]
    words: NDArray[np.uint64]
    values: NDArray[np.uint64]

    @classmethod
    def allocate(
        cls,
        *,
        n_gates: int,
        inputs: NDArray[np.uint64],
        wanted: NDArray[np.uint64],
        rows: ScoredRows,
        prices: Prices,
        seed: int,
    ) -> Memory:
        """Allocate without gates; (I, W) inputs and (K, W) wanted output bits of the rows."""
        n_inputs = len(inputs)
        n_nodes, n_edges, n_outputs = 1 + n_inputs + n_gates, 2 * n_gates + len(wanted), len(wanted)
        n_blocks = 1
        while (n_words := block_start(n_blocks)) < inputs.shape[1]:
            n_blocks += 1
        groups = _groups(rows, n_words, n_blocks)
        segments = _segments(rows, n_words, n_blocks)
        n_sites, n_levels = n_nodes + n_outputs, len(rows.weights)
        n_rows = n_nodes + n_gates + n_levels * n_sites
        n_parts, n_features = len(prices.part), len(prices.feature_start) - 1
        log, pending = 4 * n_edges + 64, 2 * n_edges + 64
        sizes = {
            KIND: n_gates,
            LITERAL: n_edges,
            HEAD: n_nodes,
            FOLLOWING: n_edges,
            PRECEDING: n_edges,
            READERS: n_nodes,
            ACTIVE: n_gates,
            PLACE: n_gates,
            USED: n_inputs + 1,
            USED_PLACE: n_inputs + 1,
            PART_USES: n_parts,
            GATE_PRICE: 2,
            PART_START: len(prices.part_start),
            PARTS: len(prices.parts),
            PART_PRICE: n_parts,
            FEATURE_START: n_features + 1,
            FEATURE_OF: n_inputs + 1,
            LOG: 2 * log,
            PENDING: pending,
            CONE: n_gates,
            CONE_PLACE: n_nodes,
            CHANGED: n_gates,
            FLIP_EPOCH: n_blocks * n_sites,
            SEEN: groups.seen.size,
            CHECKED: n_blocks,
            GROUP_ROWS: len(groups.cost),
            GROUP_COST: len(groups.cost),
            TALLY: len(groups.cost),
            SEGMENTS: n_blocks + 1,
            SEGMENT_START: len(segments.start),
            SEGMENT_END: len(segments.end),
            SEGMENT_GROUP: len(segments.group),
            SEGMENT_COST: segments.cost.size,
            WORD_LABEL: n_words,
            LEVEL_OF: rows.levels.size,
        }
        word_sizes = {
            WANTED: n_outputs * n_words,
            VALID: n_words,
            MARKS: n_gates // 64 + 1,
        }
        starts = _HEADER + np.concatenate([[0], np.cumsum(list(sizes.values()))])
        word_starts = 1 + np.concatenate([[0], np.cumsum(list(word_sizes.values()))])
        c = np.zeros(starts[-1], np.int64)
        words = np.zeros(word_starts[-1], np.uint64)
        c[list(sizes)], c[list(word_sizes)] = starts[:-1], word_starts[:-1]
        c[[N_GATES, N_NODES, FIRST_GATE, N_EDGES]] = n_gates, n_nodes, 1 + n_inputs, n_edges
        c[[N_OUTPUTS, N_WORDS, N_BLOCKS, N_FEATURES, N_PARTS]] = (
            n_outputs,
            n_words,
            n_blocks,
            n_features,
            n_parts,
        )
        c[[LOG_SIZE, PENDING_SIZE]] = log, pending
        c[[N_ROWS, N_SITES, EPOCH]] = n_rows, n_sites, 1
        c[[MIXED, LEVELS, N_CLASSES]] = rows.mixed, n_levels, len(rows.levels)
        c[[N_SEGMENTS, N_GROUPS]] = len(segments.start), len(groups.cost)
        memory = cls(c, words, np.zeros(n_rows * n_words, np.uint64))
        inputs, wanted, valid = (
            _widened(array, n_words) for array in (inputs, wanted, pack_rows(rows.valid[:, None]))
        )
        for block in range(n_blocks):
            start, size = block_start(block), block_size(block)
            block_rows = memory.values[start * n_rows : (start + size) * n_rows].reshape(n_rows, size)
            block_rows[1 : 1 + n_inputs] = inputs[:, start : start + size]
        for section, content in (
            (SEEN, groups.seen.ravel()),
            (CHECKED, groups.checked),
            (GROUP_ROWS, groups.rows),
            (GROUP_COST, groups.cost),
            (SEGMENTS, segments.of_block),
            (SEGMENT_START, segments.start),
            (SEGMENT_END, segments.end),
            (SEGMENT_GROUP, segments.group),
            (SEGMENT_COST, segments.cost.ravel()),
            (WORD_LABEL, _widened(rows.word_label[None], n_words)[0]),
            (LEVEL_OF, rows.levels.ravel()),
            (GATE_PRICE, prices.gate),
            (PART_START, prices.part_start),
            (PARTS, prices.parts),
            (PART_PRICE, prices.part),
            (FEATURE_START, prices.feature_start),
        ):
            memory.section(section, len(content))[:] = content
        feature_of = np.searchsorted(prices.feature_start, np.arange(n_inputs + 1), side="right") - 1
        memory.section(FEATURE_OF, n_inputs + 1)[:] = feature_of
        memory.section(LITERAL, n_edges)[:] = FREE
        memory.section(CONE_PLACE, n_nodes)[:] = -1
        words[c[WANTED] : c[WANTED] + wanted.size] = wanted.ravel()
        words[c[VALID] : c[VALID] + n_words] = valid[0]
        words[0] = np.random.default_rng(seed).integers(1, 1 << 63, dtype=np.uint64)
        return memory

    def section(self, start: int, size: int) -> NDArray[np.int64]:
        """Return a view of a section of ``c``."""
        first = self.c[start]
        return self.c[first : first + size]


@dataclass(frozen=True)
class _Groups:
    """The sections SEEN and GROUP_COST, of the groups that have rows and costs."""

    seen: NDArray[np.int64]
    cost: NDArray[np.int64]

    @property
    def checked(self) -> NDArray[np.int64]:
        """The section CHECKED."""
        return np.array([row.all() for row in self.seen], np.int64)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The section GROUP_ROWS."""
        return np.array(self.seen[-1], np.int64)


def _groups_that_count(rows: ScoredRows) -> NDArray[np.int64]:
    """Return the groups whose rows cost anything, ascending."""
    found: NDArray[np.int64] = np.unique(rows.word_group[(rows.word_group >= 0) & rows.weights.any(axis=0)])
    return found


def _groups(rows: ScoredRows, n_words: int, n_blocks: int) -> _Groups:
    """Count the rows of each group in the blocks."""
    ends = [block_start(block + 1) for block in range(n_blocks)]
    in_word = np.pad(rows.valid, (0, -len(rows.valid) % 64)).reshape(-1, 64).sum(axis=1, dtype=np.int64)
    seen, cost = [], []
    for group in _groups_that_count(rows):
        own = rows.word_group == group
        counted = np.cumsum(_widened(np.where(own, in_word, 0)[None], n_words)[0])
        seen.append(counted[np.array(ends) - 1])
        cost.append(int(rows.weights[:, own].sum(axis=0).max()))
    return _Groups(np.array(seen, np.int64).reshape(-1, n_blocks).T, np.array(cost, np.int64))


@dataclass(frozen=True)
class _Segments:
    """The sections SEGMENTS, SEGMENT_START, SEGMENT_END, SEGMENT_GROUP and SEGMENT_COST."""

    of_block: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    group: NDArray[np.int64]
    cost: NDArray[np.int64]


def _segments(rows: ScoredRows, n_words: int, n_blocks: int) -> _Segments:
    """Divide the words of each block into runs of one group, without words that cost nothing."""
    weights, groups = _widened(rows.weights, n_words), _widened(rows.word_group[None] + 1, n_words)[0] - 1
    found: list[tuple[int, int, int]] = []  # block, start, end
    for block in range(n_blocks):
        own = slice(block_start(block), block_start(block + 1))
        cuts = np.flatnonzero(np.diff(groups[own])) + 1
        bounds = [0, *cuts.tolist(), block_size(block)]
        found += [(block, a, b) for a, b in pairwise(bounds) if weights[:, own][:, a].any()]
    blocks, starts, ends = (np.array([each[i] for each in found], np.int64) for i in range(3))
    first_words = np.array([block_start(block) for block in blocks], np.int64) + starts
    return _Segments(
        of_block=np.searchsorted(blocks, np.arange(n_blocks + 1)).astype(np.int64),
        start=starts,
        end=ends,
        group=np.searchsorted(_groups_that_count(rows), groups[first_words]).astype(np.int64),
        cost=weights[:, first_words],
    )


def _widened(words: NDArray[Any], width: int) -> NDArray[Any]:
    """Pad the words of an array with zeros at the end, up to ``width`` words: (..., W) -> (..., width)."""
    return np.pad(words, ((0, 0), (0, width - words.shape[1])))
