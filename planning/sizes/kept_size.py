"""The image size of a lot whose proportions are kept: the product's, which its first lot settles."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from musc.backbones.sizes_and_layers import size_in_proportion
from musc.layers import BackboneSpec
from storage.artefacts import digest
from storage.products.settled_sizes import settled_sizes
from storage.store import Store


@dataclass(frozen=True)
class KeptSize:
    """An image size in the proportions of a product's photographs."""

    size: tuple[int, int]
    """Height and width in pixels."""
    key: str
    """Of the product, under which later lots find it; empty where it is settled for nobody, as in a benchmark."""
    origin: str
    """Where the size comes from, for people."""

    @property
    def text(self) -> str:
        """The size and where it comes from."""
        return f"{self.size[0]} x {self.size[1]} pixels, {self.origin}"


def kept_sizes(
    folder: str, category: str, backbones: Sequence[BackboneSpec], store: Store, paths: Sequence[str] | None = None
) -> tuple[KeptSize, ...]:
    """The size of a lot for each of several usual ones, smallest first; see `kept_size`; none if no image opens."""
    sizes = [kept_size(folder, category, backbone, store, paths) for backbone in backbones]
    return tuple(size for size in sizes if size is not None)


def kept_size(
    folder: str, category: str, backbone: BackboneSpec, store: Store, paths: Sequence[str] | None = None
) -> KeptSize | None:
    """The size of a lot: one that an earlier lot of the product settled, else that of its commonest proportions.

    A settled size is taken if it differs from the lot's own by at most one coarse patch: photographs of one camera that
    are cut to a few pixels more or less then stay comparable from night to night.

    Args:
        backbone: at its usual size, which says how many pixels there are.
        store: where sizes are settled.
        paths: of the images to look at, where the lot is part of a benchmark, which stands alone; else None.

    Returns:
        The size, None if no image can be opened.
    """
    from storage.images.upright_shapes import upright_shapes  # opens photographs, which no record of a run needs

    grids = [layer.grid for layer in backbone.layers]
    sizes = Counter(size_in_proportion(backbone.image_size, grids, shape) for shape in upright_shapes(folder, paths))
    if not sizes:
        return None
    own_size, count = max(sizes.items(), key=lambda item: (item[1], item[0]))
    key = "" if paths is not None else digest({"category": category, "network": network(backbone)})
    steps = [side // min(counts) for side, counts in zip(backbone.image_size, zip(*grids, strict=True), strict=True)]
    near = [
        size
        for size in (settled_sizes(store, key) if key else [])
        if all(abs(side - own_side) <= step for side, own_side, step in zip(size, own_size, steps, strict=True))
    ]
    if near:
        size = min(near, key=lambda size: (abs(size[0] - own_size[0]) + abs(size[1] - own_size[1]), size))
        return KeptSize(size, key, f"as settled by an earlier lot of {category}")
    opened = sizes.total()
    share = f"{count} of {opened}" if count < opened else f"all {opened}"
    return KeptSize(own_size, key, f"the proportions of {share} photographs looked at")


def network(backbone: BackboneSpec) -> list[object]:
    """What of a backbone decides the sizes it may have."""
    return [backbone.name, backbone.weights_digest, *backbone.image_size]
