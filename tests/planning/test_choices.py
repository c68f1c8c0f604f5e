"""The grid of settings that is tried for a product, and settings that were accepted."""

from pathlib import Path

import pytest

from musc.settings import Settings
from planning.tuning.choices import DEFAULT, Choice, choices_of, relative_costs, spec_of, traits
from planning.tuning.take_accepted import choice_from, with_accepted
from storage.errors import DamagedError
from storage.products.accepted_settings import AcceptedSettings, add_accepted
from storage.store import Store

NETWORKS = ("efficientnet-lite0", "efficientnet-lite2")


def test_grid_holds_every_choice_once_with_the_one_in_use_first() -> None:
    found = choices_of(NETWORKS, (320, 512))
    assert found[0] == DEFAULT
    assert len(set(found)) == len(found) == 2 * (6 + 3) * 4
    used = Choice("texture", 64)
    assert choices_of(NETWORKS, (320,), used=used)[0] == used
    assert DEFAULT in choices_of(NETWORKS, (320,), used=used)


def test_grid_has_no_finer_patches_than_a_network_has_at_its_own_size() -> None:
    for choice in choices_of(NETWORKS, (320, 512)):
        assert max(layer.patch_count for layer in spec_of(choice).layers) <= 1600


def test_choices_are_scored_with_all_layers_of_their_network_and_size() -> None:
    choice = Choice("efficientnet-lite2", 512, (4, 5), "contrast")
    assert choice.scored_with() == Choice("efficientnet-lite2", 512)
    assert traits(choice) == ("efficientnet-lite2", (512, 512), frozenset({16}), "contrast")


def test_costs_are_multiples_of_the_first_choice() -> None:
    costs = relative_costs(
        [DEFAULT, Choice(image_score="position"), Choice(layers=(6, 7)), Choice("efficientnet-lite2")]
    )
    assert costs[0] == costs[1] == 1
    assert costs[2] < 1 < costs[3]


def test_choice_comes_back_from_what_is_stored() -> None:
    choice = Choice("texture", (64, 96), (0, 1), "contrast")
    stored = {"backbone": "texture", "image_size": [64, 96], "layers": [0, 1], "image_score": "contrast"}
    assert choice_from(stored) == choice
    with pytest.raises(DamagedError, match="settings of a product must be options by name"):
        choice_from({"backbone": "texture"})


def test_accepted_settings_complete_those_of_the_user_and_never_replace_them(tmp_path: Path) -> None:
    store, plain = Store(str(tmp_path)), Settings(match_radius=2)
    assert with_accepted(plain, store, "cap") == (plain, None)
    accepted = AcceptedSettings("cap", Choice("texture", 64, None, "position").options, "Ann", "tunings/x", 5, 6)
    path = add_accepted(store, accepted)
    found, of_product = with_accepted(plain, store, "cap")
    assert (found.backbone, found.image_size, found.image_score, found.match_radius) == ("texture", 64, "position", 2)
    assert of_product is not None
    assert (of_product.path, "accepted by Ann on" in of_product.text) == (path, True)
    for given in ({"backbone": "texture"}, {"image_size": 64}, {"layers": (0,)}, {"image_score": "contrast"}):
        by_hand = Settings(**given)
        assert with_accepted(by_hand, store, "cap") == (by_hand, None)
