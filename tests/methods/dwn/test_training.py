import itertools

import numpy as np
import pytest
import torch
from learn_builders import dataset, model_config, xor_of_thresholds

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.config import SpectralConfig, TrainingConfig
from dwn_asic.methods.dwn.fit import train
from dwn_asic.methods.dwn.spectral import influence

ENCODER = EncoderConfig(bits=9)  # one threshold between each pair of the toy's ten levels
PYRAMID = model_config([(8, 3), (1, 4)])


def training(**changes):
    return TrainingConfig(**{"epochs": 12, "batch_size": 32, "learning_rate": 0.02, "threads": 1, **changes})


def accuracy(result, data, part="test"):
    codes, labels = data.part(part)
    return float((result.network.predict(codes) == labels).mean())


def test_xor_of_thresholds_is_learned():
    data = xor_of_thresholds()
    result = train(data, ENCODER, PYRAMID, training(epochs=40, restarts=4), seed=0)
    assert accuracy(result, data) == 1.0


@pytest.mark.parametrize("mapping", ["learnable", "random", "arange"])
@pytest.mark.parametrize(
    ("layers", "head", "code"),
    [
        ([(12, 3), (2, 6)], "direct", "binary"),
        ([(12, 3), (3, 6)], "direct", "onehot"),
        ([(30, 4)], "popcount", "binary"),
    ],
)
def test_training_lowers_the_loss_of_three_classes(mapping, layers, head, code):
    rng = np.random.default_rng(3)
    values = rng.random((300, 2))
    data = dataset(values, (values[:, 0] > 0.4).astype(int) + (values[:, 1] > 0.6))
    temperature = 2.0 if head == "popcount" else 0.3
    config = model_config(layers, head=head, code=code, mapping=mapping, temperature=temperature)
    result = train(data, ENCODER, config, training(epochs=20), seed=1)
    assert result.history[-1].train_loss < 0.8 * result.history[0].train_loss
    shares = np.bincount(data.part("train")[1]) / len(data.part("train")[1])
    assert accuracy(result, data, "train") > shares.max() + 0.1


def test_equal_seeds_give_equal_bytes_and_leave_the_global_generator_alone(tmp_path):
    data = xor_of_thresholds(200)
    before = torch.get_rng_state()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        result = train(data, ENCODER, PYRAMID, training(epochs=3, restarts=2), seed=seed)
        result.network.save(tmp_path / name)
    first, second, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == second
    assert first != other
    assert torch.equal(before, torch.get_rng_state())


def test_the_kept_network_is_that_of_the_best_epoch():
    data = xor_of_thresholds(200)
    seen = []
    config = training(epochs=6, restarts=2)
    result = train(data, ENCODER, PYRAMID, config, seed=2, progress=seen.append)
    assert tuple(seen) == result.history
    assert [(r.restart, r.epoch) for r in seen] == [(r, e) for e in range(6) for r in range(2)]
    best = max(seen, key=lambda r: (r.val_score, -r.val_loss))
    assert (best.restart, best.epoch) == (result.restart, result.best_epoch)
    assert best.is_best
    assert accuracy(result, data, "val") == pytest.approx(best.val_score)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_schedules_train(schedule):
    data = xor_of_thresholds(200)
    result = train(data, ENCODER, PYRAMID, training(schedule=schedule), seed=0)
    assert result.history[-1].train_loss < result.history[0].train_loss


@pytest.mark.parametrize("kind", ["l2", "influence", "l1"])
def test_the_spectral_penalty_acts(kind):
    data = xor_of_thresholds(200)
    found = []
    for weight in (0.0, 300.0):
        spectral = SpectralConfig(kind=kind, weight=weight)
        result = train(data, ENCODER, PYRAMID, training(spectral=spectral), seed=0)
        found.append(result)
    plain, smooth = found
    assert plain.history[0].train_loss != smooth.history[0].train_loss
    if kind == "influence":
        assert _influences(smooth) < 0.9 * _influences(plain)


def _influences(result):
    tables = [torch.from_numpy(layer.tables * 2.0 - 1.0) for layer in result.network.layers]
    return sum(float(influence(table).sum()) for table in tables)


@pytest.mark.parametrize(("restarts", "halvings", "left"), [(5, 1, 3), (4, 2, 1), (3, 0, 3), (1, 2, 1)])
def test_halvings_give_up_the_worse_starts(restarts, halvings, left):
    data = xor_of_thresholds(200)
    config = training(epochs=9, restarts=restarts, halvings=halvings)
    history = train(data, ENCODER, PYRAMID, config, seed=0).history
    racing = [[r for r in history if r.epoch == epoch] for epoch in range(9)]
    assert [r.restart for r in racing[0]] == list(range(restarts))
    assert len(racing[-1]) == left
    for before, after in itertools.pairwise(racing):
        lost = {r.restart for r in before} - {r.restart for r in after}
        past = [r for r in history if r.epoch < after[0].epoch]
        best = {i: max((r.val_score, -r.val_loss) for r in past if r.restart == i) for i in range(restarts)}
        assert all(best[i] <= best[r.restart] for i in lost for r in after)


def test_starts_that_are_kept_go_on_as_they_would_have():
    data = xor_of_thresholds(200)
    every = train(data, ENCODER, PYRAMID, training(epochs=8, restarts=4), seed=3).history
    halved = train(data, ENCODER, PYRAMID, training(epochs=8, restarts=4, halvings=1), seed=3).history
    found = {(r.restart, r.epoch): r.train_loss for r in every}
    assert len(halved) == 4 * 4 + 4 * 2
    for report in halved:
        assert report.train_loss == pytest.approx(found[report.restart, report.epoch], rel=1e-4)


@pytest.mark.parametrize("candidates", [None, 4])
def test_other_devices_learn_the_same(candidates, monkeypatch):
    data = xor_of_thresholds(300)
    config = model_config([(8, (3, 2)), (1, 4)], candidates=candidates)
    aids = {"spectral": SpectralConfig(kind="influence", weight=0.01), "input_noise": 0.01}
    found = [train(data, ENCODER, config, training(epochs=3, restarts=2, **aids), seed=1)]
    monkeypatch.setattr(kernels, "on_cpu", lambda tensor: False)  # their operations, on a CPU
    found.append(train(data, ENCODER, config, training(epochs=3, restarts=2, **aids), seed=1))
    for a, b in zip(*(result.history for result in found), strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, rel=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_cuda_device_is_said():
    with pytest.raises(ConfigError, match=r"training\.device: is 'cuda', but torch finds no CUDA device"):
        train(xor_of_thresholds(100), ENCODER, PYRAMID, training(device="cuda"), seed=0)


def test_a_model_that_does_not_fit_the_classes_is_refused_before_training():
    with pytest.raises(ConfigError, match="needs 1 for 2 classes"):
        train(xor_of_thresholds(100), ENCODER, model_config([(3, 2)]), training(), seed=0)


def test_features_that_never_vary_are_a_data_error():
    data = dataset(np.ones((50, 2)), np.arange(50) // 5 % 2)
    with pytest.raises(DataError, match="no feature varies"):
        train(data, ENCODER, PYRAMID, training(), seed=0)
