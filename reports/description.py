"""What was run, in words: one description for the report, the site and README.txt, made from the run's own options."""

from collections.abc import Iterable, Mapping
from typing import Any

from musc.pydantic_options import Options
from planning.lot_job import LotJob
from reports.run_record import RunRecord
from reports.sentences import thresholds
from storage.images.lots import USABLE
from storage.local_time import local_time

OF_THE_NETWORK = ("backbone", "weights", "image_size", "layers")
"""Options that are described as what came of them."""

Description = dict[str, dict[str, str]]
"""Name and text of everything, by heading."""


def describe_run(record: RunRecord) -> Description:
    """Everything that decides a run's results, every option included, and what it was made from."""
    job, backbone = record.job, record.job.backbone
    sections: dict[str, Mapping[str, object]] = {
        "Lot": {
            "lot": job.lot,
            "product": job.category,
            **({"benchmark": job.dataset} if job.dataset else {}),
            "folder": job.folder,
            "scored": local_time(record.recorded),
            **{f"files {status.replace('_', ' ')}": count for status, count in in_order(record.images)},
        },
        "Network": {
            "backbone": backbone.name,
            "weights": f"{backbone.weights} ({backbone.weights_digest})",
            "pixels": sizes_in_words(job),
            **({"kept_size": "; ".join(kept.text for kept in job.kept_sizes)} if job.kept_sizes else {}),
            "layers": tuple(layer.number for layer in backbone.layers),
            "precision": backbone.precision,
            **({"note": " ".join(record.notes)} if record.notes else {}),
        },
        "Settings": {
            **option_values(job.settings, without=(*OF_THE_NETWORK, "precision", "references_from")),
            **({"accepted for the product": job.of_product.text} if job.of_product else {}),
            "subsets": job.subsets,
            "region": describe_region(job),
            "further references": describe_references(job),
        },
        "Decision": {
            **option_values(job.decisions),
            "thresholds": thresholds(record.decision, record.accepted_threshold),
            "earlier nights used": len(record.decision.nights),
        },
        "Keys": {
            "settings digest": record.settings_digest,
            "run key": record.keys.run,
            "listing key": record.keys.listing,
        },
        "Versions": record.versions,
    }
    return {heading: {name: text_of(value) for name, value in values.items()} for heading, values in sections.items()}


def sizes_in_words(job: LotJob) -> str:
    """Height and width in pixels at which a network saw the images, of every image size."""
    return " and ".join("{} x {}".format(*backbone.image_size) for backbone in job.backbones)


def in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Numbers of files by status, those that were scored first."""
    return sorted(counts.items(), key=lambda item: (item[0] != USABLE, item[0]))


def option_values(options: Options, without: Iterable[str] = ()) -> dict[str, object]:
    """Every option by name, with its value, but for those named."""
    return {name: getattr(options, name) for name in type(options).model_fields if name not in without}


def describe_region(job: LotJob) -> str:
    """Which part of the photographs was looked at."""
    if job.region is None:
        return "all of each photograph"
    masks = "a mask for each photograph in " if job.region.each else "the mask "
    inside = f"{masks}{job.region.path}" if job.region.path else "all of each photograph"
    return f"{inside}, without the places drawn in {job.region.ignored}" if job.region.ignored else inside


def describe_references(job: LotJob) -> str:
    """Which images a lot was scored against besides its own."""
    runs, good = job.settings.references_from, job.judged_good
    judged = f"{sum(len(images.image_ids) for images in good)} images judged good in earlier runs" if good else ""
    accepted = f"accepted images of {', '.join(runs)}" if runs else ""
    known = f"photographs of good parts in {job.good.folder}" if job.good else ""
    return "; ".join(text for text in (accepted, judged, known) if text) or "none"


def text_of(value: Any) -> str:
    """A value as people write it.

    >>> text_of((1, 3)), text_of(None), text_of(0.5), text_of(True), text_of(())
    ('1, 3', 'not set', '0.5', 'yes', 'not set')
    """
    if isinstance(value, tuple | list):
        return ", ".join(map(text_of, value)) or "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not set" if value is None else str(value)
