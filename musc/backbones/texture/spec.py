"""What the name `texture` resolves to, without loading torch; `musc.backbones.texture.network` computes."""

from musc.backbones.feature_options import BackboneOptions, require_no_transformer_options
from musc.backbones.sizes_and_layers import alike, resolve_image_size, resolve_layers
from musc.layers import BackboneSpec

NAME = "texture"

VERSION = "built-in:texture-1"
"""Changes with every change of the features, so that stored ones are never mixed."""

PATCH = 8
"""Pixels of the resized image per patch, in both directions."""

DEFAULT_SIZE = (256, 256)
"""Height and width in pixels by default."""

SCALE_COUNT = 4
"""Layers on offer: layer s filters the image reduced by 2 to the power s."""

ORIENTATION_COUNT = 6
"""Evenly spaced over half a turn; mirroring a picture sends orientation k to (-k) modulo this."""

TOKEN_WIDTH = (ORIENTATION_COUNT + 2 + 3) + (ORIENTATION_COUNT + 6) + 1
"""C: means over the patch (one per orientation, bright and dark luma spots, three colours), maxima (one per
orientation, bright then dark spots in luma and both opponent colours), the anchor."""

STATISTIC_COUNT = 3
"""Numbers per layer and varying channel in the class token."""


def accepts(name: str) -> bool:
    """Whether the name means this backbone."""
    return name == NAME


def resolve(name: str, options: BackboneOptions) -> BackboneSpec:
    """The specification that the user's words mean.

    Args:
        name: `texture`.
        options: without weights; sides of an image are multiples of 8, 256 by default; layers are scales, 0 to 3
            (wavelengths of 4.5, 9, 18 and 36 pixels), all by default.

    Raises:
        ValueError: naming the first argument that does not fit, with what would.
    """
    if not accepts(name):
        raise ValueError(f"name must be {NAME!r} for the built-in backbone, got {name!r}; choose another backbone")
    if options.weights is not None:
        raise ValueError(
            f"weights must be None for the backbone {NAME}, got {options.weights!r}; it has none, leave them out"
        )
    require_no_transformer_options(NAME, options)
    height, width = resolve_image_size(options.image_size, (PATCH, PATCH), DEFAULT_SIZE)
    chosen_layers = resolve_layers(options.layers, SCALE_COUNT)
    return BackboneSpec(
        name=NAME,
        weights="built-in",
        weights_digest=VERSION,
        image_size=(height, width),
        layers=alike(chosen_layers, (height // PATCH, width // PATCH), TOKEN_WIDTH),
        embedding_width=STATISTIC_COUNT * (TOKEN_WIDTH - 1) * len(chosen_layers) + 1,
    )
