"""A store as large as a year's corner of a factory: written file by file, without scoring anything."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from musc.decisions.decision_words import Basis
from musc.layers import BackboneSpec, Layer
from reports.run_record import RunRecord, night_of
from storage.artefacts import writing
from storage.images.lots import ListedImage
from storage.results.patch_scores import write_scores
from storage.results.profiles import Profile, profile_path, write_profile
from storage.results.runs import BOXES, IMAGES, PATCH_SCORES, SCORES, write_record
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store
from storage.tables import write_table
from tests import flat
from tests.flat import chosen, job_of

GRID = (40, 40)
SIZE = 320
THRESHOLD = 0.6


def write_night(store: Store, folder: Path, category: str, night: int, image_count: int, verdict_count: int) -> str:
    """A run as scoring leaves it, its profile, and verdicts about its highest scores; returns the run's name.

    All images share the bytes of one photograph in `folder`, called `photograph.png`.
    """
    rng = np.random.default_rng([night, image_count, len(category)])
    raw = np.sort(rng.gumbel(0.4, 0.03, image_count))[::-1].astype(np.float32)
    photograph = folder / "photograph.png"
    sha256 = hashlib.sha256(photograph.read_bytes()).hexdigest()
    date, key = f"2026-{9 + night // 30:02d}-{1 + night % 30:02d}", f"{night:08x}{len(category):024x}"
    ids = [f"{number:016x}" for number in range(image_count)]
    paths = [f"{number:05d}.png" for number in range(image_count)]
    for path in paths if image_count > 1000 else []:
        (folder / path).hardlink_to(photograph)
    images = [ListedImage(one, path, sha256, SIZE, SIZE, "ok", "") for one, path in zip(ids, paths, strict=True)]
    flagged = raw >= THRESHOLD
    lot, name = f"{category}-{date}", f"{category}-{date}-{key[:8]}"
    recorded = f"{date}T04:05:06.000007+00:00"
    table = pd.DataFrame(
        {
            "image_id": ids,
            "path": paths,
            "raw_score": raw,
            "score": np.linspace(1, 0, image_count),
            "rank": np.arange(1, image_count + 1),
            "peak_x": 10,
            "peak_y": 20,
            "decision": np.where(flagged, "flagged", "accepted"),
            "p_value": 1 - raw / 2,
            "threshold": THRESHOLD,
            "group": 0,
        }
    )
    record = record_of(lot, category, folder, recorded, image_count, int(flagged.sum()), key)
    with writing(store, f"runs/{name}") as staging:
        write_table(store, f"{staging.path}/{SCORES}", table)
        write_table(store, f"{staging.path}/{IMAGES}", pd.DataFrame([vars(image) for image in images]))
        write_table(store, f"{staging.path}/{BOXES}", pd.DataFrame({"image_id": pd.Series([], dtype="string")}))
        scores = rng.random((image_count, *GRID), dtype=np.float32) * raw[:, None, None]
        write_scores(store, f"{staging.path}/{PATCH_SCORES}", scores, {})
        write_record(store, staging.path, record)
    write_night_profile(store, f"runs/{name}", record, raw, ids, rng)
    for one, path, score, said in zip(ids, paths, raw, flagged, strict=True):
        if int(one, 16) < verdict_count:
            verdict = "defective" if score > THRESHOLD + 0.02 else "good"
            decision = "flagged" if said else "accepted"
            shared = {"sha256": sha256, "category": category, "name": "Ada", "decision": decision}
            add_verdict(store, Verdict(f"runs/{name}", one, path, raw_score=float(score), verdict=verdict, **shared))
    return name


def write_night_profile(
    store: Store, run: str, record: dict[str, Any], raw: np.ndarray, ids: list[str], rng: np.random.Generator
) -> None:
    """What later nights are compared with."""
    night = night_of(RunRecord.model_validate(record))
    path = profile_path(f"series-{record['job']['category']}", night, record["recorded"], record["keys"]["run"])
    appearance = pd.DataFrame({"image_id": ids, "brightness": 0.5, "sharpness": 0.4})
    median, p90, p99 = (float(np.quantile(raw, part)) for part in (0.5, 0.9, 0.99))
    profile = Profile(
        run=run,
        lot=record["job"]["lot"],
        recorded=record["recorded"],
        listing=record["keys"]["listing"],
        image_count=len(raw),
        flagged_count=record["decision"]["flagged_count"],
        flagged_rate=record["decision"]["flagged_count"] / len(raw),
        score_median=median,
        score_p90=p90,
        score_p99=p99,
        brightness=0.5,
        sharpness=0.4,
        mean_class_token=rng.normal(1, 0.01, 1280).tolist(),
    )
    with writing(store, path) as staging:
        write_profile(store, staging.path, profile, appearance)


def record_of(
    lot: str, category: str, folder: Path, recorded: str, image_count: int, flagged: int, key: str
) -> dict[str, Any]:
    """A run's record as plain values."""
    layers = (Layer(2, GRID, 40), Layer(3, (20, 20), 112))
    backbone = BackboneSpec("efficientnet-lite0", "imagenet", "d", (SIZE, SIZE), layers, 1280)
    job = job_of(folder=str(folder), lot=lot, category=category, backbone=backbone, settings=chosen())
    record = flat.record_of(
        job,
        recorded=recorded,
        warnings=("Planted warning.",) if flagged > 5 else (),
        images={"ok": image_count},
        keys={"run": key, "listing": key, "features": (f"features/{key}",), "patch_scores": (), "groups": ()},
        versions={"musc": "0.1.0"},
    )
    decided = {"threshold": THRESHOLD, "flagged_count": flagged, "pixel_threshold": 0.5}
    decision = record.decision.model_copy(update={"flag_basis": Basis.GIVEN, **decided})
    return record.model_copy(update={"decision": decision}).model_dump(mode="json")


def write_store(root: Path, *, nights: int, products: int, largest: int, verdicts: int) -> tuple[Store, str]:
    """A store of `nights` × `products` small lots, and one of `largest` images; returns it and the large lot's name.

    Args:
        verdicts: about the large lot, each a file of its own.
    """
    folder = root / "photographs"
    folder.mkdir(parents=True)
    Image.linear_gradient("L").resize((SIZE, SIZE)).convert("RGB").save(folder / "photograph.png")
    store = Store(str(root / "store"))
    for product in range(products):
        for night in range(nights):
            write_night(store, folder, f"product-{'abcdef'[product] * (product + 1)}", night, 200, 20)
    return store, write_night(store, folder, "product-a", nights, largest, verdicts)
