"""MVTec AD 2, Real-IAD and KolektorSDD: generated parts laid out as these sets are, and what is said of others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.datasets import LabelledImage, list_categories, load_mask_at
from storage.datasets.synthetic.lot import draw_part
from storage.errors import DatasetLayoutError

SIZE = 64


def write_pair(image: Path, mask: Path | None, number: int, *, defective: bool, value: int = 255) -> None:
    """Draw a generated part, and its mask unless there is none."""
    picture, marked = draw_part("cast", "scratch" if defective else None, number=number, size=SIZE)
    image.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(image)
    if mask is not None:
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(marked.astype(np.uint8) * np.uint8(value)).save(mask)


def told(dataset: str, root: Path) -> list[tuple[str, str, int, list[str]]]:
    (category,) = list_categories(dataset, root)
    return [(one.path, one.defect_type, one.label, [mask.path for mask in one.masks]) for one in category.images]


def require_masks_are_those_drawn(dataset: str, root: Path) -> None:
    (category,) = list_categories(dataset, root)
    for image in category.images:
        marks = load_mask_at(root, image, (SIZE, SIZE), dataset).any()
        assert marks == bool(image.label), image.path


def problems(dataset: str, root: Path) -> str:
    with pytest.raises(DatasetLayoutError) as caught:
        list_categories(dataset, root)
    return str(caught.value)


@pytest.fixture
def mvtec_ad_2(tmp_path: Path) -> Path:
    test = tmp_path / "vial" / "test_public"
    for number, lighting in enumerate(("regular", "overexposed")):
        write_pair(test / "good" / f"000_{lighting}.png", None, number, defective=False)
        name = f"000_{lighting}"
        mask = test / "ground_truth" / "bad" / f"{name}_mask.png"
        write_pair(test / "bad" / f"{name}.png", mask, number, defective=True)
    write_pair(tmp_path / "vial" / "test_private" / "000_regular.png", None, 5, defective=False)
    return tmp_path


@pytest.fixture
def real_iad(tmp_path: Path) -> Path:
    entries: list[dict[str, Any]] = []
    for number, kind in enumerate(("OK", "OK", "AK", "HS")):
        place = "OK" if kind == "OK" else f"NG/{kind}"
        stem = f"{place}/S000{number}/mint_000{number}_{kind}_C1"
        folder = tmp_path / "realiad_1024" / "mint"
        mask = None if kind == "OK" else f"{stem}.png"
        write_pair(folder / f"{stem}.jpg", folder / mask if mask else None, number, defective=kind != "OK")
        entries.append({"category": "mint", "anomaly_class": kind, "image_path": f"{stem}.jpg", "mask_path": mask})
    write_split(tmp_path, entries)
    return tmp_path


def split_of(root: Path) -> Path:
    return root / "realiad_jsons" / "realiad_jsons" / "mint.json"


def write_split(root: Path, entries: list[dict[str, Any]]) -> None:
    split_of(root).parent.mkdir(parents=True, exist_ok=True)
    meta = {"normal_class": "OK", "prefix": "mint/"}
    split_of(root).write_text(json.dumps({"meta": meta, "train": [], "test": entries}), "utf-8")


def entries_of(root: Path) -> list[dict[str, Any]]:
    return list(json.loads(split_of(root).read_text("utf-8"))["test"])


@pytest.fixture(params=["kolektor_sdd", "kolektor_sdd2"])
def kolektor(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    for number in range(4):
        if request.param == "kolektor_sdd":
            image = tmp_path / f"kos0{1 + number // 2}" / f"Part{number}.jpg"
            mask = image.with_name(f"{image.stem}_label.bmp")
        else:
            image = tmp_path / "test" / f"2000{number}.png"
            mask = image.with_name(f"{image.stem}_GT.png")
        write_pair(image, mask, number, defective=number == 2, value=1)
    return request.param, tmp_path


def test_mvtec_ad_2_lists_the_public_test_images(mvtec_ad_2: Path) -> None:
    bad, masks = "vial/test_public/bad", "vial/test_public/ground_truth/bad"
    assert told("mvtec_ad_2", mvtec_ad_2) == [
        (f"{bad}/000_overexposed.png", "bad", 1, [f"{masks}/000_overexposed_mask.png"]),
        (f"{bad}/000_regular.png", "bad", 1, [f"{masks}/000_regular_mask.png"]),
        ("vial/test_public/good/000_overexposed.png", "good", 0, []),
        ("vial/test_public/good/000_regular.png", "good", 0, []),
    ]
    require_masks_are_those_drawn("mvtec_ad_2", mvtec_ad_2)


def test_mvtec_ad_2_names_what_does_not_fit(mvtec_ad_2: Path) -> None:
    assert "use its parent" in problems("mvtec_ad_2", mvtec_ad_2 / "vial")
    (mvtec_ad_2 / "vial/test_public/bad/000_regular.png").unlink()
    assert "ground_truth/bad/000_regular_mask.png belongs to no image" in problems("mvtec_ad_2", mvtec_ad_2)
    (mvtec_ad_2 / "vial/test_public/good").rename(mvtec_ad_2 / "vial/test_public/.aside")
    assert "vial/test_public/good holds no image" in problems("mvtec_ad_2", mvtec_ad_2)


def test_real_iad_lists_the_test_split(real_iad: Path) -> None:
    folder = "realiad_1024/mint"
    found = told("real_iad", real_iad)
    assert [(path.removeprefix(f"{folder}/"), kind, label, len(masks)) for path, kind, label, masks in found] == [
        ("NG/AK/S0002/mint_0002_AK_C1.jpg", "AK", 1, 1),
        ("NG/HS/S0003/mint_0003_HS_C1.jpg", "HS", 1, 1),
        ("OK/S0000/mint_0000_OK_C1.jpg", "OK", 0, 0),
        ("OK/S0001/mint_0001_OK_C1.jpg", "OK", 0, 0),
    ]
    require_masks_are_those_drawn("real_iad", real_iad)


def test_real_iad_paths_stay_inside_the_root(real_iad: Path) -> None:
    outside = {"anomaly_class": "OK", "image_path": "../../../secret.jpg", "mask_path": None}
    write_split(real_iad, [*entries_of(real_iad), outside])
    assert "mint.json test entry 4: image_path must stay inside the root" in problems("real_iad", real_iad)


def test_real_iad_names_what_does_not_fit(real_iad: Path) -> None:
    entries = entries_of(real_iad)
    write_split(real_iad, [*entries, entries[0]])
    assert "must name each image once, got 'realiad_1024/mint/OK" in problems("real_iad", real_iad)
    write_split(real_iad, entries[:2])
    assert "mint.json must have defective images in test, got none" in problems("real_iad", real_iad)
    split_of(real_iad).write_text("[]", "utf-8")
    assert "mint.json must be JSON with a list test of images" in problems("real_iad", real_iad)
    split_of(real_iad).unlink()
    assert "no realiad_jsons/realiad_jsons/<category>.json found" in problems("real_iad", real_iad)


def test_real_iad_image_whose_mask_is_missing_is_of_unknown_pixels(real_iad: Path) -> None:
    (real_iad / "realiad_1024/mint/NG/AK/S0002/mint_0002_AK_C1.png").unlink()
    images: tuple[LabelledImage, ...] = list_categories("real_iad", real_iad)[0].images
    assert [image.defect_type for image in images if not image.pixels_known] == ["AK"]


def test_kolektor_images_are_labelled_by_their_masks(kolektor: tuple[str, Path]) -> None:
    dataset, root = kolektor
    assert [(Path(path).stem[-1], label, len(masks)) for path, _, label, masks in told(dataset, root)] == [
        ("0", 0, 0),
        ("1", 0, 0),
        ("2", 1, 1),
        ("3", 0, 0),
    ]
    require_masks_are_those_drawn(dataset, root)


def test_kolektor_names_images_without_masks_and_masks_without_images(kolektor: tuple[str, Path]) -> None:
    dataset, root = kolektor
    first = next(path for path in sorted(root.rglob("*0*")) if path.is_file() and path.stem[-1] == "0")
    mask = next(path for path in first.parent.iterdir() if path.stem.startswith(f"{first.stem}_"))
    mask.rename(mask.with_name(f"9{mask.name}"))
    found = problems(dataset, root)
    assert f"{first.name} has no mask, which alone tells whether it is defective" in found
    assert f"9{mask.name} belongs to no image" in found


def test_kolektor_without_defects_or_folders_is_refused(kolektor: tuple[str, Path], tmp_path: Path) -> None:
    dataset, root = kolektor
    for path in root.rglob("*2*"):
        if path.is_file() and not path.stem.endswith(("0", "1", "3")) and "2" in path.stem[-8:]:
            Image.new("L", (SIZE, SIZE)).save(path)
    assert "there is no defective image" in problems(dataset, root)
    (tmp_path / "empty").mkdir()
    assert "the root is the folder that holds" in problems(dataset, tmp_path / "empty")
