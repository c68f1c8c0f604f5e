"""Which images a lot is scored against besides its own: accepted ones of earlier runs, and known good ones."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from musc.decisions.decision_words import Decision
from musc.layers import BackboneSpec
from planning.lot_job import LotJob, backbone_identity
from planning.task_specs import BlockRows, ExtractSpec
from reports.run_record import RunRecord, read_record
from storage.artefacts import is_complete
from storage.images.lots import ListedImage, load_usable
from storage.results.features import BlockRow, LotFeatures
from storage.results.runs import Run
from storage.store import Store

log = logging.getLogger(__name__)


def earlier_references(
    job: LotJob, images: Sequence[ListedImage], good: Sequence[ExtractSpec] = ()
) -> tuple[BlockRows, ...]:
    """The accepted images of the runs a job names, and the good ones, each once and none from the lot itself.

    A copy of an image must not vouch for it, so what the lot holds already is left out.

    Args:
        job: names the runs in `references_from`, and images in `judged_good`.
        good: the extracted blocks of the job's known good images.

    Returns:
        Rows of stored blocks, sorted, so that the same images always give the same keys.

    Raises:
        ValueError, IncompleteError: as `placed_references`.
    """
    return rows_of(placed_references(job, good), {image.sha256 for image in images})


def placed_references(job: LotJob, good: Sequence[ExtractSpec] = ()) -> list[tuple[ListedImage, BlockRow]]:
    """The images that serve a job as references besides its own, and where their features lie, some more than once.

    Args:
        job: of one image size, or its largest is taken.
        good: the extracted blocks of the job's known good images.

    Raises:
        ValueError: if a run is not in the store, was scored as tiles, or has other features than the job.
        IncompleteError: if a run's features are gone.
    """
    store = Store(job.store)
    references: list[tuple[ListedImage, BlockRow]] = []
    for path in job.settings.references_from:
        run = require_run(store, path)
        record = read_record(run)
        require_untiled(path, record.job)
        require_same_backbone(path, record, job.backbone)
        scores = run.scores()
        accepted = set(scores.loc[scores["decision"] == Decision.ACCEPTED, "path"])
        references += [entry for entry in placed_images(run, job.backbone) if entry[0].path in accepted]
    for images_judged in job.judged_good:
        judged_ids, run = set(images_judged.image_ids), Run(store, images_judged.run)
        references += [entry for entry in placed_images(run, job.backbone) if entry[0].image_id in judged_ids]
    if job.good and good:
        references += placed_in([spec.path for spec in good], load_usable(store, job.good.listing), store)
    return references


def lot_references(
    job: LotJob, blocks: Sequence[ExtractSpec], images: Sequence[ListedImage], good: Sequence[ListedImage]
) -> tuple[BlockRows, ...]:
    """The images of a lot as references of its known good ones, each once and no copies of these.

    Good images are scored against what the lot's are scored against, so that a good part of the lot scores like them.
    Where the lot takes a sample of its images for references, they are scored against each other alone.

    Args:
        blocks: of the lot, extracted.
    """
    if job.settings.references is not None or job.settings.tile is not None:
        return ()
    references = placed_in([spec.path for spec in blocks], images, Store(job.store))
    return rows_of(references, {image.sha256 for image in good})


def rows_of(references: Iterable[tuple[ListedImage, BlockRow]], excluded: set[str]) -> tuple[BlockRows, ...]:
    """Rows of stored blocks, sorted, of images each once and none of those seen before.

    Args:
        references: images and where their features lie.
        excluded: SHA-256 of the images scored.
    """
    rows, known = defaultdict(list), set(excluded)
    for image, (block, row) in references:
        if image.sha256 in known:
            log.debug("%s is no reference: the lot, or another reference, has the same bytes", image.path)
        else:
            known.add(image.sha256)
            rows[block].append(row)
    return tuple(BlockRows(block, tuple(sorted(rows[block]))) for block in sorted(rows))


def placed_images(run: Run, backbone: BackboneSpec) -> list[tuple[ListedImage, BlockRow]]:
    """Every scored image of a run and where its features by a backbone lie, in the order of its listing."""
    block_rows = LotFeatures(run.store, read_record(run).features_of(backbone)).block_rows
    return list(zip(run.scored_images(), block_rows, strict=True))


def placed_in(blocks: Sequence[str], images: Sequence[ListedImage], store: Store) -> list[tuple[ListedImage, BlockRow]]:
    """Every image with usable features, of those that were extracted into blocks, and where its features lie."""
    features = LotFeatures(store, tuple(blocks))
    excluded = {image.position for image in features.exclusions}
    usable = (image for position, image in enumerate(images) if position not in excluded)
    return list(zip(usable, features.block_rows, strict=True))


def require_run(store: Store, path: str) -> Run:
    """A finished run, named by its path in the store or with the store's own path in front.

    Raises:
        ValueError: if there is none.
    """
    inside = store.inside(path)
    if not is_complete(store, inside):
        raise ValueError(
            f"references_from must name finished runs of the store {store.url}, such as runs/monday-0a1b2c3d, "
            f"got {path}; see the folders in its runs"
        )
    return Run(store, inside)


def require_untiled(path: str, past: LotJob) -> None:
    """Refuse a run whose features are those of tiles, each larger than it would be in a whole image.

    Raises:
        ValueError: if its images were scored as tiles.
    """
    if past.settings.tile is not None:
        raise ValueError(
            f"references_from must name runs whose images were scored whole, got {path}, which was scored as tiles of "
            f"{past.settings.tile} pixels; score that lot again without tile, or leave it out"
        )


def require_same_backbone(path: str, record: RunRecord, backbone: BackboneSpec) -> None:
    """Refuse features that cannot be compared: those of a run that has none of the backbone at this image size.

    Raises:
        ValueError: naming what differs, with both values.
    """
    if record.features_of(backbone):
        return
    ours, theirs = backbone_identity(backbone), backbone_identity(record.job.backbone)
    their_texts, our_texts = option_texts(theirs), option_texts(ours)
    different = [name for name in their_texts if their_texts[name] != our_texts[name]]
    named = different[:1] if "backbone" in different else different  # all others follow from another network
    texts = " and ".join(f"{name} {their_texts[name]}, here {our_texts[name]}" for name in named)
    raise ValueError(
        f"references_from must name runs with the features of this lot's backbone, got {path} with "
        f"{texts or 'other features'}; give the same options as that run, or score its lot again with these"
    )


def option_texts(backbone: Mapping[str, Any]) -> dict[str, str]:
    """What decides a backbone's features, by the options that choose it, as people write their values."""
    height, width = backbone["image_size"]
    numbers = ",".join(str(layer["number"]) for layer in backbone["layers"])
    return {
        "backbone": str(backbone["name"]),
        "weights": str(backbone["weights_digest"]),
        "image_size": f"{height}x{width}",
        "layers": numbers,
        "quick_gelu": str(backbone["activation"]),
        "position_antialias": str(backbone["position_antialias"]),
        "precision": str(backbone["precision"]),
    }
