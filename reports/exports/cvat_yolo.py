"""Marked images as CVAT's XML (images 1.1) and as YOLO's labels, boxes or outlines; no photograph is copied."""

import html
import io
import json
import re
import zipfile
from collections.abc import Sequence
from itertools import count
from pathlib import PurePosixPath

from reports.exports.csv_coco_labelstudio import Marked, bounds
from storage.images.drawn_shapes import BOX
from storage.results.verdicts import DEFECTIVE, GOOD

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""
DATA_YAML = "path: .\ntrain: images.txt\nval: images.txt\nnames:\n"


def as_cvat(marked: Sequence[Marked], title: str, source: str, kinds: Sequence[str] = ()) -> bytes:
    """Images, each with its label and its kind as tags and its places as boxes and polygons.

    Args:
        title: of the task.
        source: who made the marks, as CVAT has it: `manual` or `auto`.
        kinds: every kind that an image may have; they are labels of the task too.
    """
    names = (DEFECTIVE, GOOD, *kinds)
    labels = "".join(f"<label><name>{escaped(name)}</name><type>any</type></label>" for name in names)
    task = f"<task><name>{escaped(title)}</name><size>{len(marked)}</size><labels>{labels}</labels></task>"
    images = "".join(cvat_image(number, image, source) for number, image in enumerate(marked))
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
    return f"{head}<meta>{task}</meta>\n{images}</annotations>\n".encode()


def cvat_image(number: int, marked: Marked, source: str) -> str:
    """One image as CVAT has it, with a line for each mark."""
    image = marked.image
    lines = [f'<tag label="{escaped(name)}" source="{source}"/>' for name in (marked.label, marked.kind) if name]
    shared = f'label="{escaped(marked.place_label)}" source="{source}" occluded="0" z_order="0"'
    for region in marked.regions:
        if region["shape"] == BOX:
            left, top, right, bottom = bounds(region["points"])
            lines.append(f'<box {shared} xtl="{left:.2f}" ytl="{top:.2f}" xbr="{right:.2f}" ybr="{bottom:.2f}"/>')
        else:
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in region["points"])
            lines.append(f'<polygon {shared} points="{points}"/>')
    size = f'width="{image.width}" height="{image.height}"'
    return f'<image id="{number}" name="{escaped(image.path)}" {size}>\n' + "\n".join(lines) + "\n</image>\n"


def escaped(text: str) -> str:
    r"""A text for an attribute or an element of XML; what XML cannot hold becomes U+FFFD.

    >>> escaped('<a> & "b"\n')
    '&lt;a&gt; &amp; &quot;b&quot;&#10;'
    """
    safe = html.escape(NOT_IN_XML.sub("\ufffd", text))
    return safe.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")


def as_yolo(marked: Sequence[Marked], *, outlines: bool, kinds: Sequence[str] = ()) -> bytes:
    """A ZIP archive of `data.yaml`, `images.txt` and a label file for each image; the lot's folder belongs beside them
    as `images`.

    Good images have an empty file. Defective ones in which nothing is marked are left out: YOLO would take them for
    good ones, with or without a file.

    Args:
        outlines: whether places are polygons (YOLO's segments) instead of boxes.
        kinds: every kind that an image may have; they are classes from 1 on, in this order, behind `defective`, 0.

    Raises:
        ValueError: if two images would share a label file, or a name is none that a list of lines can hold.
    """
    kept = [image for image in marked if image.label == GOOD or (image.label == DEFECTIVE and image.regions)]
    files: dict[str, Marked] = {}
    classes = (DEFECTIVE, *kinds)
    for image in kept:
        path = image.image.path
        if path.splitlines() != [path] or any("\ud800" <= sign <= "\udfff" for sign in path):
            raise ValueError(f"names of images must be one line of text for YOLO, got {path!r}; rename the file")
        other = files.setdefault(label_file(path), image)
        if other is not image:
            names = f"{other.image.path!r} and {path!r}"
            raise ValueError(f"names of images must differ before their suffix for YOLO, got {names}; rename one")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("data.yaml"), DATA_YAML + "".join(map(yaml_line, count(), classes)))
        archive.writestr(zipfile.ZipInfo("images.txt"), "".join(f"./images/{image.image.path}\n" for image in kept))
        for file, image in files.items():
            archive.writestr(
                zipfile.ZipInfo(file), yolo_lines(image, classes.index(image.place_label), outlines=outlines)
            )
    return buffer.getvalue()


def label_file(path: str) -> str:
    """Where YOLO looks for the label of an image: the last folder `images` of its path becomes `labels`.

    >>> label_file("a/b.png"), label_file("images/b.png")
    ('labels/a/b.txt', 'images/labels/b.txt')
    """
    head, _, tail = f"/images/{PurePosixPath(path).with_suffix('.txt')}".rpartition("/images/")
    return f"{head}/labels/{tail}".removeprefix("/")


def yaml_line(number: int, name: str) -> str:
    r"""A class in `data.yaml`; its name in quotes where YAML could take it for something else.

    >>> yaml_line(0, "defective"), yaml_line(1, "dent: 7")
    ('  0: defective\n', '  1: "dent: 7"\n')
    """
    return f"  {number}: {name if name == DEFECTIVE else json.dumps(name, ensure_ascii=False)}\n"


def yolo_lines(marked: Marked, number: int, *, outlines: bool) -> str:
    """The marks of an image, a line each: the class, then a box or corners as fractions of the image's sides."""
    lines = []
    for region in marked.regions if marked.label == DEFECTIVE else ():
        points = [
            (min(max(x / marked.image.width, 0.0), 1.0), min(max(y / marked.image.height, 0.0), 1.0))
            for x, y in region["points"]
        ]
        left, top, right, bottom = bounds(points)
        box = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        values = [value for point in points for value in point] if outlines else box
        lines.append(" ".join([str(number), *(f"{value:.6f}" for value in values)]) + "\n")
    return "".join(lines)
