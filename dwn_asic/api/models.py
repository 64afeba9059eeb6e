"""Data sets and models: read a table, and fit a classifier by any method."""

from __future__ import annotations

from collections.abc import Mapping

from dwn_asic.arguments import validated
from dwn_asic.data.config import DataConfig, ObjectiveConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.encode.config import FeatureScaling, QuantizerConfig, Scaling
from dwn_asic.errors import ConfigError
from dwn_asic.methods.base import Classifier, MethodConfig, Plan, Progress
from dwn_asic.methods.registry import method as method_of

__all__ = ["Goal", "fit", "plans", "read_data", "with_goal"]


Goal = str | Mapping[str, object] | ObjectiveConfig
"""Name of a metric, or the keys of the section ``objective`` of a flow file."""


def read_data(
    source: str,
    *,
    seed: int = 0,
    input_bits: int = 8,
    scaling: Scaling = "fitted",
    features: Mapping[str, FeatureScaling | Mapping[str, float]] | None = None,
    objective: Goal | None = None,
    **options: object,
) -> Dataset:
    """Read a table, split its rows and fit the quantizer that turns values into integer codes.

    For rows that are in memory already, see :meth:`Dataset.from_arrays`.

    Parameters
    ----------
    source
        Where the table comes from: ``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH``, ``arff:PATH``,
        ``pla:PATH`` or ``openml:ID``.
    seed
        Seed of the random split.
    input_bits
        Maximum width of a feature's code in bits, 1 to 16.
    scaling, features
        As in the section ``encoder`` of a flow file: whether values are ``codes`` already; ``lo``, ``step``
        and ``bits`` of single features by name.
    objective
        What models of these rows are optimized for, chosen by and compared by: the name of a metric
        (``accuracy``, ``balanced_accuracy``, ``f1``), or the keys of the section ``objective`` of a flow file
        as a mapping, for example ``{"metric": "cost", "class_weights": {"no": 1, "yes": 5}}``.
    options
        Further keys of the section ``data``: ``test``, ``val``, ``part``, ``label``, ``drop``, ``separator``,
        ``decimal``, ``impute``, ``one_against_rest``, ``split``.

    Raises
    ------
    ConfigError
        The source or an option is wrong.
    DataError
        The table is missing or wrong.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris", split={"val": 0.2, "test": 0.3})
    >>> dataset.table.class_names
    ('setosa', 'versicolor', 'virginica')
    """
    config = validated(DataConfig, "data", {"source": source, **options})
    codes = {"input_bits": input_bits, "scaling": scaling, "features": features or {}}
    dataset = prepare(config, validated(QuantizerConfig, "data", codes), seed)
    return with_goal(dataset, objective)


def with_goal(dataset: Dataset, objective: Goal | None) -> Dataset:
    """Return the data set with another objective; None keeps its own."""
    return dataset if objective is None else dataset.with_objective(objective)


def fit(
    dataset: Dataset,
    method: str = "dwn",
    *,
    seed: int = 0,
    objective: Goal | None = None,
    progress: Progress | None = None,
    **options: object,
) -> Classifier:
    """Fit a model on the training rows and check its Boolean graph against it on every row.

    Parameters
    ----------
    dataset
        The rows. Training rows fit the model, validation rows decide whatever the method has to choose, and
        test rows are not used.
    method
        Name of the method: ``dwn``, ``decision_tree``, ``tiny_classifier`` or any other registered one.
    seed
        Seed of every random choice; equal arguments return equal classifiers.
    objective
        Objective that replaces the one of the data set, as in :func:`read_data`.
    progress
        Function that is called with a line of text from time to time.
    options
        Keys of the method's configuration; for ``dwn`` these are the sections ``encoder``, ``model`` and
        ``training`` as mappings.

    Raises
    ------
    DwnAsicError
        There is no such method.
    ConfigError
        An option is wrong, or the options describe several classifiers, for which see :func:`plans`.
    DataError
        The data set has nothing to learn from.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> tree.label, len(tree.graph.inputs), tree.accuracy(dataset)["test"]
    ('decision tree, 4 leaves', 3, 0.9)
    >>> fit(dataset, "decision_tree", leaves=[4, 8])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    dwn_asic.errors.ConfigError: method decision_tree: leaves: describes 2 classifiers (tree-4, ...
    """
    found = plans(method, **options)
    if len(found) != 1:
        raise _not_one(method, options, found)
    return found[0].fit(with_goal(dataset, objective), seed, progress)


def plans(method: str, **options: object) -> list[Plan]:
    """Return the plans of all classifiers that a method's options describe.

    Call :meth:`~dwn_asic.methods.base.Plan.fit` of a plan to fit its classifier. Parameters and errors are
    those of :func:`fit`, but any number of classifiers is allowed.

    Examples
    --------
    >>> [plan.label for plan in plans("decision_tree", leaves=[4, 8])]
    ['decision tree, 4 leaves', 'decision tree, 8 leaves']
    """
    chosen = method_of(method)
    return [*chosen.plans(_method_config(method, options))]


def _method_config(method: str, options: Mapping[str, object]) -> MethodConfig:
    return validated(method_of(method).config, f"method {method}", {"kind": method, **options})


def _not_one(method: str, options: Mapping[str, object], found: list[Plan]) -> ConfigError:
    """Return the error that says which keys describe several classifiers, or are empty."""
    config, kind = _method_config(method, options), method_of(method)

    def fewer(key: str) -> bool:
        value = getattr(config, key)
        if not found:
            return value == ()
        narrowed = config.model_copy(update={key: value[:1]}) if isinstance(value, tuple) else config
        return len([*kind.plans(narrowed)]) < len(found)

    keys = [key for key in type(config).model_fields if fewer(key)]
    names = f" ({', '.join(plan.name for plan in found)})" if found else ""
    problem = f"describes {len(found)} classifiers{names} instead of one"
    return ConfigError(f"method {method}", ", ".join(keys), problem, "a single value")
