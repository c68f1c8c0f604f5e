"""PIL images of any mode as upright RGB (as `storage.images.decode` does for files), and RGB as pixels of a network."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps

SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def upright_rgb(image: Image.Image) -> Image.Image:
    """The image as backbones take it: turned as its EXIF orientation says, 8-bit RGB, alpha ignored.

    16 bits per channel are scaled by the full range, the same for every image; Pillow alone would clip them to white.

    Raises:
        ValueError: for floating point, and for 32-bit integers beyond 16 bits, whose range is not known.
    """
    if image.mode == "I" and image.format == "TIFF":
        raise ValueError("image must have 8 or 16 bits per channel, got a 32-bit or signed TIFF; scale it to 8 bits")
    if image.mode == "I" and image.format is None and np.asarray(image).max() <= 255:
        raise ValueError("image must have 8 or 16 bits per channel, got 32-bit integers up to 255; give uint8 instead")
    upright = ImageOps.exif_transpose(image)
    upright.info.pop("transparency", None)  # else Pillow warns that it is lost
    if upright.mode == "F":
        raise ValueError("image must have 8 or 16 bits per channel, got mode F of unknown range; scale it to 8 bits")
    if upright.mode in SIXTEEN_BIT_MODES:
        upright = _scaled_to_8_bits(upright)
    return upright.convert("RGB")


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(
            f"image must have values of 0 to 65535, got mode {image.mode} with {values.min()} to {values.max()}; "
            "scale it to 8 or 16 bits"
        )
    return Image.fromarray((values / 257).round().astype(np.uint8))


@dataclass(frozen=True)
class Preprocess:
    """One RGB image -> float32 (3, H, W): resized by Pillow, aspect not kept, then in units of the weights' training.

    The same operations in the same order as those of torchvision on Pillow images, so pixels are the same to the bit.
    """

    size: tuple[int, int]
    """Height and width in pixels."""
    resampling: Image.Resampling
    """How it is resized; antialiased where the image shrinks."""
    mean: tuple[float, ...]
    """Of each channel, in 0 to 1."""
    deviation: tuple[float, ...]
    """Standard deviation of each channel, greater than 0."""

    def __call__(self, image: Image.Image) -> torch.Tensor:
        height, width = self.size
        resized = image if image.size == (width, height) else image.resize((width, height), self.resampling)
        pixels = torch.from_numpy(np.array(resized, np.uint8)).permute(2, 0, 1).contiguous().float().div(255)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (self.mean, self.deviation))
        return pixels.sub_(mean).div_(deviation)
