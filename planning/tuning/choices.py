"""Choices of settings that suit some products better than others, and the grid of them that is tried."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from musc.backbones import resolve_settings, with_defaults
from musc.layers import BackboneSpec
from musc.settings import DEFAULT_BACKBONE, ImageScore, ImageSize, ImageSizes, Settings
from musc.settings.pydantic_options import size_text
from planning.estimates.time_and_memory import network_cost

IMAGE_SCORES: tuple[ImageScore, ...] = ("max", "contrast", "position", "balanced")
MOST_PATCHES = 1600
"""Patches of an image in the finest layer of a choice beyond its network's own: comparing them costs their square."""


USUAL_LOT = 100
"""Images for which costs are compared."""


@dataclass(frozen=True)
class Choice:
    """Settings that a product may have of its own; every other option stays as the user gives it."""

    backbone: str = DEFAULT_BACKBONE
    image_size: ImageSizes | None = None
    """As of `Settings`; None is the network's usual one."""
    layers: tuple[int, ...] | None = None
    """As of `Settings`; None is the network's usual ones."""
    image_score: ImageScore = "max"

    @property
    def text(self) -> str:
        """As people read it.

        >>> Choice().text, Choice("efficientnet-lite2", 512, (4, 5), "contrast").text
        ('efficientnet-lite0', 'efficientnet-lite2, 512 pixels, layers 4,5, image score contrast')
        """
        size = size_text(self.image_size) if self.image_size else ""
        parts = [
            self.backbone,
            f"{size} pixels" if size else "",
            f"layers {','.join(map(str, self.layers))}" if self.layers else "",
            f"image score {self.image_score}" if self.image_score != "max" else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def options(self) -> dict[str, object]:
        """By the names of the options."""
        return asdict(self)

    def applied_to(self, settings: Settings) -> Settings:
        """Settings with these instead of their own."""
        return settings.changed(**self.options)

    def scored_with(self) -> "Choice":
        """What must be computed for it: patch scores of all usual layers serve each part of them, and every score."""
        return replace(self, layers=None, image_score="max")


DEFAULT = Choice()
PROVEN = Choice(layers=(4, 5, 6, 7), image_score="balanced")
"""Better than the default on other products, or level: without the finest level, and by all three scores."""


def choices_of(
    backbones: Sequence[str],
    sizes: Sequence[ImageSize],
    scores: Sequence[ImageScore] = IMAGE_SCORES,
    used: Choice = DEFAULT,
) -> tuple[Choice, ...]:
    """The grid: every network at every size, of its layers those of neighbouring grids, with every image score.

    Args:
        sizes: in pixels; a network's own size is written as None, so that its choices are found again.
        used: comes first, whatever the rest is.

    Returns:
        Choices, each once. Of a network at another size than its own, layers with more than `MOST_PATCHES` patches are
        left out.
    """
    found = [used]
    for backbone in backbones:
        usual = spec_of(Choice(backbone)).image_size
        for size in sizes:
            own = size in (usual, usual[0] if usual[0] == usual[1] else usual)
            first = Choice(backbone, None if own else size)
            found += [
                replace(first, layers=layers, image_score=score)
                for layers in layer_sets(spec_of(first), most_patches=None if own else MOST_PATCHES)
                for score in scores
            ]
    return tuple(dict.fromkeys(found))


def layer_sets(backbone: BackboneSpec, most_patches: int | None = None) -> list[tuple[int, ...] | None]:
    """Layers of neighbouring grids, from the finest on; None where that is all of them.

    >>> from musc.backbones import resolve
    >>> [layers for layers in layer_sets(resolve("efficientnet-lite0"))]
    [(3,), (3, 4, 5), None, (4, 5), (4, 5, 6, 7), (6, 7)]
    """
    grids = sorted({layer.grid for layer in backbone.layers}, reverse=True)
    sets: list[tuple[int, ...] | None] = []
    for first in range(len(grids)):
        rows, columns = grids[first]
        if most_patches is not None and rows * columns > most_patches:
            continue
        for last in range(first, len(grids)):
            taken = tuple(layer.number for layer in backbone.layers if layer.grid in grids[first : last + 1])
            sets.append(None if len(taken) == len(backbone.layers) else taken)
    return sets


def specs_of(choice: Choice) -> tuple[BackboneSpec, ...]:
    """The network of a choice at each image size, smallest first."""
    return resolve_settings(with_defaults(choice.applied_to(Settings())), "cpu")


def spec_of(choice: Choice) -> BackboneSpec:
    """The network of a choice at its only image size, or the largest."""
    return specs_of(choice)[-1]


def relative_costs(choices: Sequence[Choice]) -> list[float]:
    """Operations of each choice as multiples of the first one's: the network's for an image, and products of patches.

    A lot of `USUAL_LOT` images is supposed.
    """
    counted = [sum(map(operations, specs_of(choice))) for choice in choices]
    return [count / counted[0] for count in counted]


def operations(backbone: BackboneSpec) -> float:
    """Operations for one image of a lot, in those of matrix products; a network that is not known costs nothing."""
    degrees = with_defaults(Settings(backbone=backbone.name)).degrees
    products = sum(2.0 * layer.patch_count**2 * layer.width * len(degrees) for layer in backbone.layers)
    return network_cost(backbone)[0] + USUAL_LOT / 2 * products


def traits(choice: Choice) -> tuple[str, tuple[int, int], frozenset[int], str]:
    """What of a choice makes it near to another: network, size, pixels per patch of its layers, and image score."""
    backbone = spec_of(choice)
    strides = frozenset(backbone.image_size[0] // layer.grid[0] for layer in backbone.layers)
    return choice.backbone, backbone.image_size, strides, choice.image_score
