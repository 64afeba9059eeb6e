"""Every mistake in a flow file is one line that names the file, the key, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from dwn_asic.data.config import DataConfig
from dwn_asic.data.sources import data_files
from dwn_asic.errors import ConfigError
from dwn_asic.flow import open_flow
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.flow_file import flow_files, flows_of, load_flow
from dwn_asic.flow.run import flow_of_file
from dwn_asic.methods.decision_tree import DecisionTreeConfig
from dwn_asic.methods.dwn.config import LayerConfig, ModelConfig

DATA = "data: {source: 'bundled:phoneme'}\n"
MODEL = "model: {layers: [{luts: 4, inputs: 2}]}\n"
MINIMAL = DATA + MODEL


@pytest.fixture
def flow_file(tmp_path: Path) -> Path:
    return tmp_path / "small_flow.yaml"


def load(path: Path, text: str) -> FlowConfig:
    path.write_text(text, encoding="utf-8")
    return load_flow(path)


def mistake(path: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, text)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return caught.value


def test_minimal_flow_takes_its_name_from_the_file_and_defaults_elsewhere(flow_file: Path) -> None:
    flow = load(flow_file, MINIMAL)
    assert flow.name == "small_flow"
    assert flow.seed == 0
    assert (flow.data.split.val, flow.data.split.test) == (0.2, 0.2)
    assert (flow.encoder.input_bits, flow.encoder.thermometer, flow.encoder.bits) == (8, "distributive", 32)
    assert flow.model.layers[0].mapping == "learnable"


def test_a_name_in_the_file_wins(flow_file: Path) -> None:
    assert load(flow_file, MINIMAL + "name: other\n").name == "other"


def test_the_flows_of_the_repository_load() -> None:
    flows = sorted((Path(__file__).parents[2] / "flows").glob("*.yaml"))
    assert flows
    for path in flows:
        assert load_flow(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        (MINIMAL + "modle: 3\n", "modle", "model"),
        (MINIMAL + "training: {epoch: 3}\n", "training.epoch", "epochs"),
        (MINIMAL + "training: {efd: {gamma: 1.0}}\n", "training.efd.gamma", "beta"),
        (MINIMAL + "encoder: {features: {x: {high: 1}}}\n", "encoder.features.x.high", "step"),
        (MINIMAL + "encoder: {features: {bits: {high: 1}}}\n", "encoder.features.bits.high", "lo"),
        ("data: {source: 'csv:t.csv', part: {column: a, tests: 1}}\n" + MODEL, "data.part.tests", "test"),
        (DATA + "model: {layers: [{luts: 4, inputs: 2, size: 3}]}\n", "model.layers.0.size", "mapping"),
        (
            MINIMAL + "baselines: [{kind: decision_tree, leafs: [2]}]\n",
            "baselines.0.leafs",
            "leaves",
        ),
        (MINIMAL + "baselines: [{kind: gbdt}, {kind: wisard, luts: 3}]\n", "baselines.1.luts", "tuples"),
        (
            MINIMAL + "baselines: [{kind: dwn_variant, name: a, model: {pyramid: [2], had: popcount}}]\n",
            "baselines.0.model.had",
            "head",
        ),
    ],
)
def test_unknown_key_lists_the_keys_of_its_own_section(
    flow_file: Path, text: str, key: str, allowed: str
) -> None:
    error = mistake(flow_file, text)
    assert (error.key, error.problem) == (key, "unknown key")
    assert allowed in error.allowed.split(", ")
    if "." in key:
        assert "hardware" not in error.allowed  # a key of the top level


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (MINIMAL + "seed: three\n", "seed", "'three'"),
        (MINIMAL + "seed: '3'\n", "seed", "'3'"),  # strict: a text is not a number
        (MINIMAL + "seed: true\n", "seed", "True"),
        (MINIMAL + "seed: 1.5\n", "seed", "1.5"),
        (MINIMAL + "seed: -1\n", "seed", "-1"),
        (MINIMAL + "encoder: {input_bits: 17}\n", "encoder.input_bits", "17"),
        (
            MINIMAL + "baselines: [{kind: dwn_variant, name: a, model: {pyramid: [2]}, "
            "encoder: {features: {x: {bits: 1}}}}]\n",
            "baselines.0.encoder",
            "{'features': {'x': {'bits': 1}}}",
        ),
        (MINIMAL + "encoder: {features: {x: {step: 0}}}\n", "encoder.features.x.step", "0"),
        (MINIMAL + "encoder: {features: {x: {}}}\n", "encoder.features.x", "{}"),
        ("data: {source: 'csv:t.csv', separator: xx}\n" + MODEL, "data.separator", "'xx'"),
        ("data: {source: 'csv:t.csv', drop: [1]}\n" + MODEL, "data.drop.0", "1"),
        ("data: {source: 'csv:t.csv', val: 'csv:v.csv', part: fold}\n" + MODEL, "data.part", "'fold'"),
        (MINIMAL + "training: {learning_rate: 0}\n", "training.learning_rate", "0"),
        (MINIMAL + "training: {learning_rate: .nan}\n", "training.learning_rate", "nan"),
        (DATA + "model: {layers: []}\n", "model.layers", "[]"),
        (DATA + "model: {layers: [{luts: 0, inputs: 2}]}\n", "model.layers.0.luts", "0"),
        (DATA + "model: {layers: [{luts: 1, inputs: 9}]}\n", "model.layers.0.inputs", "9"),
        (DATA + "model: {layers: [{luts: 1, inputs: [6, 9]}]}\n", "model.layers.0.inputs.1", "9"),
        (DATA + "model: {pyramid: [6, 0]}\n", "model.pyramid.1", "0"),
        ("data: phoneme\n" + MODEL, "data", "'phoneme'"),
        (MINIMAL + "name: 1st\n", "name", "'1st'"),
        (MINIMAL + "baselines: [tree]\n", "baselines.0", "'tree'"),
    ],
)
def test_wrong_type_or_range_shows_the_value(flow_file: Path, text: str, key: str, value: str) -> None:
    error = mistake(flow_file, text)
    assert error.key == key
    assert error.problem == f"is {value}"
    assert error.allowed


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (DATA, "model"),
        (MODEL, "data"),
        ("data:\n" + MODEL, "data"),
        ("data: {}\n" + MODEL, "data.source"),
        (DATA + "model: {layers: [{luts: 4}]}\n", "model.layers.0.inputs"),
    ],
)
def test_missing_key(flow_file: Path, text: str, key: str) -> None:
    error = mistake(flow_file, text)
    assert (error.key, error.problem) == (key, "missing")


@pytest.mark.parametrize(
    ("text", "key", "value", "choices"),
    [
        (MINIMAL + "encoder: {thermometer: normal}\n", "encoder.thermometer", "normal", "gaussian"),
        ("data: {source: a, impute: zero}\n" + MODEL, "data.impute", "zero", "median"),
        ("data: {source: a, decimal: comma}\n" + MODEL, "data.decimal", "comma", ","),
        (MINIMAL + "encoder: {scaling: code}\n", "encoder.scaling", "code", "codes"),
        (MINIMAL + "minimize: {effort: max}\n", "minimize.effort", "max", "high"),
        (MINIMAL + "hardware: {registers: all}\n", "hardware.registers", "all", "both"),
    ],
)
def test_bad_literal_lists_the_choices(
    flow_file: Path, text: str, key: str, value: str, choices: str
) -> None:
    error = mistake(flow_file, text)
    assert (error.key, error.problem) == (key, f"is {value!r}")
    assert f"'{choices}'" in error.allowed


def test_bad_discriminator_lists_the_kinds(flow_file: Path) -> None:
    error = mistake(flow_file, MINIMAL + "baselines: [{kind: gbdt}, {kind: svm}]\n")
    assert error.key == "baselines.1"
    assert "kind" in error.problem
    for kind in ("tiny_classifier", "decision_tree", "gbdt"):
        assert kind in error.allowed


@pytest.mark.parametrize("entry", ["{leaves: [2]}", "{kind: [gbdt]}", "{kind: null}"])
def test_missing_discriminator(flow_file: Path, entry: str) -> None:
    error = mistake(flow_file, MINIMAL + f"baselines: [{entry}]\n")
    assert error.key == "baselines.0"
    assert "kind" in error.problem
    assert "'decision_tree'" in error.allowed


def test_the_flow_s_own_network_is_no_baseline(flow_file: Path) -> None:
    error = mistake(flow_file, MINIMAL + "baselines: [{kind: dwn, model: {pyramid: [2]}}]\n")
    assert error.key == "baselines.0"
    assert "'dwn'" not in error.allowed


def test_a_mistake_inside_a_baseline_names_the_key_as_the_file_writes_it(flow_file: Path) -> None:
    error = mistake(flow_file, MINIMAL + "baselines: [{kind: decision_tree, leaves: [2, 1]}]\n")
    assert (error.key, error.problem) == ("baselines.0.leaves.1", "is 1")


def test_baselines_keep_all_their_keys_when_written() -> None:
    tree = DecisionTreeConfig(leaves=(3,), pruned=True)
    flow = FlowConfig(
        name="a",
        data=DataConfig(source="sklearn:iris"),
        model=ModelConfig(layers=(LayerConfig(luts=2, inputs=(2,)),)),
        baselines=(tree,),
    )
    written = flow.model_dump(mode="json")
    assert written["baselines"] == [{"kind": "decision_tree", "leaves": [3], "pruned": True}]
    assert FlowConfig.model_validate(written) == flow
    assert FlowConfig.model_validate_json(flow.model_dump_json()) == flow


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("{}", "either layers or pyramid"),
        ("{layers: [{luts: 1, inputs: 2}], pyramid: [2]}", "either layers or pyramid"),
        ("{pyramid: [2], head: popcount}", "popcount needs layers"),
    ],
)
def test_layers_or_a_pyramid(flow_file: Path, model: str, says: str) -> None:
    error = mistake(flow_file, f"data: {{source: a}}\nmodel: {model}\n")
    assert error.key == "model"
    assert says in error.allowed


def test_split_must_leave_training_rows(flow_file: Path) -> None:
    error = mistake(flow_file, "data: {source: a, split: {val: 0.6, test: 0.4}}\n" + MODEL)
    assert error.key == "data.split"
    assert "below 1" in error.allowed


def test_popcount_head_has_no_code(flow_file: Path) -> None:
    text = DATA + "model: {layers: [{luts: 4, inputs: 2}], head: popcount, code: onehot}\n"
    assert mistake(flow_file, text).key == "model.code"


def test_the_first_of_two_mistakes_is_reported(flow_file: Path) -> None:
    error = mistake(flow_file, MINIMAL + "seed: x\nhardware: {registers: y}\n")
    assert error.key == "seed"


@pytest.mark.parametrize("text", ["a: [1\n", "a:\n\t- 1\n", "a: b: c\n", "a: \x07\n"])
def test_not_yaml(flow_file: Path, text: str) -> None:
    error = mistake(flow_file, text)
    assert error.key == ""
    assert error.problem.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "just a text\n"])
def test_not_a_mapping(flow_file: Path, text: str) -> None:
    assert "must be a mapping" in mistake(flow_file, text).problem


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load_flow(tmp_path / "none.yaml")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_flow(tmp_path)


def test_not_utf8(flow_file: Path) -> None:
    flow_file.write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_flow(flow_file)


def test_user_mistakes_exit_with_2(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_flow(tmp_path / "none.yaml")
    assert caught.value.exit_code == 2


def test_a_flow_extends_another_key_by_key(flow_file: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "all.yaml").write_text(
        MODEL + "encoder: {bits: 5, input_bits: 7}\nbaselines: [{kind: gbdt}]\nseed: 3\n"
    )
    flow = load(flow_file, DATA + "extends: base/all.yaml\nencoder: {bits: 6}\nbaselines: []\n")
    assert (flow.encoder.bits, flow.encoder.input_bits) == (6, 7)
    assert flow.baselines == ()
    assert (flow.seed, flow.name) == (3, "small_flow")
    assert load_flow(flow_file, 8).seed == 8
    assert flow_files(flow_file) == [flow_file, tmp_path / "base" / "all.yaml"]


def test_a_path_starts_at_the_file_that_says_it(flow_file: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    base = tmp_path / "base" / "all.yaml"
    base.write_text(MODEL + "data: {source: csv:t.csv}\n")
    for folder in (tmp_path, base.parent):
        (folder / "t.csv").write_text("x,class\n")
    inherited = load(flow_file, "extends: base/all.yaml\ndata: {label: kind}\n").data
    assert (inherited.source, inherited.label) == ("csv:t.csv", "kind")
    assert data_files(inherited) == {"source": base.parent / "t.csv"}
    own = load(flow_file, "extends: base/all.yaml\ndata: {source: csv:t.csv}\n").data
    assert data_files(own) == {"source": tmp_path / "t.csv"}
    none = load(flow_file, "extends: base/all.yaml\ndata: {source: bundled:phoneme}\n").data
    assert data_files(none) == {}


def test_a_path_falls_back_to_the_working_directory(flow_file: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "all.yaml").write_text(MODEL + "data: {source: csv:t.csv}\n")
    data = load(flow_file, "extends: base/all.yaml\n").data
    assert data_files(data) == {"source": tmp_path / "base" / "t.csv"}
    Path("t.csv").write_text("x,class\n")
    assert data_files(load_flow(flow_file).data) == {"source": Path("t.csv")}


def test_where_the_table_lies_is_neither_said_by_a_file_nor_written_out(flow_file: Path) -> None:
    for key in ("test_file", "val_file", "text", "file"):
        error = mistake(flow_file, MODEL + f"data: {{source: csv:t.csv, {key}: t.csv}}\n")
        assert (error.key, error.problem) == (f"data.{key}", "unknown key")
    assert error.allowed == (
        "source, test, val, part, label, drop, separator, decimal, impute, one_against_rest, split"
    )
    other = mistake(flow_file, MODEL + "data: {source: csv:t.csv, fil: t.csv}\n")
    assert (other.key, other.allowed) == ("data.fil", error.allowed)
    flow = load(flow_file, MODEL + "data: {source: csv:t.csv}\n")
    assert flow.data.file == str(flow_file.parent / "t.csv")
    assert "file" not in flow.model_dump()["data"]


def test_a_flow_of_a_build_folder_finds_its_table(tmp_path: Path) -> None:
    (tmp_path / "flows" / "base").mkdir(parents=True)
    (tmp_path / "flows" / "base" / "all.yaml").write_text(MODEL + "data: {source: csv:t.csv}\n")
    (tmp_path / "flows" / "base" / "t.csv").write_text("x,class\n")
    (tmp_path / "flows" / "one.yaml").write_text("extends: base/all.yaml\n")
    folder = open_flow(Path("flows/one.yaml"), tmp_path / "build").folder
    assert data_files(open_flow(folder).config.data) == {"source": Path("flows/base/t.csv")}


@pytest.mark.parametrize(
    ("source", "allowed"),
    [("bundled:mnist", "australian, phoneme, segment"), ("csv", "arff:PATH, bundled:NAME, csv:PATH, ")],
)
def test_a_source_that_there_is_not_is_a_mistake_of_the_file(
    flow_file: Path, source: str, allowed: str
) -> None:
    error = mistake(flow_file, MODEL + f"data: {{source: '{source}'}}\n")
    assert (error.key, error.problem) == ("data.source", f"is {source!r}")
    assert error.allowed.startswith(allowed)


@pytest.mark.parametrize(
    ("keys", "key", "allowed"),
    [
        ("test: 'bundled:mnist'", "data.test", "australian, phoneme, segment"),
        ("val: x", "data.val", "arff:PATH, bundled:NAME, csv:PATH, "),
        ("separator: ';'", "data.separator", "only with csv:PATH"),
    ],
)
def test_keys_that_the_sources_do_not_go_with(flow_file: Path, keys: str, key: str, allowed: str) -> None:
    error = mistake(flow_file, MODEL + f"data: {{source: 'sklearn:iris', {keys}}}\n")
    assert error.key == key
    assert error.allowed.startswith(allowed)


def test_what_a_base_says_of_the_data_can_be_taken_back(flow_file: Path, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        MODEL + "data: {source: csv:t.csv, test: csv:u.csv}\nencoder: {features: {x: {lo: 1}, y: {lo: 2}}}\n"
    )
    flow = load(
        flow_file,
        "extends: base.yaml\ndata: {test: null, part: fold}\nencoder: {features: {y: {step: 3}}}\n",
    )
    assert flow.data.part is not None
    assert (flow.data.part.column, flow.data.test) == ("fold", None)
    assert data_files(flow.data) == {"source": tmp_path / "t.csv"}
    assert flow.encoder.model_dump()["features"] == {
        "x": {"lo": 1.0, "step": None, "bits": None},
        "y": {"lo": 2.0, "step": 3.0, "bits": None},
    }


def test_extending_goes_on_and_paths_start_at_each_file(flow_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one.yaml").write_text("extends: b/two.yaml\nencoder: {bits: 9}\n")
    (tmp_path / "a" / "b" / "two.yaml").write_text(MODEL + "encoder: {bits: 1, input_bits: 2}\n")
    flow = load(flow_file, DATA + "extends: a/one.yaml\n")
    assert (flow.encoder.bits, flow.encoder.input_bits) == (9, 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extends: small_flow.yaml\n", "is circular: small_flow.yaml extends this file"),
        ("extends: none.yaml\n", "there is no file"),
        ("extends: 3\n", "the path of a flow file"),
    ],
)
def test_what_cannot_be_extended(flow_file: Path, text: str, problem: str) -> None:
    error = mistake(flow_file, MINIMAL + text)
    assert error.key == "extends"
    assert problem in str(error)


def test_the_flows_of_all_studies_load() -> None:
    folder = Path(__file__).parents[2] / "flows"
    studies = ("nine", "ablation", "quick", "printed")
    files = [path for study in studies for path in sorted((folder / study).glob("*.yaml"))]
    assert len(files) >= 19
    for path in files:
        flow = load_flow(path)
        assert flow.shrink is not None
        assert flow.baselines


# ---- a file that stands for several flows ------------------------------------------------------------------
EACH = "data: {source: 'pla:tables/*.train.pla', val: 'pla:tables/*.valid.pla'}\n" + MODEL


@pytest.fixture
def several(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in ("ex02.train.pla", "ex00.train.pla", "ex00.valid.pla", "ex0.txt", ".train.pla", "a.pla"):
        (folder / name).touch()
    path = tmp_path / "each.yaml"
    path.write_text(EACH)
    return path


def test_a_star_stands_for_a_flow_for_each_file(several: Path) -> None:
    found = flows_of(several)
    assert found == [several.with_name("each.yaml:ex00"), several.with_name("each.yaml:ex02")]
    flow = load_flow(found[0], 3)
    assert (flow.name, flow.seed) == ("ex00", 3)
    assert flow.data is not None
    assert (flow.data.source, flow.data.val) == ("pla:tables/ex00.train.pla", "pla:tables/ex00.valid.pla")
    folder = several.parent / "tables"
    assert data_files(flow.data) == {"source": folder / "ex00.train.pla", "val": folder / "ex00.valid.pla"}
    assert flows_of(found[0]) == [found[0]]
    assert flow_files(found[0]) == [several]


def test_the_flow_of_a_member_is_opened_from_its_folder_and_its_files(several: Path, tmp_path: Path) -> None:
    opened = open_flow(several.with_name("each.yaml:ex02"), tmp_path / "build")
    assert opened.folder == tmp_path / "build" / "ex02"
    assert open_flow(opened.folder).config == opened.config
    again, file = flow_of_file(opened.folder / "netlist.v", tmp_path / "build")
    assert (again.config, file) == (opened.config, "netlist.v")


def test_a_file_of_several_flows_needs_a_name_and_a_single_flow_has_none(
    several: Path, flow_file: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_flow(several)
    assert (caught.value.key, caught.value.problem) == (
        "data.source",
        "matches 2 files, each a flow of its own",
    )
    assert caught.value.allowed == f"{several}:NAME; NAME is one of ex00, ex02"
    flow_file.write_text(MINIMAL)
    assert flows_of(flow_file) == [flow_file]
    with pytest.raises(ConfigError, match=r"data.source: has no \*"):
        load_flow(flow_file.with_name(f"{flow_file.name}:ex00"))
    several.write_text(EACH.replace("tables", "nowhere"))
    assert flows_of(several) == []
    with pytest.raises(ConfigError, match="matches 0 files"):
        load_flow(several)


def test_the_study_of_a_logic_contest_has_a_flow_for_each_benchmark(tmp_path: Path) -> None:
    each = Path(__file__).parents[2] / "flows" / "iwls2020" / "each.yaml"
    flow = load_flow(each.with_name("each.yaml:ex07"))
    assert (flow.name, flow.target) == ("ex07", "aig")
    assert flow.shrink is not None
    assert flow.shrink.minimize_front
    assert (flow.encoder.scaling, flow.encoder.input_bits) == ("codes", 1)
