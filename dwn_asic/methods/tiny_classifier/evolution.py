"""The inner loop of Tiny Classifiers: a (1+4) evolution strategy over acyclic graphs of two-input gates.

A circuit is one vector of genes: G functions, 2 G fan-ins (those of gate g at G + 2 g and G + 2 g + 1), then
one driver per output. Fan-ins and drivers are node numbers: inputs 0..I-1, then gate g as I + g. A fan-in may
refer to any gate that does not depend on the reader, so gates have no fixed order, as in EGGP.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dwn_asic.boolean.packed import Words, pack_rows
from dwn_asic.boolean.words import below, ones, uniform
from dwn_asic.compiled import allocating

__all__ = ["FUNCTIONS", "NAND", "LabelledWords", "active_gates", "advance", "random_genes"]

FUNCTIONS = ("and", "or", "nand", "nor")
"""Names of the functions by number: bit 0 selects OR instead of AND, bit 1 inverts the output."""

NAND = FUNCTIONS.index("nand")

_CHILDREN = 4


class LabelledWords(NamedTuple):
    """Rows packed into words of 64, such that no word has rows of two classes.

    Attributes
    ----------
    values
        (I + G, W) packed values; the inputs' are given, the gates' are working space.
    wanted
        (outputs, W) all ones if the class of the word has this bit, else all zeros.
    valid
        (W,) ones where there is a row.
    word_class
        (W,) int64 class of the word's rows.
    class_rows
        (C,) float64 number of rows of each class.
    class_weights
        (C,) float64 weight of a row of each class, by which accuracy counts rows.
    """

    values: Words
    wanted: Words
    valid: Words
    word_class: NDArray[np.int64]
    class_rows: NDArray[np.float64]
    class_weights: NDArray[np.float64]

    @classmethod
    def pack(
        cls,
        bits: NDArray[np.bool_],
        labels: NDArray[np.int64],
        *,
        n_classes: int,
        n_gates: int,
        n_outputs: int,
        weights: NDArray[np.int64] | None = None,
    ) -> LabelledWords:
        """Pack (N, I) input bits and (N,) class indices; the (C,) weights of classes are 1 by default."""
        groups = [bits[labels == c] for c in range(n_classes)]
        inputs = np.concatenate([pack_rows(group) for group in groups], axis=1)
        valid = np.concatenate([pack_rows(np.ones((len(group), 1), np.bool_))[0] for group in groups])
        word_class = np.repeat(np.arange(n_classes), [-(-len(group) // 64) for group in groups])
        values = np.zeros((len(inputs) + n_gates, len(valid)), np.uint64)
        values[: len(inputs)] = inputs
        class_bits = word_class >> np.arange(n_outputs)[:, None] & 1
        wanted = np.where(class_bits == 1, ~np.uint64(0), np.uint64(0))
        rows = np.bincount(labels, minlength=n_classes).astype(np.float64)
        weights = np.ones(n_classes, np.int64) if weights is None else weights
        return cls(values, wanted, valid, word_class, rows, weights.astype(np.float64))


def random_genes(
    n_inputs: int,
    n_gates: int,
    n_outputs: int,
    generator: np.random.Generator,
    *,
    nand_only: bool = False,
) -> NDArray[np.int64]:
    """Draw a random circuit: each gate reads inputs and earlier gates, each output reads any node."""
    functions = np.full(n_gates, NAND) if nand_only else generator.integers(len(FUNCTIONS), size=n_gates)
    fanins = generator.integers(np.repeat(n_inputs + np.arange(n_gates), 2))
    drivers = generator.integers(n_inputs + n_gates, size=n_outputs)
    return np.concatenate([functions, fanins, drivers]).astype(np.int64)


def active_gates(genes: NDArray[np.int64], n_gates: int, n_inputs: int) -> NDArray[np.int64]:
    """Return the gates that some output needs, fan-ins before readers."""
    order = np.empty(n_gates, np.int64)
    count = _order(genes, n_gates, n_inputs, order, np.empty(n_gates, np.uint8))
    return order[:count]


def advance(
    genes: NDArray[np.int64],
    best: NDArray[np.int64],
    scores: NDArray[np.float64],
    state: NDArray[np.uint64],
    *,
    train: LabelledWords,
    val: LabelledWords,
    n_gates: int,
    mutations: NDArray[np.float64],
    generations: int,
    patience: int,
    nand_only: bool = False,
    balanced: bool = True,
) -> int:
    """Evolve for ``generations``, or fewer if ``patience`` runs out, changing the arguments in place.

    Parameters
    ----------
    genes
        The parent.
    best
        The parent with the best score on the validation rows. Ties go to the one with fewer gates, then to
        the first. (The score on the training rows never falls from parent to parent.)
    scores
        (3,) accuracy of the parent on the training rows (negative before the first generation), accuracy of
        ``best`` on the validation rows, and generations since the latter last improved.
    state
        (1,) state of the random numbers, not zero.
    train, val
        The rows to score on.
    n_gates
        G.
    mutations
        (K,) probability that a child has at most k mutations.
    generations
        Maximum number of generations.
    patience
        Number of generations without a better validation score after which evolution ends.
    nand_only
        Do not mutate the functions of gates.
    balanced
        Score by balanced accuracy, otherwise by accuracy, in which rows count by the weights of classes.

    Returns
    -------
    int
        The number of generations done.
    """
    first = n_gates if nand_only else 0
    done: Any = _advance(
        genes, best, scores, state, train, val, n_gates, first, mutations, generations, patience, balanced
    )
    return int(done)


@allocating
def _order(genes, n_gates, n_inputs, order, mark):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Write the active gates to ``order``, fan-ins first; set ``mark`` to 2 for them and return their number.

    All other marks are 0.
    """
    mark[:] = 0
    stack = np.empty(2 * n_gates + 1, np.int64)
    count = 0
    for driver in genes[3 * n_gates :]:
        stack[0] = driver
        depth = 1
        while depth > 0:
            gate = stack[depth - 1] - n_inputs
            if gate < 0 or mark[gate] == 2:
                depth -= 1
            elif mark[gate] == 1:  # both fan-ins are done
                mark[gate] = 2
                order[count] = gate
                count += 1
                depth -= 1
            else:
                mark[gate] = 1
                stack[depth] = genes[n_gates + 2 * gate]
                stack[depth + 1] = genes[n_gates + 2 * gate + 1]
                depth += 2
    return count


@allocating
def _depends(genes, n_gates, n_inputs, start, target):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return whether gate ``target`` is gate ``start`` or in its fan-in cone."""
    if start == target:
        return True
    seen = np.zeros(n_gates, np.bool_)
    stack = np.empty(n_gates, np.int64)
    stack[0] = start
    depth = 1
    while depth > 0:
        depth -= 1
        gate = stack[depth]
        for slot in range(2):
            fanin = genes[n_gates + 2 * gate + slot] - n_inputs
            if fanin == target:
                return True
            if fanin >= 0 and not seen[fanin]:
                seen[fanin] = True
                stack[depth] = fanin
                depth += 1
    return False


@allocating
def _mutate(genes, n_gates, n_inputs, first, state):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Change a random gene with index ``first`` or above; all are equally likely.

    Returns the gene's gate, -1 for the gene of an output.
    """
    gene = first + below(state, len(genes) - first)
    if gene < n_gates:
        genes[gene] = (genes[gene] + 1 + below(state, 3)) % 4
        return gene
    n_nodes = n_inputs + n_gates
    if gene >= 3 * n_gates:
        genes[gene] = below(state, n_nodes)
        return np.int64(-1)
    gate = (gene - n_gates) // 2
    node = below(state, n_nodes)
    while node >= n_inputs and _depends(genes, n_gates, n_inputs, node - n_inputs, gate):
        node = below(state, n_nodes)
    genes[gene] = node
    return gate


@allocating
def _vary(genes, n_gates, n_inputs, first, mark, mutations, state):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Mutate a random number of genes; returns whether an active gate or an output is concerned.

    If not, the circuit's function is unchanged: a gate can become active only by a mutation of an active one.
    """
    draw = uniform(state)
    wanted = 0
    while wanted < len(mutations) and draw >= mutations[wanted]:
        wanted += 1
    differs = False
    for _ in range(wanted):
        gate = _mutate(genes, n_gates, n_inputs, first, state)
        differs = differs or gate < 0 or mark[gate] == 2
    return differs


@allocating
def _score(genes, n_gates, n_inputs, order, count, rows, balanced):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Return the weighted accuracy, or the balanced one: the mean over classes with rows of their recall."""
    values, n_words = rows.values, len(rows.valid)
    for i in range(count):
        gate = order[i]
        function = genes[gate]
        a, b = values[genes[n_gates + 2 * gate]], values[genes[n_gates + 2 * gate + 1]]
        out = values[n_inputs + gate]
        inverted = ~np.uint64(0) if function & 2 else np.uint64(0)
        if function & 1:
            for w in range(n_words):
                out[w] = (a[w] | b[w]) ^ inverted
        else:
            for w in range(n_words):
                out[w] = (a[w] & b[w]) ^ inverted
    right = np.zeros(len(rows.class_rows), np.int64)
    for w in range(n_words):
        wrong = ~rows.valid[w]
        for k in range(len(rows.wanted)):
            wrong |= values[genes[3 * n_gates + k], w] ^ rows.wanted[k, w]
        right[rows.word_class[w]] += ones(~wrong)
    if not balanced:
        return (right * rows.class_weights).sum() / (rows.class_rows * rows.class_weights).sum()
    total, classes = 0.0, 0
    for c in range(len(right)):
        if rows.class_rows[c] > 0.0:
            total += right[c] / rows.class_rows[c]
            classes += 1
    return total / max(1, classes)


@allocating
def _advance(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    genes, best, scores, state, train, val, n_gates, first, mutations, generations, patience, balanced
):
    n_inputs = len(train.values) - n_gates
    order, mark = np.empty(n_gates, np.int64), np.empty(n_gates, np.uint8)
    child_order, child_mark = np.empty(n_gates, np.int64), np.empty(n_gates, np.uint8)
    child, chosen = np.empty_like(genes), np.empty_like(genes)
    count = _order(genes, n_gates, n_inputs, order, mark)
    if scores[0] < 0.0:
        scores[0] = _score(genes, n_gates, n_inputs, order, count, train, balanced)
        scores[1] = _score(genes, n_gates, n_inputs, order, count, val, balanced)
        best[:] = genes
    best_count = _order(best, n_gates, n_inputs, child_order, child_mark)
    for generation in range(generations):
        if scores[2] >= patience:
            return generation
        chosen_score, chosen_differs = -1.0, False
        for _ in range(_CHILDREN):
            child[:] = genes
            differs = _vary(child, n_gates, n_inputs, first, mark, mutations, state)
            score = scores[0]
            if differs:
                child_count = _order(child, n_gates, n_inputs, child_order, child_mark)
                score = _score(child, n_gates, n_inputs, child_order, child_count, train, balanced)
            if score > chosen_score:
                chosen_score, chosen_differs = score, differs
                chosen[:] = child
        scores[2] += 1.0
        # Equal fitness is accepted, which allows neutral drift.
        if chosen_score >= scores[0]:
            scores[0] = chosen_score
            genes[:] = chosen
            if chosen_differs:
                count = _order(genes, n_gates, n_inputs, order, mark)
                val_score = _score(genes, n_gates, n_inputs, order, count, val, balanced)
                if val_score > scores[1]:
                    scores[1], scores[2] = val_score, 0.0
                    best[:], best_count = genes, count
                elif val_score == scores[1] and count < best_count:
                    best[:], best_count = genes, count
    return generations
