import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_dwn_mimic as mimic
from torch import nn
from typer.testing import CliRunner

from dwn_asic.boolean.convert import to_graph
from dwn_asic.boolean.lut_network import Head, LutLayer, LutNetwork
from dwn_asic.cli import app
from dwn_asic.data.dataset import Dataset
from dwn_asic.data.table import Split, Table
from dwn_asic.encode.quantizer import Quantizer
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.errors import DataError
from dwn_asic.exchange.checkpoint import read_checkpoint
from dwn_asic.exchange.torch_dwn import export_checkpoint, import_checkpoint, read_model
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.shrink import shrink
from dwn_asic.targets.asic.cost import CellCost

FEATURES, BITS = 5, 3


@pytest.fixture
def dwn(monkeypatch):
    """Install the stand-in under torch_dwn's names, which `forget` removes before a file is read."""
    torch.manual_seed(0)
    mimic.install(monkeypatch)
    return mimic


def forget(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "torch_dwn"]:
        monkeypatch.delitem(sys.modules, name)


def thermometer(shape=(FEATURES, BITS), seed=1):
    made = mimic.DistributiveThermometer(shape[-1])
    generator = torch.Generator().manual_seed(seed)
    made.thresholds = torch.randn(shape, generator=generator).sort(-1).values
    return made


def values(n_features=FEATURES, n_rows=300):
    return torch.randn(n_rows, n_features, generator=torch.Generator().manual_seed(2))


def expected(model, made, x):
    """Return the decision of the authors' code: the first of the largest sums."""
    scores = model(made.binarize(x.float()).flatten(1)).detach()
    return np.argmax(scores.numpy(), axis=1)


def sequential(last=12, classes=3, ste=True, randperm=False):
    return nn.Sequential(
        mimic.LUTLayer(FEATURES * BITS, 20, 4, mapping="learnable"),
        mimic.LUTLayer(20, last, 3, ste=ste),
        mimic.GroupSum(classes, tau=3.3, randperm=randperm),
    )


def test_a_pickled_model_with_its_thermometer(dwn, tmp_path, monkeypatch):
    model, made, x = sequential(), thermometer(), values()
    torch.save({"model": model, "thermometer": made}, tmp_path / "model.pt")
    want = expected(model, made, x)
    forget(monkeypatch)
    read = read_checkpoint(tmp_path / "model.pt")
    assert read.n_classes == 3
    assert np.array_equal(read.predict(x.numpy().astype(float)), want)


def test_outputs_that_classes_do_not_divide_are_padded_and_permuted_before(dwn, tmp_path, monkeypatch):
    model, made, x = sequential(last=11, classes=3, randperm=11), thermometer(), values()
    torch.save({"model": model, "thermometer": made.thresholds}, tmp_path / "model.pt")
    want = expected(model, made, x)
    forget(monkeypatch)
    assert np.array_equal(read_checkpoint(tmp_path / "model.pt").predict(x.numpy().astype(float)), want)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module.net."])
def test_a_bare_state_dict_with_thresholds_and_classes(tmp_path, prefix):
    model, made, x = sequential(), thermometer(), values()
    torch.save({f"{prefix}{k}": v for k, v in model.state_dict().items()}, tmp_path / "model.pt")
    np.save(tmp_path / "thresholds.npy", made.thresholds.numpy())
    read = read_checkpoint(tmp_path / "model.pt", thresholds=tmp_path / "thresholds.npy", n_classes=3)
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(model, made, x))


def test_named_layers_keep_their_order_and_numbers_count(tmp_path):
    torch.manual_seed(3)
    layers = [mimic.LUTLayer(15, 20, 2), *(mimic.LUTLayer(20, 20, 2) for _ in range(11))]
    state = {f"blocks.{i}.{k}": v for i in reversed(range(12)) for k, v in layers[i].state_dict().items()}
    torch.save(state, tmp_path / "numbers.pt")
    state = {f"{'wvutsrqponml'[i]}.{k}": v for i in range(12) for k, v in layers[i].state_dict().items()}
    torch.save(state, tmp_path / "names.pt")
    torch.save(thermometer().thresholds, tmp_path / "thresholds.pt")
    x = values()
    want = expected(nn.Sequential(*layers, mimic.GroupSum(4)), thermometer(), x)
    for name in ("numbers.pt", "names.pt"):
        read = read_checkpoint(tmp_path / name, thresholds=tmp_path / "thresholds.pt", n_classes=4)
        assert np.array_equal(read.predict(x.numpy().astype(float)), want)


@pytest.mark.parametrize("name", ["net.0.{}.luts", "block{}.layer.luts", "a{}.b.0.luts", "x.{}.1.y2.luts"])
def test_numbers_in_keys_count_as_numbers_wherever_they_stand(name, tmp_path):
    torch.manual_seed(3)
    layers = [mimic.LUTLayer(15, 20, 2), *(mimic.LUTLayer(20, 20, 2) for _ in range(11))]
    state = {}
    for i, layer in enumerate(layers):
        state |= {name.format(i).removesuffix("luts") + key: v for key, v in layer.state_dict().items()}
    as_text = {key: state[key] for key in sorted(state)}
    assert list(as_text) != list(state)
    torch.save(as_text, tmp_path / "model.pt")
    torch.save(thermometer().thresholds, tmp_path / "thresholds.pt")
    x = values()
    want = expected(nn.Sequential(*layers, mimic.GroupSum(4)), thermometer(), x)
    read = read_checkpoint(tmp_path / "model.pt", thresholds=tmp_path / "thresholds.pt", n_classes=4)
    assert np.array_equal(read.predict(x.numpy().astype(float)), want)


def test_layers_of_two_names_take_turns_as_in_the_dict(tmp_path):
    torch.manual_seed(3)
    layers = [mimic.LUTLayer(15, 20, 2), *(mimic.LUTLayer(20, 20, 2) for _ in range(23))]
    names = [f"blocks.{i}.{half}." for i in range(12) for half in ("down", "up")]
    state = dict(zip(names, (layer.state_dict() for layer in layers), strict=True))
    # As text: 0, 1, 10, 11, 2, ...
    flat = {f"{name}{key}": v for name in sorted(state) for key, v in state[name].items()}
    torch.save({"state_dict": flat, "thermometer": thermometer().thresholds}, tmp_path / "model.pt")
    x = values()
    want = expected(nn.Sequential(*layers, mimic.GroupSum(4)), thermometer(), x)
    read = read_checkpoint(tmp_path / "model.pt", n_classes=4)
    assert np.array_equal(read.predict(x.numpy().astype(float)), want)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("section", ["config", "hyper_parameters"])
@pytest.mark.parametrize(
    "classes", [3, 3.0, np.int64(3), np.float32(3), torch.tensor(3), torch.tensor([3.0])]
)
def test_where_training_loops_keep_the_model_and_its_classes(key, section, classes, tmp_path):
    model, made, x = sequential(), thermometer(), values()
    content = {
        "epoch": 3,
        key: model.state_dict(),
        "optimizer_state_dict": {"state": {}, "param_groups": []},
        "thermometer": made.thresholds,
        section: {"lr": 0.1, "num_classes": classes},
    }
    torch.save(content, tmp_path / "model.pt")
    read = read_checkpoint(tmp_path / "model.pt")
    assert (read.n_classes, type(read.n_classes)) == (3, int)
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(model, made, x))
    with pytest.raises(DataError, match="the model has 3 classes, but 4 are expected"):
        read_checkpoint(tmp_path / "model.pt", n_classes=4)


@pytest.mark.parametrize("classes", [2.5, True, 1, -3, "3", [3, 3], torch.tensor([3, 3]), np.nan])
def test_what_is_no_number_of_classes(classes, tmp_path):
    content = {"state_dict": sequential().state_dict(), "thermometer": thermometer().thresholds}
    torch.save({**content, "config": {"num_classes": classes}}, tmp_path / "model.pt")
    with pytest.raises(DataError, match=r"the number of classes is .*, expected 2 or more"):
        read_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize("prefix", ["", "thermometer.", "module.encoder.0."])
def test_thresholds_and_the_order_of_outputs_inside_the_state_dict(prefix, tmp_path):
    model, made, x = sequential(randperm=12), thermometer(), values()
    inside = {f"{prefix}thresholds": made.thresholds, f"{prefix}num_bits": torch.tensor(BITS)}
    group = {"net.2.randperm": model[2].randperm, "net.2.tau": torch.tensor(3.3), "net.2.k": torch.tensor(3)}
    state = {**inside, **{f"net.{k}": v for k, v in model.state_dict().items()}, **group}
    torch.save(state, tmp_path / "model.pt")
    read = read_checkpoint(tmp_path / "model.pt")
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(model, made, x))
    torch.save({"state_dict": state, "thermometer": made.thresholds + 1.0}, tmp_path / "two.pt")
    with pytest.raises(DataError, match="two thermometers with different thresholds"):
        read_checkpoint(tmp_path / "two.pt")
    torch.save({**state, "other.thresholds": made.thresholds}, tmp_path / "more.pt")
    with pytest.raises(DataError, match="2 entries named thresholds, expected one"):
        read_checkpoint(tmp_path / "more.pt")


HARMLESS = ["n_averaged", "ema.num_updates", "criterion.weight", "0.alpha", "0.beta", "0.mapping.tau"]


def test_what_training_leaves_in_a_state_dict_means_nothing(tmp_path):
    model, made, x = sequential(), thermometer(), values()
    state = {**model.state_dict(), **dict.fromkeys(HARMLESS, torch.tensor(2.0))}
    assert "0._LUTLayer__dummy_mapping" in state
    torch.save({"state_dict": state, "thermometer": made.thresholds}, tmp_path / "model.pt")
    read = read_checkpoint(tmp_path / "model.pt", n_classes=3)
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(model, made, x))


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (
            ["bn.running_mean", "bn.weight"],
            "has 2 entries with an unknown effect .*: bn.running_mean, bn.weight;",
        ),
        (["0.bias"], "has 1 entry with an unknown effect .*: 0.bias;"),
        (["5.mapping"], "has 1 entry with an unknown effect .*: 5.mapping;"),
    ],
)
def test_entries_that_nothing_uses_are_named(extra, says, tmp_path):
    state = {**sequential().state_dict(), **dict.fromkeys(extra, torch.zeros(3))}
    torch.save({"state_dict": state, "thermometer": thermometer().thresholds}, tmp_path / "model.pt")
    with pytest.raises(DataError, match=says) as caught:
        read_checkpoint(tmp_path / "model.pt", n_classes=3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(BITS,), (1, BITS)])
def test_thresholds_that_all_features_share(tmp_path, shape):
    learned, made, x = sequential(), thermometer(shape), values()
    torch.save({"state_dict": learned.state_dict(), "thermometer": made.thresholds}, tmp_path / "model.pt")
    read = read_checkpoint(tmp_path / "model.pt", n_classes=3)
    assert read.thresholds.shape == (FEATURES, BITS)
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(learned, made, x))

    fixed = nn.Sequential(mimic.LUTLayer(FEATURES * BITS, 12, 4), mimic.GroupSum(3))
    torch.save({"state_dict": fixed.state_dict(), "thermometer": made.thresholds}, tmp_path / "fixed.pt")
    read = read_checkpoint(tmp_path / "fixed.pt", n_classes=3, n_features=FEATURES)
    assert np.array_equal(read.predict(x.numpy().astype(float)), expected(fixed, made, x))


def test_thresholds_of_images(tmp_path):
    made = thermometer((1, 2, 3, 2))
    model, x = nn.Sequential(mimic.LUTLayer(12, 12, 3), mimic.GroupSum(3)), values(6)
    torch.save({"state_dict": model.state_dict(), "thermometer": made.thresholds}, tmp_path / "model.pt")
    want = np.argmax(model(made.binarize(x.view(-1, 1, 2, 3)).flatten(1)).detach().numpy(), axis=1)
    assert np.array_equal(read_checkpoint(tmp_path / "model.pt", n_classes=3).predict(x.numpy()), want)


def test_a_table_value_of_zero_is_a_cleared_bit(tmp_path):
    layer = mimic.LUTLayer(15, 4, 2)
    with torch.no_grad():
        layer.luts.zero_()
    torch.save({"state_dict": layer.state_dict(), "thermometer": thermometer().thresholds}, tmp_path / "m.pt")
    assert not read_checkpoint(tmp_path / "m.pt", n_classes=2).layers[0].tables.any()


def test_a_scaler_moves_the_thresholds(tmp_path):
    model, made, x = sequential(), thermometer(), values()
    mean, scale = [1.0, -2.0, 0.0, 5.0, 3.0], [2.0, 0.5, 1.0, 4.0, 3.0]
    content = {
        "config": {"n": 4, "num_classes": 3, "layers": [20, 12], "thermometer_bits": BITS},
        "state_dict": model.state_dict(),
        "thermometer": {"thresholds": made.thresholds},
        "scaler": {"mean": mean, "scale": scale},
    }
    torch.save(content, tmp_path / "model.pt")
    raw = x.numpy().astype(float) * scale + mean
    assert np.array_equal(read_checkpoint(tmp_path / "model.pt").predict(raw), expected(model, made, x))


def test_files_of_dwn2rtl(tmp_path, dwn, monkeypatch):
    dwn2rtl = pytest.importorskip("dwn2rtl")
    layers = [mimic.LUTLayer(15, 20, 4, mapping="learnable"), mimic.LUTLayer(20, 12, 4)]
    model, made, x = nn.Sequential(*layers, mimic.GroupSum(3)), thermometer(), values()
    dwn2rtl.save(model, made, tmp_path / "model.pt", scaler={"mean": [0.5] * 5, "scale": [2.0] * 5})
    want = expected(model, made, x)
    forget(monkeypatch)
    read = read_checkpoint(tmp_path / "model.pt")
    assert np.array_equal(read.predict(x.numpy().astype(float) * 2.0 + 0.5), want)


# -- refusals


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


class Sneaky:
    def __reduce__(self):
        return eval, ("__import__('os').system('touch owned')",)


@pytest.mark.parametrize("thing", [Evil(), Sneaky(), {"model": Evil()}, {"state_dict": {}, "x": [Sneaky()]}])
@pytest.mark.parametrize("legacy", [False, True])
def test_malicious_pickles_are_refused(thing, legacy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(thing, "model.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(
        DataError, match=r"refused: it refers to (posix\.system|os\.system|(builtins\.)?eval)"
    ):
        import_checkpoint(tmp_path / "model.pt")
    assert not (tmp_path / "owned").exists()


def test_a_plain_malicious_pickle_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DataError, match=r"model\.pt"):
        import_checkpoint(tmp_path / "model.pt")
    assert not (tmp_path / "owned").exists()


class MyNet(nn.Module):
    pass


def test_classes_of_the_user_are_refused_with_a_way_out(tmp_path):
    torch.save(MyNet(), tmp_path / "model.pt")
    with pytest.raises(DataError, match=r"refers to .*MyNet.*state_dict\(\)"):
        import_checkpoint(tmp_path / "model.pt")


def test_real_valued_outputs_are_refused_unless_an_ste_follows(dwn, tmp_path, monkeypatch):
    made = thermometer()
    torch.save({"model": sequential(ste=False), "thermometer": made}, tmp_path / "real.pt")
    followed = nn.Sequential(mimic.LUTLayer(15, 12, 3, ste=False), mimic.STE(), mimic.GroupSum(3))
    torch.save({"model": followed, "thermometer": made}, tmp_path / "ste.pt")
    x = values()
    want = expected(followed, made, x)
    forget(monkeypatch)
    with pytest.raises(DataError, match="the last layer has ste=False, so its outputs are real values"):
        import_checkpoint(tmp_path / "real.pt")
    assert np.array_equal(read_checkpoint(tmp_path / "ste.pt").predict(x.numpy()), want)


def state_and(thresholds=None, **changes):
    state = {**sequential().state_dict(), **changes}
    return {
        "state_dict": state,
        "thermometer": thermometer().thresholds if thresholds is None else thresholds,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"a": 1}, "neither 'state_dict', 'model_state_dict' nor 'model'; its keys are: a$"),
        ({"state_dict": {"w": torch.zeros(2)}}, r"pass it \(--classes\)"),
        ({"state_dict": sequential().state_dict()}, "no thermometer"),
        (state_and(torch.full((5, 3), torch.nan)), "15 of 15 thresholds are not finite"),
        (state_and(torch.zeros(4, 3)), r"mapping\.weights has shape \(15, 80\), expected \(12, 80\)"),
        (state_and(**{"1.luts": torch.zeros(12, 6)}), "a power of two"),
        (state_and(**{"1.mapping": torch.full((12, 3), 20)}), "reads bits 20 to 20 of only 20 input bits"),
        (state_and(**{"1.mapping": torch.zeros(12, 2)}), r"expected \(12, 3\)"),
        (state_and(**{"1.luts": torch.full((12, 8), torch.inf)}), "not finite"),
        ([1, 2], "expected a state dict"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(content, says, tmp_path):
    torch.save(content, tmp_path / "model.pt")
    needs_no_classes = isinstance(content, dict) and "w" in content.get("state_dict", {})
    with pytest.raises(DataError, match=says) as caught:
        import_checkpoint(tmp_path / "model.pt", n_classes=None if needs_no_classes else 3)
    assert "\n" not in str(caught.value)
    assert "model.pt" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_files_of_something_else_are_refused(content, tmp_path):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"model\.pt"):
        import_checkpoint(tmp_path / "model.pt")
    with pytest.raises(DataError, match="no such file"):
        import_checkpoint(tmp_path / "missing.pt")


# -- codes


def test_thresholds_on_a_grid_are_exact(tmp_path):
    model = sequential()
    data = np.random.default_rng(0).integers(0, 10, (400, FEATURES)) * 0.1
    made = torch.tensor([[0.1, 0.3, 0.85]] * FEATURES, dtype=torch.float64)
    torch.save({"state_dict": model.state_dict(), "thermometer": made}, tmp_path / "model.pt")
    found = import_checkpoint(tmp_path / "model.pt", n_classes=3, values=data)
    assert (found.rows, found.changed) == (400, 0)
    assert found.network.quantizer.bits.max() == 4


@pytest.mark.parametrize(("bits", "most"), [(4, 400), (8, 60), (16, 3)])
def test_changed_rows_are_counted(bits, most, tmp_path):
    model, made, x = sequential(), thermometer(), values(n_rows=1000).double().numpy()
    torch.save({"state_dict": model.state_dict(), "thermometer": made.thresholds}, tmp_path / "model.pt")
    found = import_checkpoint(tmp_path / "model.pt", n_classes=3, values=x, input_bits=bits)
    network, real = found.network, read_checkpoint(tmp_path / "model.pt", n_classes=3)
    changed = network.predict(network.quantizer.codes(x)) != real.predict(x)
    assert found.changed == changed.sum() <= most


def test_without_data_the_codes_cover_the_thresholds(tmp_path):
    model, made = sequential(), thermometer()
    torch.save({"state_dict": model.state_dict(), "thermometer": made.thresholds}, tmp_path / "model.pt")
    network = import_checkpoint(tmp_path / "model.pt", n_classes=3).network
    assert network.thermometer.constant.min() >= 1
    assert network.thermometer.constant.max() <= 255
    grid = made.thresholds.double().numpy()
    reached = network.quantizer.lo[:, None] + network.quantizer.step[:, None] * (
        network.thermometer.constant.reshape(FEATURES, BITS) - 0.5
    )
    assert (np.abs(reached - grid) <= network.quantizer.step[:, None] * 0.5000001).all()


def test_an_imported_network_whose_thresholds_are_above_or_below_all_codes_shrinks(tmp_path, library):
    """Data far from some thresholds used to produce such networks, and a file may contain one."""
    torch.manual_seed(0)
    content = {"state_dict": sequential().state_dict(), "thermometer": thermometer().thresholds}
    torch.save(content, tmp_path / "model.pt")
    x = values(n_rows=200).double().numpy()
    network = import_checkpoint(tmp_path / "model.pt", n_classes=3, values=x).network
    constants = network.thermometer.constant.copy()
    constants[:3], constants[3:6] = 0, 1 << network.quantizer.bits[1]
    network = replace(network, thermometer=replace(network.thermometer, constant=constants))
    codes = network.quantizer.codes(x)
    table = Table("made", x, network.predict(codes), network.feature_names, network.class_names)
    rows = np.arange(200)
    dataset = Dataset(table, Split(rows[:120], rows[120:160], rows[160:]), network.quantizer)
    config = ShrinkConfig(prices=(4.0,), temperatures=(0.5,), proposals=500, refit=((50.0, 1.0),))
    graph = to_graph(network)
    assert {node.feature for _, node in graph.inputs} <= {2, 3, 4}
    found = shrink([graph], dataset, CellCost(library), config, 0, limits=MinimizeConfig(), network=network)
    assert found.chosen.val >= 0.9


def test_read_model_tells_kinds_by_their_content(tmp_path):
    made = network(Head("popcount", "onehot", 3), n_luts=12)
    made.save(tmp_path / "model.pt")
    x = made.quantizer.lo + np.random.default_rng(0).integers(0, 8, (50, 4)) * 0.25
    found = read_model(tmp_path / "model.pt", values=x, feature_names=tuple("abcd"))
    assert (found.rows, found.changed, found.steps) == (50, 0, 0.0)
    assert found.network.feature_names == tuple("abcd")
    assert found.network.class_names == made.class_names
    assert np.array_equal(found.network.thermometer.constant, made.thermometer.constant)
    export_checkpoint(made, tmp_path / "network.npz")
    again = read_model(tmp_path / "network.npz", values=x, class_names=("r", "g", "b"))
    assert again.network.class_names == ("r", "g", "b")
    codes, own = again.network.quantizer.codes(x), made.quantizer.codes(x)
    assert np.array_equal(again.network.predict(codes), made.predict(own))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"values": np.zeros((3, 5))}, "the model has 4 features, but 5 are expected"),
        ({"n_features": 2}, "the model has 4 features, but 2 are expected"),
        ({"class_names": ("a", "b")}, "the model has 3 classes, but 2 are expected"),
        ({"n_classes": 4}, "the model has 3 classes, but 4 are expected"),
    ],
)
@pytest.mark.parametrize("kind", ["network", "checkpoint"])
def test_a_model_that_does_not_fit_is_said_in_one_line(kind, arguments, says, tmp_path):
    made = network(Head("popcount", "onehot", 3), n_luts=12)
    if kind == "network":
        made.save(tmp_path / "model.npz")
    else:
        export_checkpoint(made, tmp_path / "model.npz")
    with pytest.raises(DataError, match=rf"model\.npz: {says}$"):
        read_model(tmp_path / "model.npz", **arguments)


def test_a_network_has_its_own_thresholds(tmp_path):
    network(Head("popcount", "onehot", 3), n_luts=12).save(tmp_path / "model.npz")
    with pytest.raises(
        DataError, match=r"the network has its own thresholds; other\.csv cannot replace them"
    ):
        read_model(tmp_path / "model.npz", thresholds=Path("other.csv"))
    (tmp_path / "text").write_text("hello")
    for name in ("text", "missing"):
        with pytest.raises(DataError, match=name):
            read_model(tmp_path / name)


# -- export


def network(head, seed=0, n_luts=None):
    rng = np.random.default_rng(seed)
    feature = np.array([0, 0, 0, 1, 3, 3])
    constant = np.array([2, 9, 14, 1, 4, 7])
    quantizer = Quantizer(
        np.array([0.0, -1.0, 5.0, 2.0]), np.array([0.5, 1.0, 1.0, 0.25]), np.array([4, 1, 3, 4])
    )
    last = n_luts or head.direct_outputs
    layers = (
        LutLayer(rng.integers(0, 6, (9, 3)), rng.random((9, 8)) < 0.5),
        LutLayer(rng.integers(0, 9, (last, 4)), rng.random((last, 16)) < 0.5),
    )
    names = tuple(f"c{i}" for i in range(head.n_classes))
    return LutNetwork(quantizer, Thermometer(feature, constant), layers, head, tuple("wxyz"), names)


@pytest.mark.parametrize(
    ("head", "n_luts"),
    [
        (Head("popcount", "onehot", 3), 11),
        (Head("popcount", "onehot", 3), 12),
        (Head("direct", "onehot", 5), None),
        (Head("direct", "binary", 2), None),
        (Head("direct", "binary", 4), None),
    ],
)
def test_an_exported_network_comes_back(head, n_luts, tmp_path):
    original = network(head, n_luts=n_luts)
    export_checkpoint(original, tmp_path / "model.pt")
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 1 << original.quantizer.bits, (500, 4))
    x = original.quantizer.lo + original.quantizer.step * codes
    back = read_checkpoint(tmp_path / "model.pt")
    assert np.array_equal(back.predict(x), original.predict(codes))
    state = torch.load(tmp_path / "model.pt", weights_only=True)["state_dict"]
    assert state["0.mapping"].dtype == torch.int32
    assert state["0.luts"].dtype == torch.float32
    layer = mimic.LUTLayer(9, 9, 3)
    layer.load_state_dict({k.removeprefix("0."): v for k, v in state.items() if k.startswith("0.")})


def test_dwn2rtl_reads_what_is_exported(tmp_path):
    dwn2rtl = pytest.importorskip("dwn2rtl")
    head = Head("popcount", "onehot", 3)
    original = network(head, n_luts=12)
    rng = np.random.default_rng(1)
    first = LutLayer(rng.integers(0, 6, (9, 4)), rng.random((9, 16)) < 0.5)
    original = LutNetwork(
        original.quantizer,
        original.thermometer,
        (first, original.layers[1]),
        head,
        tuple("wxyz"),
        tuple("abc"),
    )
    export_checkpoint(original, tmp_path / "model.pt")
    loaded = dwn2rtl.load(tmp_path / "model.pt")
    assert loaded["config"]["layers"] == [9, 12]


def test_the_commands(tmp_path):
    model, made = sequential(), thermometer()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    np.savetxt(tmp_path / "thresholds.csv", made.thresholds.numpy(), delimiter=",")
    x = values().numpy()
    rows = [",".join([*(f"{v:.6f}" for v in row), str(i % 3)]) for i, row in enumerate(x)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,c,d,e,class", *rows]) + "\n")
    run = CliRunner().invoke
    common = ["import", str(tmp_path / "model.pt"), "--thresholds", str(tmp_path / "thresholds.csv")]
    result = run(app, [*common, "--data", f"csv:{tmp_path / 'data.csv'}", "-o", str(tmp_path / "net.npz")])
    assert result.exit_code == 0, result.output
    assert "LUTs 20-12 (4,3 inputs), 3 classes" in result.output
    assert "of 300 rows; accuracy on all rows" in result.output
    assert LutNetwork.load(tmp_path / "net.npz").feature_names == tuple("abcde")
    result = run(app, ["export", str(tmp_path / "net.npz"), "-o", str(tmp_path / "back.pt")])
    assert result.exit_code == 0, result.output
    assert read_checkpoint(tmp_path / "back.pt").n_classes == 3
