"""The sampler of trials: Optuna, in a storage that survives an interruption."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dwn_asic.errors import ConfigError, ToolError
from dwn_asic.search.space import Assignment, Choices, Space

__all__ = ["Asked", "Direction", "Sampler", "open_sampler"]

Direction = Literal["maximize", "minimize"]
_ASSIGNMENT = "assignment"
_RANDOM_TRIALS = 10


@dataclass(frozen=True)
class Asked:
    """A trial that was asked for.

    Attributes
    ----------
    number
        Its number, counted from 0.
    assignment
        Its value on each axis.
    """

    number: int
    assignment: Assignment


class Sampler:
    """The trials of a search, which are asked for one by one, and told the outcome.

    Each trial depends on the seed, its number and the outcomes that are known by then, so that a search with
    one worker continues after an interruption as if there had been none.

    Parameters
    ----------
    study
        Study of Optuna.
    space
        Axes.
    seed
        Seed of the sampler.
    """

    def __init__(self, study: Any, space: Space, seed: int) -> None:
        self._study, self._space, self._seed = study, space, seed

    def plan(self, first: Sequence[Assignment]) -> None:
        """Put assignments first, unless the storage has trials already."""
        if not self._study.get_trials(deepcopy=False):
            for assignment in first:
                self._study.enqueue_trial(dict(assignment))

    def begun(self) -> tuple[Asked, ...]:
        """Return the trials that were asked for and never ended, for example because of an interruption."""
        states = _optuna().trial.TrialState
        found = self._study.get_trials(deepcopy=False, states=(states.RUNNING,))
        return tuple(Asked(each.number, each.user_attrs[_ASSIGNMENT]) for each in found)

    def ended(self) -> int:
        """Return the number of trials that have ended, in any way."""
        states = _optuna().trial.TrialState
        done = (states.COMPLETE, states.PRUNED, states.FAIL)
        return len(self._study.get_trials(deepcopy=False, states=done))

    def ask(self) -> Asked:
        """Return the next trial."""
        optuna = _optuna()
        number = len(
            self._study.get_trials(
                deepcopy=False,
                states=tuple(state for state in optuna.trial.TrialState if state.name != "WAITING"),
            )
        )
        with _quiet():
            self._study.sampler = optuna.samplers.TPESampler(
                seed=(self._seed * 1_000_003 + number) % 2**32,
                n_startup_trials=_RANDOM_TRIALS,
                multivariate=True,
                constant_liar=True,
            )
            trial = self._study.ask()
            found = {key: self._suggest(trial, key) for key in self._space}
        trial.set_user_attr(_ASSIGNMENT, found)
        return Asked(trial.number, found)

    def _suggest(self, trial: Any, key: str) -> Any:
        axis = self._space[key]
        if isinstance(axis, Choices):
            return trial.suggest_categorical(key, axis.texts)
        if axis.whole:
            return trial.suggest_int(key, round(axis.low), round(axis.high), log=axis.log)
        return trial.suggest_float(key, axis.low, axis.high, log=axis.log)

    def tell(self, number: int, values: Sequence[float] | None, *, failed: bool = False) -> None:
        """Store the outcome of a trial: the values of the objectives, or None if it was pruned or failed."""
        states = _optuna().trial.TrialState
        with _quiet():
            if values is not None:
                self._study.tell(number, list(values))
            else:
                self._study.tell(number, state=states.FAIL if failed else states.PRUNED)


def open_sampler(
    storage: str | Path, name: str, space: Space, objectives: Mapping[str, Direction], seed: int
) -> Sampler:
    """Open the trials of a search, or begin one.

    Parameters
    ----------
    storage
        Path of a journal file, or the URL of a database, such as ``sqlite:///search.db``.
    name
        Name of the search in the storage.
    space, seed
        Axes, and seed of the sampler.
    objectives
        Name and direction of each objective.

    Raises
    ------
    ConfigError
        The storage cannot be used.
    ToolError
        Optuna is not installed.
    """
    optuna = _optuna()
    with _quiet():
        try:
            study = optuna.create_study(
                storage=_storage(storage),
                study_name=name,
                directions=list(objectives.values()),
                load_if_exists=True,
            )
        except Exception as error:
            if isinstance(error, ConfigError):
                raise
            problem = f"cannot be used: {str(error).strip().partition(chr(10))[0]}"
            raise ConfigError(str(storage), "storage", problem, "a file, or the URL of a database") from error
    return Sampler(study, space, seed)


def _storage(storage: str | Path) -> Any:
    optuna = _optuna()
    if "://" in str(storage):
        return optuna.storages.RDBStorage(str(storage))
    path = Path(storage)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = importlib.import_module("optuna.storages.journal")
    lock = journal.JournalFileOpenLock(str(path))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=lock))


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError as error:
        raise ToolError("optuna", "is not installed: pip install 'dwn-asic[search]'") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's messages and its warnings about experimental options off the terminal."""
    logging = _optuna().logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
