import numpy as np
import pytest

from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.products import candidate_products, sign_products, thermometer_products


def draw(n_groups, n_slots, n_inputs, n_rows, dtype):
    """Draw gradients (G, S, B) and bits (G, in, B)."""
    rng = np.random.default_rng(n_slots + n_rows)
    grad = rng.normal(size=(n_groups, n_slots, n_rows)).astype(dtype)
    return grad, rng.random((n_groups, n_inputs, n_rows)) < 0.5


def by_definition(grad, bits):
    return grad.astype(np.float64) @ (2.0 * bits - 1.0).swapaxes(1, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (1, 130, 9, 15), (3, 5, 40, 16), (2, 64, 3, 17), (2, 70, 7, 100)]
)
def test_products_with_all_bits(shape, dtype, monkeypatch):
    monkeypatch.setattr(kernels, "_ALONE", 1)  # threads share even tiny work
    grad, bits = draw(*shape, dtype)
    found = [sign_products(grad, bits, threads) for threads in (1, 3)]
    assert found[0].dtype == dtype
    assert np.array_equal(*found)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(found[0], by_definition(grad, bits), atol=tolerance)


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 200])
def test_products_with_candidates(n_rows):
    (grad,), (bits,) = draw(1, 6, 30, n_rows, np.float64)
    rows = np.random.default_rng(0).integers(0, 30, (6, 4)).astype(np.int32)
    products = candidate_products(grad, bits, rows, 1)
    expected = np.take_along_axis(by_definition(grad[None], bits[None])[0], rows.astype(np.int64), 1)
    np.testing.assert_allclose(products, expected, atol=1e-12)


@pytest.mark.parametrize("sizes", [(1, 7, 30), (20,)])
@pytest.mark.parametrize("n_rows", [5, 50])
def test_products_with_thermometers(sizes, n_rows):
    rng = np.random.default_rng(n_rows)
    levels = [rng.integers(0, size + 1, n_rows) for size in sizes]
    bits = np.concatenate(
        [level > np.arange(size)[:, None] for level, size in zip(levels, sizes, strict=True)]
    )
    grad = rng.normal(size=(70, n_rows))
    found = thermometer_products(grad, bits, np.cumsum([0, *sizes]), 1)
    np.testing.assert_allclose(found, by_definition(grad[None], bits[None])[0], atol=1e-12)
