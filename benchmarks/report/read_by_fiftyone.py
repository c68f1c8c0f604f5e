"""What FiftyOne's own importers read from a run's exports, without a database: a line for each format.

    python -m venv /tmp/fiftyone && /tmp/fiftyone/bin/pip install fiftyone pycocotools      # 0.8 GB
    /tmp/fiftyone/bin/python benchmarks/report/read_by_fiftyone.py RUN LOT

RUN is the folder of a run with `--export coco,cvat,yolo,yolo-segments`, or some of them, LOT the folder of its
photographs. Nothing of this project is imported, so that FiftyOne's dependencies need not go with ours.
"""

import os
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"FIFTYONE_DATABASE_VALIDATION": "false", "FIFTYONE_DO_NOT_TRACK": "true"}
os.environ.setdefault("FIFTYONE_DATABASE_URI", "mongodb://127.0.0.1:1")  # which is never asked

PLACES = ("detections", "polylines", "classifications")


def coco(run: Path, lot: Path) -> Any:
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    kinds = ["detections", "segmentations"]
    return COCODetectionDatasetImporter(data_path=str(lot), labels_path=str(run / "coco.json"), label_types=kinds)


def cvat(run: Path, lot: Path) -> Any:
    from fiftyone.utils.cvat import CVATImageDatasetImporter

    return CVATImageDatasetImporter(data_path=str(lot), labels_path=str(run / "annotations.xml"))


def yolo(run: Path, lot: Path) -> Any:
    """The archive with the lot beside it."""
    from fiftyone.utils.yolo import YOLOv5DatasetImporter

    (archive,) = run.glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(run)
    (run / "images").symlink_to(lot.absolute())
    kind = "polylines" if "segments" in archive.name else "detections"
    return YOLOv5DatasetImporter(dataset_dir=str(run), yaml_path="data.yaml", split="train", label_type=kind)


READERS: dict[str, Callable[[Path, Path], Any]] = {"coco": coco, "cvat": cvat, "yolo": yolo, "yolo-segments": yolo}


def counted(labels: Any) -> Iterable[tuple[str, str]]:
    """What kind of mark and which label each mark of an image has."""
    for label in labels.values() if isinstance(labels, dict) else [labels]:
        for kind in PLACES:
            yield from ((kind, mark.label) for mark in getattr(label, kind, None) or [])


def main(arguments: Sequence[str]) -> None:
    run, lot = map(Path, arguments)
    for kind, reader in READERS.items():
        if not (run / f"export-{kind}").is_dir():
            continue
        with tempfile.TemporaryDirectory() as place:
            for file in (run / f"export-{kind}").iterdir():
                (Path(place) / file.name).write_bytes(file.read_bytes())
            marks: Counter[tuple[str, str]] = Counter()
            images = 0
            with reader(Path(place), lot) as importer:
                for *_, labels in importer:
                    images += 1
                    marks.update(counted(labels))
        told = ", ".join(f"{count} {name} {label!r}" for (name, label), count in sorted(marks.items()))
        print(f"{kind}: {images} images; {told or 'no marks'}")


if __name__ == "__main__":
    main(sys.argv[1:])
