"""Options that several commands share, and how their texts are read. An option not given keeps the flow's default."""

from typing import Annotated, Any

import typer

METHOD = "Method"
RESOURCES = "Resources"
DECISIONS = "Decisions"


def read_counts(text: str) -> tuple[int, ...]:
    """Whole numbers separated by commas, e.g. `1,3,5`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"must be whole numbers separated by commas such as 1,3,5, got {text!r}") from None


def read_names(text: str) -> tuple[str, ...]:
    """Names separated by commas, e.g. `bottle,cable`."""
    return tuple(text.split(","))


def read_interval(text: str) -> tuple[float, float]:
    """Two fractions, e.g. `0,0.3`."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"must be two fractions such as 0,0.3, got {text!r}") from None
    return low, high


def read_image_size(text: str) -> int | tuple[int, int]:
    """One side, e.g. `518`, or height and width, e.g. `392x518`."""
    try:
        sides = tuple(int(side) for side in text.lower().split("x"))
    except ValueError:
        sides = ()
    if len(sides) not in (1, 2):
        raise typer.BadParameter(f"must be a side such as 518, or height x width such as 392x518, got {text!r}")
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


Output = Annotated[
    str | None, typer.Option(help="Path or URL of the store for features, scores and results. Default: musc-results.")
]
Backbone = Annotated[
    str | None,
    typer.Option(
        help="efficientnet-lite0, whose weights are installed, a published name such as the paper's ViT-L-14-336 or "
        "dinov2_vitl14, any open_clip ViT, timm:MODEL (convolutional or ViT), or texture, a filter bank for trials. "
        "Default: efficientnet-lite0; benchmarks: ViT-L-14-336.",
        rich_help_panel=METHOD,
    ),
]
Backbones = Annotated[
    list[str] | None,
    typer.Option("--backbone", help="As in score; may be given more than once.", rich_help_panel=METHOD),
]
Categories = Annotated[
    Any,
    typer.Option(parser=read_names, metavar="NAME,NAME,…", help="Categories to run. Default: all."),
]
Weights = Annotated[
    str | None,
    typer.Option(
        help="A tag, or a local file (.safetensors, .pt). Default: installed or published.", rich_help_panel=METHOD
    ),
]
ImageSize = Annotated[
    Any,
    typer.Option(
        parser=read_image_size,
        metavar="PIXELS",
        help="518, or 392x518 (height x width). Default: 320 for convolutional networks, published for others.",
        rich_help_panel=METHOD,
    ),
]
Layers = Annotated[
    Any,
    typer.Option(
        parser=read_counts,
        metavar="N,N,…",
        help="Transformer blocks, default 5,11,17,23 of 24; or levels, default stride 8 and more. 0-based.",
        rich_help_panel=METHOD,
    ),
]
QuickGelu = Annotated[
    bool | None,
    typer.Option(
        "--quick-gelu/--gelu",
        help="OpenAI CLIP's activation. Default: as published, QuickGELU at the native size only.",
        rich_help_panel=METHOD,
    ),
]
PositionAntialias = Annotated[
    bool | None,
    typer.Option(
        "--position-antialias/--no-position-antialias",
        help="Resize the position embedding with antialiasing. Default: without, as published.",
        rich_help_panel=METHOD,
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        help="Of the backbone: float32, float16, bfloat16. Default: auto, float16 on a GPU as published, else float32.",
        rich_help_panel=METHOD,
    ),
]
Degrees = Annotated[
    Any,
    typer.Option(
        parser=read_counts,
        metavar="N,N,…",
        help="Sides of the LNAMD neighbourhoods, odd. Default: 1,3,5; convolutional networks: 1,3.",
        rich_help_panel=METHOD,
    ),
]
Interval = Annotated[
    Any,
    typer.Option(
        parser=read_interval,
        metavar="LOW,HIGH",
        help="Fractions of the references, nearest first, that are averaged. Default: 0,0.3.",
        rich_help_panel=METHOD,
    ),
]
References = Annotated[
    int | None,
    typer.Option(
        help="Score every image against a sample of so many others, for very large lots. Default: all others.",
        rich_help_panel=METHOD,
    ),
]
Seed = Annotated[int | None, typer.Option(help="Draws the sample of references. Default: 0.", rich_help_panel=METHOD)]
Window = Annotated[
    int | None,
    typer.Option(
        help="Match a patch only within so many patches of its own position, for aligned parts. Default: everywhere.",
        rich_help_panel=METHOD,
    ),
]
ReferencesFrom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help="An earlier run in the store, e.g. runs/monday-0a1b2c3d, whose accepted images are references too; "
        "may be given more than once.",
        rich_help_panel=METHOD,
    ),
]
WindowSizes = Annotated[
    Any,
    typer.Option(
        parser=read_counts,
        metavar="N,N,…",
        help="RsCIN neighbours, the image itself included. Default: 1,2,3 as in the paper, benchmarks of VisA 1,8,9; "
        "1, no re-scoring, for scoring with convolutional networks.",
        rich_help_panel=METHOD,
    ),
]
Device = Annotated[str | None, typer.Option(help="auto (the default), cpu, cuda, cuda:1 …", rich_help_panel=RESOURCES)]
Memory = Annotated[
    str | None,
    typer.Option(
        help="Most memory one scoring shard may use, e.g. 8GB. Default: half of the GPU's, or of the machine's.",
        rich_help_panel=RESOURCES,
    ),
]
BlockImages = Annotated[
    int | None,
    typer.Option(
        help="Images per extraction task, a multiple of 8. Default: 64, more for very large lots.",
        rich_help_panel=RESOURCES,
    ),
]
StoreAggregated = Annotated[
    bool | None,
    typer.Option(
        "--store-aggregated",
        help="Keep features after LNAMD too, as cached work of their own.",
        rich_help_panel=RESOURCES,
    ),
]
FalseAlarms = Annotated[
    float | None,
    typer.Option(
        help="Good images expected to be flagged in a lot with defects. Default: 0.5.", rich_help_panel=DECISIONS
    ),
]
ReviewBudget = Annotated[
    int | None, typer.Option(help="Most images flagged. Default: no limit.", rich_help_panel=DECISIONS)
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="Raw score at and above which images are flagged. Default: from the lot's own scores.",
        rich_help_panel=DECISIONS,
    ),
]
RescoreGroups = Annotated[
    bool | None,
    typer.Option(
        "--exclude-groups",
        help="Where images share the same flaw, take it out of the references and score again.",
        rich_help_panel=DECISIONS,
    ),
]
Maps = Annotated[
    str | None,
    typer.Option(help="Also write every anomaly map as a file: png (overlays and masks) or tiff (32-bit floats)."),
]
Engine = Annotated[
    str | None,
    typer.Option(
        help="inline, in this process without Prefect (the default); threads, as Prefect tasks (the default where an "
        "API is configured); or dask, a worker process per GPU.",
        rich_help_panel=RESOURCES,
    ),
]
DaskAddress = Annotated[
    str | None,
    typer.Option(
        help="A running Dask scheduler, e.g. tcp://10.0.0.5:8786. Default: workers are started here.",
        rich_help_panel=RESOURCES,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Dask worker processes per machine. Default: one per GPU, or one for every two cores; with an address 1.",
        rich_help_panel=RESOURCES,
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Prefect's own log.")]


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a command that the user gave, for the flow; the others keep the flow's defaults."""
    return {name: value for name, value in arguments.items() if value is not None and name != "verbose"}
