"""RsCIN, re-scoring with the constrained image-level neighbourhood (MuSc, ICLR 2024, section 3.4).

Images that look alike as a whole should have like scores; an image score that noise alone lifted is pulled back
towards those of its nearest neighbours.
"""

from collections.abc import Sequence

import torch

from musc.option_ranges import require_rscin_windows

ROWS_AT_ONCE = 1024
"""Rows of the Gram matrix held at once, so that memory grows with N and not with N²."""


def rescore(
    image_scores: torch.Tensor, class_tokens: torch.Tensor, rscin_windows: Sequence[int] = (1, 2, 3)
) -> torch.Tensor:
    """Replace each image score by a weighted mean over the image's nearest neighbours, averaged over window sizes.

    Scores are first scaled to [0, 1] over the lot. Weights are the class tokens' Gram matrix, restricted to the k
    largest entries of each row (an image is its own neighbour) and normalised to sum 1.

    Args:
        image_scores: (N,), higher is more anomalous.
        class_tokens: (N, D), rows of unit length.
        rscin_windows: neighbours averaged, the image itself included; a window larger than the lot is the whole lot.
            The paper uses (1, 2, 3), and (1, 8, 9) for VisA.

    Returns:
        Float64 (N,) in [0, 1] where neighbours have positive similarity; all zeros if all scores are equal.

    Raises:
        ValueError: if the lengths differ, a value is not finite, a window size is not positive, or an image has no
            neighbour of positive similarity.
    """
    require_rscin_windows(rscin_windows)
    scores = torch.as_tensor(image_scores).double()
    tokens = torch.as_tensor(class_tokens).double()
    if scores.ndim != 1 or tokens.ndim != 2 or len(scores) != len(tokens):
        raise ValueError(
            "image_scores (N,) and class_tokens (N, D) must be of one length, "
            f"got shapes {tuple(scores.shape)} and {tuple(tokens.shape)}"
        )
    if not bool(torch.isfinite(scores).all() and torch.isfinite(tokens).all()):
        raise ValueError("image_scores and class_tokens must be finite, got NaN or infinity; leave these images out")
    scaled = scale_min_max(scores)
    blocks = [neighbour_means(scaled, tokens, rows, rscin_windows) for rows in tokens.split(ROWS_AT_ONCE)]
    rescored = torch.cat(blocks)
    if not bool(torch.isfinite(rescored).all()):
        alone = torch.nonzero(~torch.isfinite(rescored)).flatten().tolist()
        raise ValueError(
            f"class_tokens must have neighbours of positive similarity, got none for {len(alone)} of "
            f"{len(rescored)} images (first at {alone[:5]}); leave these images out, or use window size 1"
        )
    return rescored


def neighbour_means(
    scores: torch.Tensor, tokens: torch.Tensor, rows: torch.Tensor, rscin_windows: Sequence[int]
) -> torch.Tensor:
    """Weighted means of the nearest neighbours' scores for some rows of the Gram matrix; float64 (len(rows),)."""
    windows = [min(size, len(scores)) for size in rscin_windows]
    weights, neighbours = (rows @ tokens.T).topk(max(windows), dim=1)
    weighted = weights * scores[neighbours]
    means = [weighted[:, :size].sum(dim=1) / weights[:, :size].sum(dim=1) for size in windows]
    return torch.stack(means).mean(dim=0)


def scale_min_max(scores: torch.Tensor) -> torch.Tensor:
    """Scores shifted and scaled to [0, 1]; zeros where all are equal."""
    spread = scores.max() - scores.min()
    return (scores - scores.min()) / spread if spread > 0 else torch.zeros_like(scores)
