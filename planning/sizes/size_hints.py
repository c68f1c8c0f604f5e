"""What to say at the start where photographs lose much on their way into the network: which option, and its cost.

Pure arithmetic on the sizes of a lot's photographs. Nothing is advised where the user has chosen already; what the
smallest flaw chose is told.
"""

from collections import Counter
from collections.abc import Sequence
from math import prod

from musc.backbones.sizes_and_layers import size_in_proportion
from musc.plan.lot_as_tiles import OVERLAP_PART, Photograph
from musc.settings import WITHOUT_TILES
from musc.tiles import tile_image
from planning.lot_job import LotJob

MOST_STRETCHED = 1.75
"""How much wider or narrower, for its height, the network may see a photograph than it is before that is said."""
MOST_SHRUNK = 4.0
"""How many pixels of a photograph may become one along a side before that is said."""
LARGER = 2
"""Image sizes and tiles are named that are so much larger than what the network sees along a side."""


def size_hints(job: LotJob, images: Sequence[Photograph], *, watching: bool = False) -> tuple[str, ...]:
    """What the smallest flaw chose, and a sentence for each option that sizes of photographs suggest; most often none.

    Args:
        job: says what the network sees.
        images: that are to be scored; of a watch its good photographs.
        watching: of a watch, which takes neither proportions that are kept nor tiles.
    """
    settings, seen = job.settings, job.backbone.image_size
    chosen = (job.flaw_size.text,) if job.flaw_size and job.flaw_size.text else ()
    if settings.tile is not None or not images:
        return chosen
    (width, height), _ = Counter((image.width, image.height) for image in images).most_common(1)[0]
    resized = f"photographs of {width} x {height} pixels are resized to {seen[1]} x {seen[0]}"
    stretched = (width / height) / (seen[1] / seen[0])
    shrunk = ((width * height) / (seen[0] * seen[1])) ** 0.5
    hints = [*chosen]
    if max(stretched, 1 / stretched) >= MOST_STRETCHED and not settings.keep_aspect:
        grids = [layer.grid for layer in job.backbone.layers]
        rows, columns = size_in_proportion(seen, grids, (height, width))
        option = f"--image-size {rows}x{columns}" if watching else "--keep-aspect"
        hints.append(f"{resized}, other proportions; {option} keeps theirs and takes about as long")
    if shrunk >= MOST_SHRUNK and not chosen_size(job):
        hints.append(
            f"{resized}, {shrunk:.1f} of their pixels to one along a side, and what is small may be lost; "
            "--smallest-flaw with the pixels of the smallest flaw chooses what shows it; by hand "
            f"{', or '.join(larger(job, width, height, watching))}; musc plan says how long that is here"
        )
    return tuple(hints)


def chosen_size(job: LotJob) -> bool:
    """Whether the user gave the image size, or the smallest flaw; proportions that are kept give a size too."""
    return job.flaw_size is not None or (job.settings.image_size is not None and not job.kept_sizes)


def larger(job: LotJob, width: int, height: int, watching: bool) -> list[str]:
    """The options that let the network see more of a photograph, with how many times as long they take."""
    pixels = prod(job.backbone.image_size)
    patch = job.backbone.image_size[0] // min(layer.grid[0] for layer in job.backbone.layers)
    side = LARGER * patch * round(pixels**0.5 / patch)
    options = [f"--image-size {side} takes {LARGER**2} times as long to extract and {LARGER**4} to compare"]
    if goes_with_tiles(job) and not watching:
        count, area = len(tile_image(width, height, side, side // OVERLAP_PART)), side**2 / pixels
        options.append(
            f"--tile {side}, {count} tiles of each at full resolution, {count * area:,.0f} times as long to extract "
            f"and {count * area**2:,.0f} to compare"
        )
    return options


def goes_with_tiles(job: LotJob) -> bool:
    """Whether nothing was given that tiles go without."""
    given = {"good": job.good, "good_from_verdicts": job.judged_good, "roi": job.region, "subsets": job.subsets > 1}
    return not any(given.get(name) or getattr(job.settings, name, None) for name in WITHOUT_TILES)
