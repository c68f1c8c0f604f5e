"""Ranges of the method's options; every stage that takes one checks it here. Importing this loads no torch."""

from collections.abc import Sequence

Interval = tuple[float, float]
"""Fractions 0 ≤ low < high ≤ 1 of the references, nearest first."""
PAPER_INTERVAL: Interval = (0.0, 0.3)
"""MuSc (ICLR 2024), section 3.3: the nearest 30 %."""


def require_degrees(degrees: Sequence[int]) -> Sequence[int]:
    """Refuse neighbourhood sides that are none, no sequence, repeated, or without a centre.

    Raises:
        ValueError: naming what was given.
    """
    if isinstance(degrees, int):
        raise ValueError(f"degrees must be neighbourhood sides, got {degrees}; write ({degrees},) for one")
    if not degrees:
        raise ValueError("degrees must name at least one neighbourhood side, got none; the paper uses 1, 3 and 5")
    for degree in degrees:
        require_degree(degree)
    if len(set(degrees)) != len(degrees):
        raise ValueError(f"degrees must differ from each other, got {degrees}; name each once")
    return degrees


def require_degree(degree: int) -> None:
    """Refuse a neighbourhood side that has no centre.

    Raises:
        ValueError: if `degree` is not a positive odd number.
    """
    if degree < 1 or degree % 2 != 1:
        raise ValueError(f"degree must be a positive odd number of patches, got {degree}; use for example 1, 3 or 5")


def require_interval(interval: Interval) -> Interval:
    """Refuse fractions that select nothing.

    Raises:
        ValueError: unless 0 ≤ low < high ≤ 1.
    """
    if isinstance(interval, int | float) or len(interval) != 2 or not 0 <= interval[0] < interval[1] <= 1:
        raise ValueError(
            f"interval must be two fractions 0 ≤ low < high ≤ 1, got {interval}; the paper uses {PAPER_INTERVAL}"
        )
    return interval


def require_rscin_windows(rscin_windows: Sequence[int]) -> Sequence[int]:
    """Refuse windows that hold no neighbour.

    Raises:
        ValueError: if there is no window, one is smaller than 1, or a single number is given.
    """
    if isinstance(rscin_windows, int) or not rscin_windows or min(rscin_windows) < 1:
        raise ValueError(
            f"rscin_windows must be positive counts of images, got {rscin_windows}; the paper uses (1, 2, 3)"
        )
    return rscin_windows


def require_match_radius(match_radius: int) -> int:
    """Refuse a radius that holds no patch.

    Raises:
        ValueError: if it is negative.
    """
    if match_radius < 0:
        raise ValueError(
            f"match_radius must be at least 0 patches, got {match_radius}; leave it out to match everywhere"
        )
    return match_radius


def require_reference_count(references: int) -> int:
    """Refuse a sample that holds no reference.

    Raises:
        ValueError: if it is not positive.
    """
    if references < 1:
        raise ValueError(f"references must be at least 1 image, got {references}; leave it out to use all other images")
    return references


def require_suspects(suspects: float) -> float:
    """Refuse a share of the good images that is none, or would make every second one suspect.

    Raises:
        ValueError: unless 0 ≤ suspects ≤ 0.5.
    """
    if not 0 <= suspects <= 0.5:
        raise ValueError(
            f"suspects must be a share of the good images from 0 to 0.5, got {suspects:g}; write 0.03 or 3%, 0 for none"
        )
    return suspects


def require_address(option: str, prefix: str) -> None:
    """Refuse the beginning of addresses to which a path cannot be joined.

    Raises:
        ValueError: unless it ends in / or =.
    """
    if not prefix.endswith(("/", "=")):
        raise ValueError(
            f"{option} must end in / or =, as paths of photographs follow it directly, got {prefix!r}; "
            f"give {prefix + '/'!r}"
        )
