"""Clean industrial parts: a textured surface, an outline, a background; position, lighting and noise differ per image.

Lengths are in units of 1/256 of the picture's side; colours are in [0, 1].
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from storage.datasets.synthetic.defects import FloatArray, Scene, soften

Part = Callable[[np.random.Generator, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""Draws one part at given rows and columns, in units from its centre: (colours (H, W, 3), depth (H, W))."""


def draw_scene(rng: np.random.Generator, part: str, size: int) -> Scene:
    """One clean part lying slightly differently each time on its background, before lighting.

    Args:
        rng: decides place, turn and all texture.
        part: one of `PARTS`.
        size: height and width in pixels.
    """
    axis = (np.arange(size) + 0.5) * 256 / size
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    draw, background_colour, relief = PARTS[part]
    down, right = rows - 128 - rng.uniform(-5, 5), columns - 128 - rng.uniform(-5, 5)
    turn = np.deg2rad(rng.uniform(-3, 3))
    surface, depth = draw(rng, down * np.cos(turn) - right * np.sin(turn), down * np.sin(turn) + right * np.cos(turn))
    mottle = relief * (grain(rng, size, 0.7) + grain(rng, size, 2.5))[..., None]
    background = np.array(background_colour) * (1 + mottle)
    shadow = 1 - 0.35 * np.exp(np.minimum(depth, 0) / 5)[..., None]
    opacity = soften(depth, 1.0)[..., None]
    picture = background * shadow * (1 - opacity) + surface * opacity
    return Scene(np.clip(picture, 0, 1), np.clip(background * shadow, 0, 1), depth, rows, columns)


def photograph(rng: np.random.Generator, scene: Scene, picture: FloatArray) -> FloatArray:
    """The picture under uneven light with exposure, white balance and sensor noise of its own, (H, W, 3) in [0, 1]."""
    angle = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(0.02, 0.09) / 128
    falloff = slope * ((scene.rows - 128) * np.sin(angle) + (scene.columns - 128) * np.cos(angle))
    exposure = rng.uniform(0.94, 1.06) * rng.uniform(0.99, 1.01, 3)
    noise = rng.normal(0, 0.012, picture.shape)
    return np.clip(picture * (1 + falloff[..., None]) * exposure + noise, 0, 1)


def draw_brushed(rng: np.random.Generator, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A brushed metal plate with rounded corners, a bevelled edge and four drilled holes."""
    depth = depth_in_rectangle(rows, columns, 76, 98, corner=12)
    for row, column in ((-54, -76), (-54, 76), (54, -76), (54, 76)):
        depth = np.minimum(depth, np.hypot(rows - row, columns - column) - 8)
    size = rows.shape[0]
    fine = follow(streaks(rng, size, along=14, across=0.6), rows, columns)
    broad = follow(streaks(rng, size, along=40, across=3), rows, columns)
    sheen = 0.05 * np.cos(rows / 38 + rng.uniform(-0.4, 0.4))
    level = 0.60 + 0.045 * fine + 0.02 * broad + sheen
    level += 0.14 * np.exp(-(((depth - 2.5) / 1.3) ** 2))
    return level[..., None] * np.array((0.99, 1.0, 1.03)), depth


def draw_woven(rng: np.random.Generator, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A swatch of plain-woven cloth, its threads uneven and slightly drawn."""
    size = rows.shape[0]
    depth = depth_in_rectangle(rows, columns, 100, 100, corner=3) + 0.5 * grain(rng, size, 1.5)
    pitch = 8.0
    across = (columns + rng.uniform(0, 16) + 0.9 * grain(rng, size, 20)) / pitch + 40
    down = (rows + rng.uniform(0, 16) + 0.9 * grain(rng, size, 20)) / pitch + 40
    warp, weft = np.floor(across).astype(int), np.floor(down).astype(int)
    warp_round = np.sqrt(1 - (2 * (across - warp) - 1) ** 2 * 0.6)
    weft_round = np.sqrt(1 - (2 * (down - weft) - 1) ** 2 * 0.6)
    warp_shade = warp_round * (0.8 + 0.2 * weft_round) * (1 + 0.03 * rng.standard_normal(96))[warp]
    weft_shade = weft_round * (0.8 + 0.2 * warp_round) * (1 + 0.03 * rng.standard_normal(96))[weft]
    warp_colours = warp_shade[..., None] * np.array((0.46, 0.52, 0.60))
    weft_colours = weft_shade[..., None] * np.array((0.58, 0.61, 0.64))
    colours = np.where(((warp + weft) % 2 == 0)[..., None], warp_colours, weft_colours)
    return colours * (1 + 0.05 * grain(rng, size, 0.7))[..., None], depth


def draw_cast(rng: np.random.Generator, rows: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A sand-cast disc with a raised rim and a bored hub, grainy all over."""
    size = rows.shape[0]
    radius = np.hypot(rows, columns)
    depth = np.minimum(100 - radius, radius - 20)
    lit = -(rows + columns) / (np.sqrt(2) * np.maximum(radius, 1))
    level = 0.42 + 0.05 * soften(radius - 82, 3) + 0.05 * soften(38 - radius, 3)
    level += (
        0.10
        * lit
        * (
            np.exp(-(((radius - 99) / 2) ** 2))
            - np.exp(-(((radius - 82) / 2) ** 2))
            + np.exp(-(((radius - 38) / 2) ** 2))
            - np.exp(-(((radius - 21) / 2) ** 2))
        )
    )
    level += 0.030 * grain(rng, size, 0.8) + 0.020 * grain(rng, size, 2.2)
    return level[..., None] * np.array((1.02, 1.0, 0.96)), depth


PARTS: dict[str, tuple[Part, tuple[float, float, float], float]] = {
    "brushed": (draw_brushed, (0.17, 0.18, 0.20), 0.05),
    "woven": (draw_woven, (0.80, 0.77, 0.71), 0.012),
    "cast": (draw_cast, (0.30, 0.37, 0.33), 0.03),
}
"""Per part: how it is drawn, the colour of what it lies on, and how uneven that is."""


def depth_in_rectangle(
    rows: FloatArray, columns: FloatArray, half_height: float, half_width: float, *, corner: float
) -> FloatArray:
    """Distance inwards from the outline of a rectangle with rounded corners, negative outside."""
    down = np.abs(rows) - half_height + corner
    right = np.abs(columns) - half_width + corner
    outside = np.hypot(np.maximum(down, 0), np.maximum(right, 0))
    return corner - outside - np.minimum(np.maximum(down, right), 0)


def grain(rng: np.random.Generator, size: int, width: float) -> FloatArray:
    """Smooth noise (size, size) of deviation 1 with features about `width` units across."""
    noise = ndimage.gaussian_filter(rng.standard_normal((size, size)), width * size / 256, mode="wrap")
    return noise / noise.std()


def streaks(rng: np.random.Generator, size: int, *, along: float, across: float) -> FloatArray:
    """Noise (size, size) of deviation 1 drawn out along the columns."""
    sigmas = (across * size / 256, along * size / 256)
    noise = ndimage.gaussian_filter(rng.standard_normal((size, size)), sigmas, mode="wrap")
    return noise / noise.std()


def follow(texture: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """A texture (size, size) turned and moved with the part it belongs to."""
    scale = texture.shape[0] / 256
    return ndimage.map_coordinates(texture, [rows * scale, columns * scale], order=1, mode="grid-wrap")
