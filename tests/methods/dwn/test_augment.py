import numpy as np
import pytest
import torch
from learn_builders import dataset, model_config

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.errors import ConfigError
from dwn_asic.methods.dwn.augment import shifted
from dwn_asic.methods.dwn.config import ShiftConfig, TrainingConfig
from dwn_asic.methods.dwn.fit import train

ENCODER = EncoderConfig(bits=3)


def bars(n_rows, rng):
    """Draw 4 x 5 images of one vertical or one horizontal bar."""
    images = np.zeros((n_rows, 4, 5))
    upright = rng.integers(0, 2, n_rows)
    for image, is_upright in zip(images, upright, strict=True):
        if is_upright:
            image[:, rng.integers(1, 4)] = 1.0
        else:
            image[rng.integers(1, 3)] = 1.0
    return images.reshape(n_rows, -1), upright


@pytest.mark.parametrize("pixels", [1, 2, 7])
def test_each_image_moves_as_a_whole_and_its_edge_repeats(pixels):
    shift = ShiftConfig(height=4, width=5, pixels=pixels)
    images = np.random.default_rng(0).random((60, 4, 5))
    moved = shifted(images.reshape(60, -1), shift, torch.Generator().manual_seed(1)).reshape(60, 4, 5)
    padded = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels)), mode="edge")
    steps = range(2 * pixels + 1)
    seen = set()
    for image, wide in zip(moved, padded, strict=True):
        places = [(i, j) for i in steps for j in steps if np.array_equal(wide[i : i + 4, j : j + 5], image)]
        assert places
        seen.add(places[0])
    assert len(seen) > len(steps)  # moves differ from row to row


def test_training_on_moved_images_is_repeatable_and_differs_from_still_ones():
    rng = np.random.default_rng(2)
    data = dataset(*bars(300, rng))
    model = model_config([(12, 4), (1, 4)])

    def run(shift):
        config = TrainingConfig(epochs=8, restarts=2, batch_size=32, shift=shift)
        return train(data, ENCODER, model, config, seed=3)

    moving = ShiftConfig(height=4, width=5)
    first, again, still = run(moving), run(moving), run(None)
    assert first.history == again.history
    assert first.history != still.history
    assert max(report.val_score for report in first.history) > 0.9


def test_images_of_another_size_are_refused():
    data = dataset(*bars(100, np.random.default_rng(0)))
    config = TrainingConfig(epochs=1, shift=ShiftConfig(height=5, width=5))
    with pytest.raises(ConfigError, match=r"training\.shift: 5 x 5 pixels, but there are 20 features"):
        train(data, ENCODER, model_config([(1, 2)]), config, seed=0)
