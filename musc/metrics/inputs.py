"""What the metrics accept: finite scores, binary truth, matching shapes, limits that are rates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.floating]
Binary = NDArray[np.bool_]


def as_scores(subject: str, values: ArrayLike, dimensions: int) -> Scores:
    """Scores as a contiguous float32 or float64 array, copied only where the dtype or the layout asks for it.

    Args:
        subject: what an error calls the values.
        values: any real numbers; float32 and float64 stay as they are, since ties depend on the precision.
        dimensions: how many axes there must be.

    Returns:
        The values; float16 becomes float32, integers become float64.

    Raises:
        ValueError: if the number of axes differs, there is no value at all, or a value is not finite.
    """
    array = np.asarray(values)
    if array.ndim != dimensions:
        raise ValueError(f"{subject} must have {dimensions} axes, got shape {array.shape}; reshape them")
    if array.size == 0:
        raise ValueError(f"{subject} must hold at least one score, got shape {array.shape}; leave empty sets out")
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if not (np.isfinite(array.min()) and np.isfinite(array.max())):
        bad_count = int(np.count_nonzero(~np.isfinite(array)))
        raise ValueError(f"{subject} must be finite, got {bad_count} NaN or infinite values; leave those images out")
    return np.ascontiguousarray(array)


def as_binary(subject: str, values: ArrayLike, dimensions: int) -> Binary:
    """Truth as booleans, without a copy where it is stored in single bytes.

    Args:
        subject: what an error calls the values.
        values: booleans or numbers, each 0 or 1.
        dimensions: how many axes there must be.

    Returns:
        Booleans of the same shape.

    Raises:
        ValueError: if the number of axes differs or a value is neither 0 nor 1.
    """
    array = np.asarray(values)
    if array.ndim != dimensions:
        raise ValueError(f"{subject} must have {dimensions} axes, got shape {array.shape}; reshape them")
    if array.dtype == np.bool_:
        return array
    if array.dtype == np.uint8:
        allowed = array.size == 0 or array.max() <= 1
    else:
        allowed = bool(np.all((array == 0) | (array == 1)))
    if not allowed:
        other_values = np.setdiff1d(array, [0, 1])[:3].tolist()
        raise ValueError(f"{subject} must be 0 or 1, got {other_values}; compare grey values with a threshold first")
    return array.view(np.bool_) if array.dtype == np.uint8 else array.astype(np.bool_)


def as_limits(limits: Sequence[float]) -> tuple[float, ...]:
    """The false positive rates up to which an overlap curve is integrated.

    Args:
        limits: rates in (0, 1], at least one.

    Returns:
        The same, as a tuple of floats.

    Raises:
        ValueError: if there is none or one lies outside (0, 1].
    """
    rates = tuple(float(limit) for limit in limits)
    if not rates:
        raise ValueError("limits must hold at least one false positive rate, got none; the usual one is 0.3")
    wrong = [rate for rate in rates if not 0 < rate <= 1]
    if wrong:
        raise ValueError(f"limits must lie in (0, 1], got {wrong}; give false positive rates such as 0.3")
    return rates


def as_masks_and_maps(masks: ArrayLike, anomaly_maps: ArrayLike) -> tuple[Binary, Scores]:
    """Masks and maps of the same N images.

    Args:
        masks: (N, H, W), 1 where a pixel is defective.
        anomaly_maps: (N, H, W), higher where more anomalous.

    Returns:
        Booleans (N, H, W) and float32 or float64 (N, H, W).

    Raises:
        ValueError: if the shapes differ, a mask is not binary or a score is not finite.
    """
    maps = as_scores("anomaly_maps", anomaly_maps, dimensions=3)
    defective = as_binary("masks", masks, dimensions=3)
    if defective.shape != maps.shape:
        raise ValueError(
            f"masks must have the shape of anomaly_maps {maps.shape}, got {defective.shape}; resize one of them"
        )
    return defective, maps


def name_by_limit(metric: str, values: Sequence[float], limits: Sequence[float]) -> dict[str, float]:
    """One entry per limit: the first under the metric's own name, further ones under `<metric>_<limit>`."""
    names = [metric, *(f"{metric}_{limit:g}" for limit in limits[1:])]
    return dict(zip(names, values, strict=True))
