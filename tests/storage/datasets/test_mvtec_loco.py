"""MVTec LOCO AD: nested mask folders, grey values, and how much of each defect must be found."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from musc.metrics import auspro
from storage.datasets import Category, LabelledImage, Mask, list_categories, load_mask, loco_defects
from storage.datasets.layouts.mvtec_loco import saturation_pixels
from storage.errors import DatasetLayoutError

CONFIG = [
    {"defect_name": "missing_pushpin", "pixel_value": 255, "saturation_threshold": 0.5, "relative_saturation": True},
    {"defect_name": "extra_pushpin", "pixel_value": 254, "saturation_threshold": 4, "relative_saturation": False},
    {"defect_name": "broken", "pixel_value": 253, "saturation_threshold": 1.0, "relative_saturation": True},
]


def write_grey(path: Path, value: int, area: int, shape: tuple[int, int] = (5, 7)) -> None:
    """A file whose first `area` pixels hold `value`."""
    pixels = np.zeros(shape, dtype=np.uint8)
    pixels.flat[:area] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One category: a logical anomaly with three defect channels, a structural one with one."""
    category = tmp_path / "pushpins"
    write_grey(category / "test/good/000.png", 9, 35)
    write_grey(category / "test/logical_anomalies/000.png", 9, 35)
    write_grey(category / "test/structural_anomalies/000.png", 9, 35)
    write_grey(category / "ground_truth/logical_anomalies/000/000.png", 255, 7)
    write_grey(category / "ground_truth/logical_anomalies/000/001.png", 254, 11)
    write_grey(category / "ground_truth/logical_anomalies/000/002.png", 254, 3)
    write_grey(category / "ground_truth/structural_anomalies/000/000.png", 253, 13)
    (category / "defects_config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return tmp_path


def listed(root: Path) -> Category:
    return list_categories("mvtec_loco", root)[0]


def image_of(root: Path, defect_type: str) -> LabelledImage:
    return next(image for image in listed(root).images if image.defect_type == defect_type)


def problems(root: Path) -> list[str]:
    with pytest.raises(DatasetLayoutError) as caught:
        listed(root)
    return [line.removeprefix("  - ") for line in str(caught.value).splitlines() if line.startswith("  - ")]


def test_loco_images_carry_type_and_label(root: Path) -> None:
    assert [(image.path, image.defect_type, image.label) for image in listed(root).images] == [
        ("pushpins/test/good/000.png", "good", 0),
        ("pushpins/test/logical_anomalies/000.png", "logical_anomalies", 1),
        ("pushpins/test/structural_anomalies/000.png", "structural_anomalies", 1),
    ]


def test_loco_each_mask_file_is_a_channel_with_its_kind(root: Path) -> None:
    masks = image_of(root, "logical_anomalies").masks
    assert [(m.path[-7:], m.pixel_value, m.saturation_threshold, m.relative_saturation) for m in masks] == [
        ("000.png", 255, 0.5, True),
        ("001.png", 254, 4, False),
        ("002.png", 254, 4, False),
    ]


def test_loco_saturation_is_a_fraction_or_a_capped_count(root: Path) -> None:
    _, saturation = loco_defects(root, image_of(root, "logical_anomalies"))
    np.testing.assert_array_equal(saturation, [3, 4, 3])  # int(0.5 · 7), min(4, 11), min(4, 3)


@pytest.mark.parametrize(("threshold", "relative"), [(0.5, True), (0.5, False)])
def test_loco_saturation_of_a_single_pixel_is_that_pixel(threshold: float, relative: bool) -> None:
    mask = Mask("000.png", 255, threshold, relative)
    assert saturation_pixels(mask, area=1) == 1
    auspro(np.eye(1, 4, dtype=bool)[None], [0], [saturation_pixels(mask, area=1)], np.arange(4.0).reshape(1, 1, 4))


def test_loco_full_relative_saturation_is_the_area(root: Path) -> None:
    _, saturation = loco_defects(root, image_of(root, "structural_anomalies"))
    np.testing.assert_array_equal(saturation, [13])


def test_loco_channels_keep_file_order_and_size(root: Path) -> None:
    masks, _ = loco_defects(root, image_of(root, "logical_anomalies"))
    assert (masks.dtype, masks.shape, masks.sum(axis=(1, 2)).tolist()) == (np.bool_, (3, 5, 7), [7, 11, 3])


def test_loco_normal_image_has_no_channel(root: Path) -> None:
    masks, saturation = loco_defects(root, image_of(root, "good"))
    assert (masks.shape, saturation.shape) == ((0, 5, 7), (0,))


def test_loco_mask_is_the_union_of_channels(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/logical_anomalies/000/001.png", 254, 2)
    assert load_mask(root, image_of(root, "logical_anomalies")).sum() == 7


def test_loco_channels_sort_as_people_count(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/logical_anomalies/000/10.png", 253, 1)
    assert [m.path[-7:] for m in image_of(root, "logical_anomalies").masks][-1] == "/10.png"


def test_loco_saturation_needs_an_image_listed_as_loco(root: Path) -> None:
    other = image_of(root, "structural_anomalies")
    bare = LabelledImage(other.path, "bad", 1, (type(other.masks[0])(other.masks[0].path),))
    with pytest.raises(ValueError, match=r"mask must carry a saturation threshold, got none for pushpins/\S+"):
        loco_defects(root, bare)


def test_loco_channels_of_different_sizes_are_refused(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/logical_anomalies/000/002.png", 254, 3, shape=(5, 6))
    with pytest.raises(DatasetLayoutError, match=r"must have one size, got .*\(5, 7\).*\(5, 6\); export them again"):
        loco_defects(root, image_of(root, "logical_anomalies"))


def test_loco_unknown_grey_value_is_named_with_the_known_ones(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/logical_anomalies/000/001.png", 17, 5)
    assert problems(root) == [
        "pushpins/ground_truth/logical_anomalies/000/001.png has the grey value 17, which defects_config.json lacks; "
        "known: 253, 254, 255"
    ]


def test_loco_mask_with_two_grey_values_is_refused(root: Path) -> None:
    mixed = np.array([[0, 254], [255, 0]], dtype=np.uint8)
    Image.fromarray(mixed).save(root / "pushpins/ground_truth/structural_anomalies/000/000.png")
    assert problems(root) == [
        "pushpins/ground_truth/structural_anomalies/000/000.png must have one grey value beside 0, got [254, 255]"
    ]


def test_loco_empty_mask_is_refused(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/structural_anomalies/000/000.png", 0, 0)
    assert "must have one grey value beside 0, got []" in problems(root)[0]


def test_loco_undecodable_mask_is_named(root: Path) -> None:
    (root / "pushpins/ground_truth/structural_anomalies/000/000.png").write_bytes(b"not a png")
    assert "image must be decodable, got" in problems(root)[0]


def test_loco_missing_config_is_the_only_problem_it_causes(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").unlink()
    assert problems(root) == ["pushpins/defects_config.json is missing"]


def test_loco_config_that_is_no_json_is_refused(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").write_text("[{", encoding="utf-8")
    assert problems(root)[0].startswith("pushpins/defects_config.json must be JSON, got Expecting")


@pytest.mark.parametrize("content", ["{}", "[]"])
def test_loco_config_that_is_no_list_of_defects_is_refused(root: Path, content: str) -> None:
    (root / "pushpins" / "defects_config.json").write_text(content, encoding="utf-8")
    assert problems(root) == [f"pushpins/defects_config.json must hold a list of defects, got {content}"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"pixel_value": 256}, "must have a pixel_value from 1 to 255, got 256"),
        ({"pixel_value": True}, "must have a pixel_value from 1 to 255, got True"),
        ({"relative_saturation": "yes"}, "must have a relative_saturation of true or false, got 'yes'"),
        ({"saturation_threshold": 0}, "must have a saturation_threshold above 0, got 0"),
        ({"saturation_threshold": "5"}, "must have a saturation_threshold above 0, got '5'"),
        ({"saturation_threshold": 1.5}, "must have a relative saturation_threshold of at most 1, got 1.5"),
    ],
)
def test_loco_config_entry_with_a_bad_value_is_named(root: Path, change: dict[str, object], problem: str) -> None:
    entries = [CONFIG[1], CONFIG[2], CONFIG[0] | change]
    (root / "pushpins" / "defects_config.json").write_text(json.dumps(entries), encoding="utf-8")
    assert problems(root) == [f"pushpins/defects_config.json entry 2 {problem}"]


def test_loco_config_entry_that_is_no_object_is_named(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").write_text("[7]", encoding="utf-8")
    assert problems(root) == ["pushpins/defects_config.json entry 0 must be an object, got 7"]


def test_loco_config_with_a_repeated_grey_value_is_refused(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").write_text(json.dumps([*CONFIG, CONFIG[0]]), encoding="utf-8")
    assert "must give each defect a pixel_value of its own, got [255, 254, 253, 255]" in problems(root)[0]


def test_loco_image_without_masks_is_one_of_unknown_pixels(root: Path) -> None:
    write_grey(root / "pushpins/test/logical_anomalies/001.png", 9, 35)
    unknown = [image.path for image in listed(root).images if not image.pixels_known]
    assert unknown == ["pushpins/test/logical_anomalies/001.png"]


def test_loco_without_any_masks_needs_no_config(root: Path) -> None:
    (root / "pushpins" / "ground_truth").rename(root / "pushpins" / ".aside")
    (root / "pushpins" / "defects_config.json").unlink()
    assert not any(image.masks for image in listed(root).images)


def test_loco_mask_folder_without_image_is_named_beside_images_without_masks(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/structural_anomalies/004/000.png", 253, 2)
    write_grey(root / "pushpins/test/structural_anomalies/005.png", 9, 35)
    assert problems(root) == [
        "pushpins/test/structural_anomalies/005.png has no mask in pushpins/ground_truth/structural_anomalies/005",
        "pushpins/ground_truth/structural_anomalies/004 belongs to no image",
    ]


def test_loco_mask_outside_a_folder_of_its_image_is_named(root: Path) -> None:
    write_grey(root / "pushpins/ground_truth/structural_anomalies/000.png", 253, 2)
    assert problems(root) == ["pushpins/ground_truth/structural_anomalies/000.png belongs to no image"]


def test_loco_unknown_type_is_named(root: Path) -> None:
    write_grey(root / "pushpins/test/broken/000.png", 9, 35)
    assert problems(root) == [
        "pushpins/test/broken is not a type of this dataset; known: good, logical_anomalies, structural_anomalies"
    ]


def test_loco_reports_several_problems_at_once(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").unlink()
    (root / "pushpins/test/structural_anomalies").rename(root / "pushpins/test/.aside")
    write_grey(root / "pushpins/ground_truth/logical_anomalies/001/000.png", 253, 2)
    assert problems(root) == [
        "pushpins/test/structural_anomalies is missing",
        "pushpins/defects_config.json is missing",
        "pushpins/ground_truth/logical_anomalies/001 belongs to no image",
    ]


def test_loco_error_shows_a_correct_layout(root: Path) -> None:
    (root / "pushpins" / "defects_config.json").unlink()
    with pytest.raises(DatasetLayoutError, match=r"lay the files out like this:\n(  .*\n)+  <category>/defects_config"):
        listed(root)
