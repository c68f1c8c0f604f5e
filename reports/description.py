"""What was run, in words: one description for the report, the site and README.txt, made from the run's own options."""

from collections.abc import Iterable, Mapping
from typing import Any

from musc.settings.pydantic_options import Options
from planning.lot_job import LotJob
from reports.languages.current import gettext as _
from reports.languages.numbers import local_moment
from reports.languages.sentences import translated
from reports.run_record import RunRecord
from reports.sentences import thresholds
from storage.images.lots import USABLE

OF_THE_NETWORK = ("backbone", "weights", "image_size", "layers")
"""Options that are described as what came of them."""

Description = dict[str, dict[str, str]]
"""Name and text of everything, by heading."""


def describe_run(record: RunRecord) -> Description:
    """Everything that decides a run's results, every option included, and what it was made from."""
    job, backbone = record.job, record.job.backbone
    notes = " ".join(map(translated, record.notes))
    sections: dict[str, Mapping[str, object]] = {
        _("Lot"): {
            _("lot"): job.lot,
            _("product"): job.category,
            **({_("benchmark"): job.dataset} if job.dataset else {}),
            _("folder"): job.folder,
            _("scored"): local_moment(record.recorded),
            **{
                _("files %(status)s", status=_(status.replace("_", " "))): count
                for status, count in in_order(record.images)
            },
        },
        _("Network"): {
            "backbone": backbone.name,
            "weights": f"{backbone.weights} ({backbone.weights_digest})",
            "pixels": sizes_in_words(job),
            **({"kept_size": "; ".join(kept.text for kept in job.kept_sizes)} if job.kept_sizes else {}),
            **({"smallest_flaw": job.flaw_size.text} if job.flaw_size else {}),
            "layers": tuple(layer.number for layer in backbone.layers),
            "precision": backbone.precision,
            **({_("note"): notes} if record.notes else {}),
        },
        _("Settings"): {
            **option_values(job.settings, without=(*OF_THE_NETWORK, "precision", "references_from")),
            **({_("accepted for the product"): translated(job.of_product.text)} if job.of_product else {}),
            "subsets": job.subsets,
            _("region"): describe_region(job),
            _("further references"): describe_references(job),
        },
        _("Decision"): {
            **option_values(job.decisions),
            _("thresholds"): thresholds(record.decision, record.accepted_threshold),
            _("earlier nights used"): len(record.decision.nights),
        },
        _("Keys"): {
            _("settings digest"): record.settings_digest,
            _("run key"): record.keys.run,
            _("listing key"): record.keys.listing,
        },
        _("Versions"): record.versions,
    }
    return {heading: {name: text_of(value) for name, value in values.items()} for heading, values in sections.items()}


def sizes_in_words(job: LotJob) -> str:
    """Height and width in pixels at which a network saw the images, of every image size."""
    return _(" and ").join("{} x {}".format(*backbone.image_size) for backbone in job.backbones)


def in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Numbers of files by status, those that were scored first."""
    return sorted(counts.items(), key=lambda item: (item[0] != USABLE, item[0]))


def option_values(options: Options, without: Iterable[str] = ()) -> dict[str, object]:
    """Every option by name, with its value, but for those named."""
    return {name: getattr(options, name) for name in type(options).model_fields if name not in without}


def describe_region(job: LotJob) -> str:
    """Which part of the photographs was looked at."""
    if job.region is None:
        return _("all of each photograph")
    if not job.region.path:
        inside = _("all of each photograph")
    elif job.region.each:
        inside = _("a mask for each photograph in %(path)s", path=job.region.path)
    else:
        inside = _("the mask %(path)s", path=job.region.path)
    if not job.region.ignored:
        return inside
    return _("%(inside)s, without the places drawn in %(path)s", inside=inside, path=job.region.ignored)


def describe_references(job: LotJob) -> str:
    """Which images a lot was scored against besides its own."""
    runs, good = job.settings.references_from, job.judged_good
    count = sum(len(images.image_ids) for images in good)
    judged = _("%(count)s images judged good in earlier runs", count=count) if good else ""
    accepted = _("accepted images of %(runs)s", runs=", ".join(runs)) if runs else ""
    known = _("photographs of good parts in %(folder)s", folder=job.good.folder) if job.good else ""
    return "; ".join(text for text in (accepted, judged, known) if text) or _("none")


def text_of(value: Any) -> str:
    """A value as people write it.

    >>> text_of((1, 3)), text_of(None), text_of(0.5), text_of(True), text_of(())
    ('1, 3', 'not set', '0.5', 'yes', 'not set')
    """
    if isinstance(value, tuple | list):
        return ", ".join(map(text_of, value)) or _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _("not set") if value is None else str(value)
