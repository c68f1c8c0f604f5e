"""Decisions and systematic defects on generated lots, whose truth is known.

    python benchmarks/lots.py
    python benchmarks/lots.py --seeds 1 --size 64 --images 24 --parts cast --clean-lots 50

Three tables. *Decisions*: for lots without defects, how many are flagged at all; for lots with 15 % varied defects, the
good parts flagged and the defective ones missed, beside those that no threshold could tell apart without flagging a
good part. *Simulated scores*: the same for scores drawn from known distributions. *Groups*: one flaw repeated on a
share of the parts, with 5 parts of varied defects, scored with and without its patches as references.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from PIL import Image
from systematic import draw_repeated

from musc import backbones
from musc.backbones import Backbone
from musc.decisions.decide_images import decide_images
from musc.decisions.groups import Groups, block_similarities, find_groups, shared_patches
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores
from musc.metrics import image_metrics, pixel_metrics
from musc.mutual import block_scores
from storage.datasets.synthetic.defects import KINDS
from storage.datasets.synthetic.lot import draw_part

SHARES = (0.0, 0.05, 0.10, 0.20, 0.30)
INTERVAL = (0.0, 0.3)
DEGREES = (1, 3, 5)
VARIED = 5
"""Parts with a defect of their own, one of each kind, in the lots with a repeated flaw."""

Drawing = tuple[np.ndarray, np.ndarray]
LotTokens = list[torch.Tensor]


def extracted(drawings: Iterable[Drawing], backbone: Backbone) -> tuple[LotTokens, np.ndarray]:
    """Patch tokens of drawn parts, one (N, P, C) per layer, and their masks, bool (N, H, W)."""
    pictures, masks = zip(*drawings, strict=True)
    features = backbone.extract([Image.fromarray(picture) for picture in pictures], 8)
    return features.patch_tokens, np.array(masks)


def patch_scores(features: LotTokens, grid: tuple[int, int], excluded: np.ndarray | None = None) -> torch.Tensor:
    """Mean mutual scores over layers and degrees: float32 (N, P)."""
    mask = None if excluded is None else torch.from_numpy(excluded)
    scores = [
        block_scores(aggregate(tokens, grid, degree), 0, (), len(tokens), INTERVAL, mask)
        for tokens in features
        for degree in DEGREES
    ]
    return torch.stack(scores).mean(dim=0)


def groups_of(features: LotTokens, grid: tuple[int, int]) -> Groups:
    """The groups of a lot, from the layer and degree that the pipeline takes."""
    tokens = aggregate(features[len(features) // 2], grid, DEGREES[len(DEGREES) // 2])
    similarities = block_similarities(tokens, 0, (), len(tokens))
    described = [shared_patches(of_image, image) for image, of_image in enumerate(similarities)]
    return find_groups([strongest for strongest, _ in described], [p for _, of in described for p in of], grid)


def join(lots: Iterable[tuple[LotTokens, np.ndarray]]) -> tuple[LotTokens, np.ndarray]:
    """Images of several extractions as one lot."""
    features, masks = zip(*lots, strict=True)
    return [torch.cat(of_layer) for of_layer in zip(*features, strict=True)], np.concatenate(masks)


def first(lot: tuple[LotTokens, np.ndarray], count: int) -> tuple[LotTokens, np.ndarray]:
    """The first images of an extraction."""
    return [tokens[:count] for tokens in lot[0]], lot[1][:count]


def decision_row(part: str, seed: int, good: Any, varied: Any, backbone: Backbone) -> dict[str, Any]:
    """One clean lot and one lot with varied defects."""
    grid, size = backbone.spec.grid, backbone.spec.image_size
    clean = image_scores(anomaly_maps(patch_scores(good[0], grid), grid, size)).numpy()
    features, masks = join([good, varied])
    raw = image_scores(anomaly_maps(patch_scores(features, grid), grid, size)).numpy()
    defective = masks.any(axis=(1, 2))
    decision = decide_images(raw)
    return {
        "part": part,
        "seed": seed,
        "good": int((~defective).sum()),
        "defective": int(defective.sum()),
        "clean_lot_flagged": int(decide_images(clean).flagged.sum()),
        "false_alarms": int((decision.flagged & ~defective).sum()),
        "missed": int((~decision.flagged & defective).sum()),
        "overlapping": int((raw[defective] <= raw[~defective].max()).sum()),
    }


def group_row(lot: Any, repeated: int, backbone: Backbone) -> dict[str, Any]:
    """One lot whose last `repeated` images share a flaw, with and without handling of groups."""
    grid, size = backbone.spec.grid, backbone.spec.image_size
    features, masks = lot
    defective = masks.any(axis=(1, 2))
    shared = np.arange(len(masks)) >= len(masks) - repeated
    found = groups_of(features, grid)
    grouped = found.of_image > 0
    figures: dict[str, Any] = {
        "groups": found.count,
        "recall": float(grouped[shared].mean()) if repeated else float("nan"),
        "precision": float(shared[grouped].mean()) if grouped.any() else float("nan"),
        "good_in_groups": int((grouped & ~defective).sum()),
    }
    plain = patch_scores(features, grid)
    handled = patch_scores(features, grid, found.patches) if grouped.any() else plain
    for name, scores in (("", plain), ("_handled", handled)):
        maps = anomaly_maps(scores, grid, size)
        figures[f"image_auroc{name}"] = image_metrics(defective, image_scores(maps).numpy())["auroc"]
        figures[f"pixel_auroc{name}"] = pixel_metrics(masks, maps.numpy())["auroc"]
    return figures


def measure_lots(
    parts: list[str], kinds: list[str], seeds: range, images: int, backbone: Backbone
) -> dict[str, list[Any]]:
    """All lots of generated parts: the rows of the decision table and of the group table."""
    size = backbone.spec.image_size[0]
    decisions, groups = [], []
    for part in parts:
        for seed in seeds:
            draw: dict[str, Any] = {"seed": seed, "size": size}
            most = round(max(SHARES) * images)
            good = extracted((draw_part(part, None, number=n, **draw) for n in range(images)), backbone)
            varied_count = -(-round(0.15 * images) // len(KINDS)) * len(KINDS)
            varied = extracted(
                (draw_part(part, list(KINDS)[n % 5], number=n // 5, **draw) for n in range(varied_count)), backbone
            )
            decisions.append(decision_row(part, seed, first(good, images - varied_count), varied, backbone))
            for kind in kinds:
                for moved in (False, True):
                    flawed = extracted(
                        (draw_repeated(part, kind, number=n, moved=moved, **draw) for n in range(most)), backbone
                    )
                    for share in SHARES if not (moved and kind != kinds[0]) else SHARES[1:]:
                        if share == 0.0 and (moved or kind != kinds[0]):
                            continue
                        repeated = round(share * images)
                        whole = [
                            first(good, images - VARIED - repeated),
                            first(varied, VARIED),
                            first(flawed, repeated),
                        ]
                        figures = group_row(join(whole), repeated, backbone)
                        about = {"part": part, "seed": seed, "kind": kind, "moved": moved, "share": share}
                        groups.append({**about, **figures})
            print(f"  {part} {seed} done", flush=True)
    return {"decisions": decisions, "groups": groups}


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal, skewness 0": lambda rng, count: rng.normal(size=count),
    "gamma(4), skewness 1.0": lambda rng, count: rng.gamma(4, size=count),
    "Gumbel, skewness 1.1": lambda rng, count: rng.gumbel(size=count),
    "log-normal(0.5), skewness 1.8": lambda rng, count: np.exp(0.5 * rng.normal(size=count)),
    "exponential, skewness 2": lambda rng, count: rng.exponential(size=count),
}


def simulate_scores(lot_count: int) -> list[dict[str, Any]]:
    """The decision rule on drawn scores; defects lie 3 to 9 standard deviations above the median."""
    rows = []
    for name, draw in DISTRIBUTIONS.items():
        for image_count in (10, 30, 100, 400):
            rng = np.random.default_rng(1)
            flagged_clean = [
                bool(decide_images(shifted(draw(rng, image_count))).flagged.any()) for _ in range(lot_count)
            ]
            row: dict[str, Any] = {"distribution": name, "images": image_count}
            row["clean_lots_flagged"] = float(np.mean(flagged_clean))
            for share in (0.05, 0.15, 0.3):
                false_alarms, missed = zip(
                    *(mixed(draw, rng, image_count, share) for _ in range(lot_count)), strict=True
                )
                row[f"false_alarms_{share}"], row[f"missed_{share}"] = np.mean(false_alarms), np.mean(missed)
            rows.append(row)
    return rows


def mixed(
    draw: Callable[[np.random.Generator, int], np.ndarray], rng: np.random.Generator, image_count: int, share: float
) -> tuple[int, float]:
    """False alarms, and the part of the defects missed, in one lot."""
    defects = max(1, round(share * image_count))
    good = draw(rng, image_count - defects)
    typical = draw(rng, 2000)
    bad = np.median(typical) + typical.std() * rng.uniform(3, 9, defects)
    flagged = decide_images(shifted(np.concatenate([good, bad]))).flagged
    return int(flagged[: len(good)].sum()), float((~flagged[len(good) :]).mean())


def shifted(scores: np.ndarray) -> np.ndarray:
    """Scores as distances look: positive, with a small spread."""
    return 0.5 + 0.01 * scores


def show(figures: dict[str, list[dict[str, Any]]]) -> None:
    """Print the three tables as Markdown."""
    rows = figures["decisions"]
    print("\n| lots | clean lots with a flag | false alarms per lot | missed | beyond any threshold |")
    print("|---|---|---|---|---|")
    for part in dict.fromkeys(row["part"] for row in rows):
        of = [row for row in rows if row["part"] == part]
        total = {name: sum(row[name] for row in of) for name in ("defective", "missed", "overlapping", "false_alarms")}
        clean = sum(row["clean_lot_flagged"] > 0 for row in of)
        print(
            f"| {part}, {len(of)} of {of[0]['good']} + {of[0]['defective']} | {clean} of {len(of)} "
            f"| {total['false_alarms'] / len(of):.2f} | {total['missed']} of {total['defective']} "
            f"| {total['overlapping']} of {total['defective']} |"
        )
    print("\n| good scores | N | clean lots flagged | false alarms / missed at 5 % | at 15 % | at 30 % |")
    print("|---|---|---|---|---|---|")
    for row in figures["simulated"]:
        mixes = " | ".join(f"{row[f'false_alarms_{s}']:.2f} / {row[f'missed_{s}']:.0%}" for s in (0.05, 0.15, 0.3))
        print(f"| {row['distribution']} | {row['images']} | {row['clean_lots_flagged']:.1%} | {mixes} |")
    print("\n| repeated flaw | share | recall | precision | good in groups | image AUROC | then | pixel AUROC | then |")
    print("|---|---|---|---|---|---|---|---|---|")
    for key in dict.fromkeys((row["kind"], row["moved"], row["share"]) for row in figures["groups"]):
        of = [row for row in figures["groups"] if (row["kind"], row["moved"], row["share"]) == key]
        values = {name: np.array([row[name] for row in of]) for name in of[0] if name not in ("part", "kind")}
        kind, moved, share = key
        what = f"{kind}, {'varied places' if moved else 'same place'}" if share else "none"
        means = {
            name: f"{value[~np.isnan(value)].mean():.2f}" for name, value in values.items() if not np.isnan(value).all()
        }
        print(
            f"| {what} | {share:.0%} | {means.get('recall', '–')} | {means.get('precision', '–')} "
            f"| {values['good_in_groups'].sum()} | "
            + " | ".join(
                f"{values[f'{level}_auroc{suffix}'].mean():.4f}"
                for level in ("image", "pixel")
                for suffix in ("", "_handled")
            )
            + " |"
        )
    harm = [
        row[f"{level}_auroc"] - row[f"{level}_auroc_handled"]
        for row in figures["groups"]
        for level in ("image", "pixel")
        if not row["share"]
    ]
    print(f"\nLargest loss on {len(harm) // 2} lots without a repeated flaw: {max(harm):.4f}")


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--parts", default="cast,woven,brushed")
    options.add_argument("--kinds", default="stain,pit", help="of the repeated flaw")
    options.add_argument("--seeds", type=int, default=4, help="lots of each part")
    options.add_argument("--first-seed", type=int, default=2, help="the rules' constants were chosen on seeds 0 and 1")
    options.add_argument("--images", type=int, default=60)
    options.add_argument("--size", type=int, default=128, help="pixels")
    options.add_argument("--clean-lots", type=int, default=400, help="lots of simulated scores of each kind")
    options.add_argument("--json", help="file for the figures")
    given = options.parse_args()
    backbone = backbones.load("texture", image_size=given.size, device="cpu")
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    figures = measure_lots(given.parts.split(","), given.kinds.split(","), seeds, given.images, backbone)
    figures["simulated"] = simulate_scores(given.clean_lots) if given.clean_lots else []
    show(figures)
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump(figures, file)


if __name__ == "__main__":
    main()
