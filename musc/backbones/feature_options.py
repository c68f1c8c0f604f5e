"""What decides a backbone's features beside its name. Importing this loads no torch.

The published numbers come from float16 autocast on a GPU, so that is what the precision `auto` means there. On a CPU
`auto` is float32: half precision gains nothing there. Features differ, by about the last digits float16 has, so the
precision is part of a specification and thereby of the features' identity.
"""

from dataclasses import dataclass
from typing import Literal, cast

Precision = Literal["float32", "float16", "bfloat16"]
PRECISIONS = ("float32", "float16", "bfloat16")
AUTO = "auto"


@dataclass(frozen=True)
class BackboneOptions:
    """What decides a backbone's features beside its name; `musc.backbones.resolve` says what each means."""

    weights: str | None = None
    image_size: int | tuple[int, int] | None = None
    layers: tuple[int, ...] | None = None
    quick_gelu: bool | None = None
    position_antialias: bool = False


def require_no_transformer_options(name: str, options: BackboneOptions) -> None:
    """Refuse options that only vision transformers have.

    Raises:
        ValueError: naming the first that was given.
    """
    if options.quick_gelu is not None:
        raise ValueError(f"quick_gelu must be None for the backbone {name}, got {options.quick_gelu}; leave it out")
    if options.position_antialias:
        raise ValueError(f"position_antialias must be False for the backbone {name}, got True; leave it out")


def choose_precision(precision: str, name: str, device_type: str, *, float32_only: bool = False) -> Precision:
    """The precision a user's word means for a backbone on a device.

    Args:
        precision: the word.
        name: of the backbone.
        device_type: such as `cpu` or `cuda`.
        float32_only: whether the backbone needs float32, as the built-in filters do.

    Raises:
        ValueError: if there is no such precision, or another is given than the backbone needs.
    """
    if precision not in (AUTO, *PRECISIONS):
        raise ValueError(f"precision must be one of {', '.join((AUTO, *PRECISIONS))}, got {precision!r}; leave it out")
    if float32_only:
        if precision in ("float16", "bfloat16"):
            raise ValueError(f"precision must be float32 for the backbone {name}, got {precision}; leave it out")
        return "float32"
    if precision == AUTO:
        return "float16" if device_type == "cuda" else "float32"
    return cast(Precision, precision)
