"""Groups of images that share a flaw, on lots made of vectors whose truth is known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from musc.decisions.groups import (
    MIN_GROWTH,
    Groups,
    SharedPatch,
    Step,
    beyond_chance,
    block_similarities,
    clusters,
    find_groups,
    linked,
    numbered,
    shared_patches,
)
from musc.mutual import block_scores, mutual_scores

GRID = (6, 7)
FLAW = [8, 9, 15]
"""Patches of the 6 × 7 grid that a flaw covers."""


def unit(values: torch.Tensor) -> torch.Tensor:
    return F.normalize(values, dim=-1)


def lot(image_count: int = 23, flawed: int = 5, unique: int = 2, seed: int = 0) -> torch.Tensor:
    """Unit vectors (N, 42, 13): a look of its own at every patch, a flaw on some images.

    The first `flawed` images share one flaw; the next `unique` images have each another.
    """
    generator = torch.Generator().manual_seed(seed)
    looks = unit(torch.randn(42, 13, generator=generator))
    features = looks + 0.08 * torch.randn(image_count, 42, 13, generator=generator)
    flaw = 2 * unit(torch.randn(len(FLAW), 13, generator=generator))
    features[:flawed, FLAW] = flaw + 0.08 * torch.randn(flawed, len(FLAW), 13, generator=generator)
    for image in range(flawed, flawed + unique):
        features[image, FLAW] = 2 * unit(torch.randn(len(FLAW), 13, generator=generator))
    return unit(features)


def groups_of(features: torch.Tensor) -> Groups:
    described = [shared_patches(s, i) for i, s in enumerate(block_similarities(features, 0, (), len(features)))]
    shared = [patch for _, found in described for patch in found]
    return find_groups([strongest for strongest, _ in described], shared, GRID)


def dilated(patches: list[int]) -> set[int]:
    """The patches and their neighbours on the grid."""
    places = [divmod(patch, GRID[1]) for patch in patches]
    return {
        row * GRID[1] + column
        for row in range(GRID[0])
        for column in range(GRID[1])
        if any(abs(row - r) <= 1 and abs(column - c) <= 1 for r, c in places)
    }


@pytest.mark.parametrize("flawed", [3, 5, 9])
def test_images_that_share_a_flaw_are_a_group(flawed: int) -> None:
    found = groups_of(lot(flawed=flawed))
    assert found.count == 1
    np.testing.assert_array_equal(np.flatnonzero(found.of_image), np.arange(flawed))


def test_pair_of_images_has_no_group_and_no_warning() -> None:
    """Warnings are errors here: two images are too few for the fit of what is usual."""
    found = groups_of(lot(image_count=2, flawed=2, unique=0))
    np.testing.assert_array_equal(found.of_image, [0, 0])
    assert (found.count, found.patches.shape, found.patches.any()) == (0, (2, 42), False)


def test_patches_of_a_group_are_those_of_the_flaw_and_their_neighbours() -> None:
    found = groups_of(lot())
    for image in range(5):
        assert set(np.flatnonzero(found.patches[image])) == dilated(FLAW)
    assert not found.patches[5:].any()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("unique", [0, 4])
def test_lot_without_a_shared_flaw_has_no_group(unique: int, seed: int) -> None:
    found = groups_of(lot(flawed=0, unique=unique, seed=seed))
    assert found.count == 0
    assert not found.patches.any()


def test_two_images_alike_are_no_group() -> None:
    assert groups_of(lot(flawed=2)).count == 0


def test_look_of_half_the_lot_is_no_group() -> None:
    assert groups_of(lot(flawed=12, unique=0)).count == 0


def test_flaw_within_a_look_of_half_the_lot_is_a_group() -> None:
    generator = torch.Generator().manual_seed(3)
    features = lot(image_count=41, flawed=0, unique=0)
    for images, patches in ((20, [8, 9]), (4, [30, 31])):
        look = 2 * unit(torch.randn(2, 13, generator=generator))
        features[:images, patches] = unit(look + 0.08 * torch.randn(images, 2, 13, generator=generator))
    found = groups_of(features)
    assert found.of_image.tolist() == [1] * 4 + [0] * 37
    assert set(np.flatnonzero(found.patches[0])) == dilated([30, 31])


def test_groups_follow_the_images_when_they_are_permuted() -> None:
    features = lot()
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(1))
    plain, permuted = groups_of(features), groups_of(features[order])
    np.testing.assert_array_equal(permuted.of_image, plain.of_image[order.numpy()])
    np.testing.assert_array_equal(permuted.patches, plain.patches[order.numpy()])


def test_two_flaws_make_two_groups_the_larger_first() -> None:
    features = lot(flawed=6, unique=0)
    generator = torch.Generator().manual_seed(7)
    other = 2 * unit(torch.randn(len(FLAW), 13, generator=generator))
    features[10:14, FLAW] = unit(other + 0.08 * torch.randn(4, len(FLAW), 13, generator=generator))
    assert groups_of(features).of_image.tolist() == [1] * 6 + [0] * 4 + [2] * 4 + [0] * 9


def test_leaving_out_a_group_raises_its_scores_and_hardly_any_other() -> None:
    features = lot(flawed=8, unique=0)
    found = groups_of(features)
    plain = mutual_scores(features)
    without = block_scores(features, 0, (), len(features), (0.0, 0.3), torch.from_numpy(found.patches))
    assert (without[:8, FLAW] > 2 * plain[:8, FLAW]).all()
    clean = torch.ones(plain.shape, dtype=torch.bool)
    clean[:8, FLAW] = False
    assert (without[clean] - plain[clean]).abs().max() < 0.1


@pytest.mark.parametrize("step", [3, 23])
def test_similarities_are_the_same_however_the_lot_is_divided(step: int) -> None:
    features = lot()
    plain = torch.einsum("ipc,jqc->ijpq", features, features).amax(dim=3)
    plain[range(23), range(23)] = -torch.inf
    for start in range(0, 23, step):
        stop = min(start + step, 23)
        references = [(position, features[position : position + 1]) for position in range(23)]
        outside = [pair for pair in references if not start <= pair[0] < stop]
        found = block_similarities(features[start:stop], start, outside, 23)
        torch.testing.assert_close(found, plain[start:stop], atol=1e-6, rtol=0)


def test_shared_patches_by_plain_loops() -> None:
    features = lot()
    strongest, found = shared_patches(block_similarities(features, 0, (), 23)[2], 2)
    shared, rises, growths = {}, [], []
    for patch in range(42):
        distances = {
            image: min(float((features[2, patch].double() - other.double()).norm()) for other in features[image])
            for image in range(23)
            if image != 2
        }
        nearest = sorted(distances, key=distances.__getitem__)
        steps = [(distances[nearest[k]] / distances[nearest[k - 1]], k) for k in range(2, 11)]
        ratio, count = max(steps)
        rises.append(distances[nearest[count]] - distances[nearest[count - 1]])
        growths.append(np.log(ratio))
        if np.log(ratio) >= MIN_GROWTH:
            shared[patch] = sorted(nearest[:count])
    assert {patch.patch: patch.sharing.tolist() for patch in found} == shared
    assert set(FLAW) < set(shared) < set(range(42))
    for patch in found:
        assert patch.step.rise == pytest.approx(rises[patch.patch], abs=1e-5)
        assert patch.step.growth == pytest.approx(growths[patch.patch], abs=1e-5)
        assert patch.step.strength == pytest.approx((rises[patch.patch] * growths[patch.patch]) ** 0.5, abs=1e-5)
    expected = max((rise * growth) ** 0.5 for rise, growth in zip(rises, growths, strict=True))
    assert strongest == pytest.approx(expected, abs=1e-5)


def test_shared_patches_ignore_the_own_image() -> None:
    similarities = block_similarities(lot(), 0, (), 23)[2]
    plain_strongest, plain = shared_patches(similarities, 2)
    similarities[2] = 1
    strongest, found = shared_patches(similarities, 2)
    assert strongest == plain_strongest
    assert [(one.patch, one.sharing.tolist()) for one in found] == [(one.patch, one.sharing.tolist()) for one in plain]


def test_copies_of_an_image_have_no_sudden_step() -> None:
    """Distances that differ by rounding alone are all alike."""
    similarities = torch.ones(23, 42)
    similarities[:6] -= 1e-7
    assert shared_patches(similarities, 2) == (0.0, [])


def test_chance_explains_a_group_whose_patches_are_found_everywhere() -> None:
    of_image = np.array([1, 1, 1, 1] + [0] * 19)

    def shared(*outside: int) -> list[SharedPatch]:
        step = Step(0.5, 0.5)
        return [
            SharedPatch(image, 0, step, np.array([*({0, 1, 2, 3} - {image}), *outside], dtype=np.int64))
            for image in range(4)
        ]

    np.testing.assert_array_equal(beyond_chance(shared(), of_image), of_image)
    np.testing.assert_array_equal(beyond_chance(shared(*range(6, 20)), of_image), 0)


def test_patches_of_one_flaw_are_one_trial() -> None:
    """Twenty patches that name the same two images make a group of three no likelier by chance; twenty pairs do."""
    of_image = np.array([1, 1, 1] + [0] * 53)
    step = Step(0.5, 0.5)
    same = [SharedPatch(image, p, step, np.delete([0, 1, 2], image)) for image in range(3) for p in range(20)]
    np.testing.assert_array_equal(beyond_chance(same, of_image), of_image)
    others = [SharedPatch(image, p, step, np.array([10 + p, 40])) for image in range(3) for p in range(20)]
    np.testing.assert_array_equal(beyond_chance(same + others, of_image), 0)


@pytest.mark.parametrize(("members", "strength", "found"), [(6, 2.0, 1), (4, 2.0, 0), (4, 4.0, 1), (6, 1.2, 0)])
def test_weaker_steps_are_enough_where_many_agree(members: int, strength: float, found: int) -> None:
    shared = [
        SharedPatch(image, patch, Step(strength, strength), np.delete(np.arange(members), image))
        for image in range(members)
        for patch in FLAW
    ]
    groups = find_groups([1.0] * 40, shared, GRID)
    assert groups.of_image.tolist() == [found] * members + [0] * (40 - members)
    assert bool(groups.patches[:, FLAW].any()) == bool(found)


def test_flaw_on_a_third_is_found_beside_varied_steps() -> None:
    """The group's own steps are part of what is usual, and must not hide the group."""
    features = lot(image_count=60, flawed=20, unique=0)
    found = groups_of(features)
    assert found.of_image.tolist() == [1] * 20 + [0] * 40


def test_links_need_two_patches_in_both_directions() -> None:
    def patch(image: int, *sharing: int) -> SharedPatch:
        return SharedPatch(image, 0, Step(1.0, 1.0), np.array(sharing))

    shared = [patch(0, 1, 2), patch(0, 1, 2), patch(1, 0), patch(1, 0, 3), patch(2, 0), patch(3, 1), patch(3, 1)]
    expected = np.zeros((5, 5), dtype=bool)
    expected[0, 1] = expected[1, 0] = True
    np.testing.assert_array_equal(linked(shared, 5), expected)


def test_clusters_joined_by_one_link_stay_apart() -> None:
    links = np.zeros((10, 10), dtype=bool)
    links[:3, :3] = links[3:7, 3:7] = True
    links[2, 3] = links[3, 2] = True
    np.fill_diagonal(links, False)
    assert numbered(clusters(links)).tolist() == [2, 2, 2, 1, 1, 1, 1, 0, 0, 0]


def test_patches_outside_of_a_region_make_no_group() -> None:
    features = lot()
    outside = torch.zeros(features.shape[:2], dtype=torch.bool)
    inner = block_similarities(features, 0, (), 23, outside)
    assert torch.equal(inner, block_similarities(features, 0, (), 23))
    outside[:, :9] = True
    found = block_similarities(features, 0, (), 23, outside)
    assert bool((found[:, :, :9] == 1).all())
    kept = block_similarities(features[:, 9:], 0, (), 23)
    torch.testing.assert_close(found[:, :, 9:], kept)
