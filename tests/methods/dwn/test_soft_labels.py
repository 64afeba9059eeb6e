import numpy as np
import pytest
import torch
from learn_builders import dataset, model_config, xor_of_thresholds

from dwn_asic.data.teacher import agreed_rows, teacher_labels
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import DataError
from dwn_asic.methods.dwn.config import TrainingConfig
from dwn_asic.methods.dwn.fit import train
from dwn_asic.methods.dwn.layers import InputNoise
from dwn_asic.methods.dwn.soft_labels import soft_labels


def three_classes(n_rows=200):
    rng = np.random.default_rng(0)
    values = rng.random((n_rows, 2))
    labels = (values[:, 0] > 0.2).astype(int) + (values[:, 1] > 0.5)
    noisy = rng.random(n_rows) < 0.2
    return dataset(values, np.where(noisy, rng.integers(0, 3, n_rows), labels))


def test_labels_are_one_hot_unless_asked_otherwise():
    data = three_classes()
    targets = soft_labels(data, 4, TrainingConfig(), 0)
    labels = torch.tensor(data.part("train")[1])
    assert targets.shape == (len(labels), 4)
    assert torch.equal(targets, torch.nn.functional.one_hot(labels, 4).float())


def test_smoothing_spreads_over_classes_only():
    data = three_classes()
    targets = soft_labels(data, 4, TrainingConfig(label_smoothing=0.3), 0)
    labels = torch.tensor(data.part("train")[1])
    torch.testing.assert_close(targets.gather(1, labels[:, None])[:, 0], torch.full((len(labels),), 0.8))
    torch.testing.assert_close(targets.sum(1), torch.ones(len(labels)))
    assert not targets[:, 3].any()


def test_balanced_classes_weigh_the_same():
    data = three_classes()
    targets = soft_labels(data, 3, TrainingConfig(class_weights="balanced"), 0)
    sums = targets.sum(0)
    torch.testing.assert_close(sums, torch.full((3,), len(targets) / 3), rtol=1e-5, atol=1e-3)


def test_the_teacher_has_not_seen_the_row():
    data = three_classes(400)
    codes, labels = data.part("train")
    taught = teacher_labels(codes, labels, 3, 0)
    np.testing.assert_allclose(taught.sum(1), 1.0, atol=2e-6)  # of rounded numbers
    right = (taught.argmax(1) == labels).mean()
    assert (
        0.6 < right < 0.95
    )  # a fifth of the labels are noise, which only a teacher that saw them could know
    assert np.array_equal(taught, teacher_labels(codes, labels, 3, 0))
    assert np.array_equal(agreed_rows(codes, labels, 3, 0), taught.argmax(1) == labels)
    mixed = soft_labels(data, 3, TrainingConfig(distillation=0.25), 0).numpy()
    np.testing.assert_allclose(mixed, 0.75 * np.eye(3)[labels] + 0.25 * taught, atol=1e-6)


def test_a_teacher_needs_two_rows_of_each_class():
    values = np.arange(20.0)[:, None]
    data = dataset(values, (np.arange(20) == 7).astype(int))
    with pytest.raises(DataError, match="at least two training rows of each class"):
        teacher_labels(*data.part("train"), 2, 0)


@pytest.mark.parametrize(
    "change",
    [{"label_smoothing": 0.1}, {"distillation": 0.5}, {"class_weights": "balanced"}, {"input_noise": 0.02}],
)
def test_every_aid_trains(change):
    data = xor_of_thresholds()
    config = TrainingConfig(epochs=30, batch_size=32, restarts=4, **change)
    result = train(data, EncoderConfig(bits=9), model_config([(8, 3), (1, 4)]), config, seed=0)
    codes, labels = data.part("test")
    assert (result.network.predict(codes) == labels).mean() > 0.9


def test_noise_flips_its_share_and_lets_the_gradient_through():
    slots = (torch.rand(200, 100, generator=torch.Generator().manual_seed(0)) < 0.5).float().requires_grad_()
    noisy = InputNoise(0.1, torch.Generator().manual_seed(1))(slots)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}
    assert 0.09 < float((noisy != slots).float().mean()) < 0.11
    noisy.sum().backward()
    assert torch.equal(slots.grad, torch.ones_like(slots))
