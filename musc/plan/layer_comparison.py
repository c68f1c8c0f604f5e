"""How the images of one layer are compared: decided once, the same wherever they are scored or costs are counted."""

from dataclasses import dataclass

from musc.layers import Grid, Layer


@dataclass(frozen=True)
class LayerComparison:
    """All that decides the patch scores of one layer, given images; `musc.plan.pooling.compare_layers` makes it."""

    layer: Layer
    degrees: tuple[int, ...]
    """Of LNAMD, growing; a layer's scores are their mean."""
    pooled: bool = False
    """Whether one matrix product serves all degrees, or one each."""
    match_radius: int | None = None
    """Patches of the layer's own grid within which a patch may be matched; None is everywhere."""
    masked: bool = False
    """Whether some patches may not be matched: beyond the radius, outside of a region, or those that a group shares."""
    device: str = "auto"
    """Where they are compared; pooled ones on the CPU."""

    @property
    def grid(self) -> Grid:
        """Patch rows and columns."""
        return self.layer.grid

    @property
    def passes(self) -> tuple[tuple[int, ...], ...]:
        """The degrees that are compared at once: all of them, or one after the other."""
        return (self.degrees,) if self.pooled else tuple((degree,) for degree in self.degrees)

    @property
    def pooled_degrees(self) -> tuple[int, ...]:
        """The degrees if they are compared by one product, else none."""
        return self.degrees if self.pooled else ()
