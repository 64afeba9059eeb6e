"""Commands that read and write networks of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dwn_asic.cli.application import Classes, Features, Label, Thresholds, app


@app.command("import")
def import_(
    checkpoint: Annotated[
        Path, typer.Argument(help="Checkpoint to read, written by torch.save or dwn2rtl.save.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Network file to write.")] = Path(
        "network.npz"
    ),
    *,
    thresholds: Thresholds = None,
    classes: Classes = None,
    features: Features = None,
    input_bits: Annotated[
        int, typer.Option(min=1, max=16, help="Maximum width of a feature's code in bits.")
    ] = 16,
    data: Annotated[
        str | None,
        typer.Option(
            help="Table on which to fit the codes and to count changed predictions, for example csv:FILE. "
            "Default: the codes are fitted to the thresholds alone."
        ),
    ] = None,
    label: Label = None,
) -> None:
    """Convert a checkpoint of torch_dwn or dwn2rtl to a network file.

    Nothing in the checkpoint is executed.
    """
    from dwn_asic.data.config import DataConfig
    from dwn_asic.data.sources import load_table
    from dwn_asic.exchange.torch_dwn import import_checkpoint
    from dwn_asic.files import staged

    table = None if data is None else load_table(DataConfig(source=data, label=label))
    imported = import_checkpoint(
        checkpoint,
        thresholds=thresholds,
        n_classes=classes,
        n_features=features,
        input_bits=input_bits,
        values=None if table is None else table.values,
        feature_names=None if table is None else table.feature_names,
        class_names=None if table is None else table.class_names,
    )
    network = imported.network
    with staged(output.parent, "import") as scratch:
        network.save(scratch / output.name)
    sizes = "-".join(str(layer.n_luts) for layer in network.layers)
    arities = ",".join(str(layer.n_inputs) for layer in network.layers)
    typer.echo(
        f"wrote {output}: {len(network.feature_names)} features, {len(network.thermometer)} thresholds, "
        f"LUTs {sizes} ({arities} inputs), {network.head.n_classes} classes"
    )
    widths = network.quantizer.bits
    typer.echo(
        f"thresholds became codes of {widths.min()} to {widths.max()} bits; a comparison is exact for values "
        f"equal to the threshold or farther from it than {imported.steps:.2f} code steps"
    )
    if table is not None:
        right = (network.predict(network.quantizer.codes(table.values)) == table.labels).mean()
        typer.echo(
            f"predictions differ from those with the real-valued thresholds on {imported.changed} of "
            f"{imported.rows} rows; accuracy on all rows {right:.4f}"
        )


@app.command("export")
def export_(
    network: Annotated[Path, typer.Argument(help="Network file: network.npz of a flow or of an import.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Checkpoint file to write.")] = Path(
        "model.pt"
    ),
) -> None:
    """Convert a network file to a checkpoint.

    torch_dwn and dwn2rtl can load it.
    """
    from dwn_asic.boolean.lut_network import LutNetwork
    from dwn_asic.exchange.torch_dwn import export_checkpoint

    export_checkpoint(LutNetwork.load(network), output)
    typer.echo(f"wrote {output}")
