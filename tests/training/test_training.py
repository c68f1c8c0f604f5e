"""The loss against plain loops, the loop's promises at toy size, and the folding of normalisation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from musc.backbones import synthetic
from musc.backbones.pyramid import PyramidEncoder
from training.export import export, fold
from training.loss import MATCH_TEMPERATURE, NEAREST_COUNT, cell_kinds, cosines, match_loss, pure_regions, rank_loss
from training.train import Plan, Trainer, draw_batch, train

TOY = Plan(steps=6, lot_count=2, image_count=3, sizes=(32,), warmup_steps=1)


@pytest.fixture(scope="module")
def tokens() -> torch.Tensor:
    """Two lots of three images of five unit tokens of length 4."""
    return torch.nn.functional.normalize(torch.randn((6, 5, 4), generator=torch.Generator().manual_seed(3)), dim=-1)


def test_cosines_match_plain_loops(tokens: torch.Tensor) -> None:
    expected = np.empty((2, 15, NEAREST_COUNT))
    for lot in range(2):
        images = tokens[3 * lot : 3 * lot + 3].double().numpy()
        for place in range(15):
            image, patch = divmod(place, 5)
            best = [max(float(images[image, patch] @ q) for q in images[j]) for j in range(3) if j != image]
            expected[lot, place] = sorted(best, reverse=True)[:NEAREST_COUNT]
    np.testing.assert_allclose(cosines(tokens, 2).numpy(), expected, rtol=0, atol=1e-6)


def test_rank_loss_matches_plain_loops() -> None:
    scores = torch.rand((2, 7), generator=torch.Generator().manual_seed(1))
    defective, normal = torch.zeros((2, 7), dtype=torch.bool), torch.zeros((2, 7), dtype=torch.bool)
    defective[:, :2], normal[:, 3:] = True, True
    terms = [
        np.mean([np.log1p(sum(np.exp((float(n) - float(d)) / 0.15) for n in row[3:])) / np.log1p(4) for d in row[:2]])
        for row in scores
    ]
    assert rank_loss(scores, defective, normal).item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_rank_loss_without_insertions_is_0() -> None:
    nothing = torch.zeros((2, 7), dtype=torch.bool)
    assert rank_loss(torch.rand(2, 7), nothing, ~nothing).item() == 0


def test_match_loss_matches_plain_loops(tokens: torch.Tensor) -> None:
    flat = tokens.flatten(0, 1)[:12]
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, -1, -1, 0, 1, 2])
    images = torch.tensor([0, 0, 1, 1, 2, 3, 3, 0, 2, 2, 4, 5])
    terms = []
    for a in range(12):
        similarity = [float(flat[a].double() @ flat[b].double()) / MATCH_TEMPERATURE for b in range(12)]
        alike = [b for b in range(12) if labels[b] == labels[a] >= 0]
        positive = [b for b in alike if images[b] != images[a]]
        beside = [b for b in alike if images[b] == images[a]]
        if positive:
            everything = np.log(sum(np.exp(similarity[b]) for b in range(12) if b != a and b not in beside))
            terms.append(np.mean([everything - similarity[b] for b in positive]))
    assert len(terms) == 9
    assert match_loss(flat, labels, images).item() == pytest.approx(np.mean(terms), rel=1e-4)


def test_match_loss_is_least_when_processes_are_apart() -> None:
    labels, images = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 2, 3])
    apart = torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    assert match_loss(apart, labels, images) < match_loss(torch.ones(4, 2) / 2**0.5, labels, images) - 0.5


def test_cell_kinds_leave_out_what_is_neither() -> None:
    mask = torch.zeros((1, 32, 32), dtype=torch.bool)
    mask[0, 8:16, 8:12] = True  # half of the cell at row 1, column 1
    mask[0, 24, 31] = True  # one pixel of the cell at row 3, column 3
    defective, normal = (kind.view(4, 4).int().tolist() for kind in cell_kinds(mask, 8))
    assert defective == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert normal == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]]


def test_pure_regions_leave_out_cells_of_several() -> None:
    regions = torch.zeros((1, 16, 16), dtype=torch.int64)
    regions[0, :, 9:], regions[0, :8, :2] = 2, -1
    assert pure_regions(regions, 8).tolist() == [[-1, -1, 0, -1]]


def test_plan_rate_rises_stays_and_falls_to_0() -> None:
    plan = Plan(steps=100, warmup_steps=10, decay_share=0.4, learning_rate=1.0)
    assert [plan.rate(step) for step in (0, 4, 9, 30, 60)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert plan.rate(80) == pytest.approx(0.5)
    assert plan.rate(99) < 0.01


def test_plan_takes_sizes_in_turn_with_as_many_pixels() -> None:
    plan = Plan(lot_count=5, image_count=4, sizes=(64, 96, 128))
    assert [plan.lots(step) for step in range(4)] == [(20, 64), (8, 96), (5, 128), (20, 64)]
    pictures, masks, _ = draw_batch(replace(plan, lot_count=1, sizes=(16, 32)), 0)
    assert (pictures.shape, masks.shape) == ((16, 3, 16, 16), (16, 16, 16))


def test_trainer_gives_each_size_every_degree() -> None:
    trainer = Trainer(replace(TOY, sizes=(32, 64)))
    met = set()
    for trainer.step in range(6):
        met.add((trainer.plan.lots(trainer.step)[1], trainer.degree()))
    assert len(met) == 6


def test_training_reduces_the_loss_of_a_batch() -> None:
    trainer = Trainer(replace(TOY, steps=100, sizes=(48,)))
    batch = draw_batch(trainer.plan, 0)
    losses = [trainer.take_step(*batch)["loss"] for _ in range(10)]
    assert np.mean(losses[-3:]) < 0.85 * losses[0]


def test_training_interrupted_gives_the_same_weights(tmp_path: Path) -> None:
    list(train(TOY, tmp_path / "whole", save_every=3, ahead=0))
    for record in train(TOY, tmp_path / "parts", save_every=3, ahead=0):
        if record["step"] == 4:
            break
    assert [record["step"] for record in train(TOY, tmp_path / "parts", save_every=3, ahead=0)] == [4, 5, 6]
    whole, parts = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    for name, tensor in whole["average"].items():
        torch.testing.assert_close(parts["average"][name], tensor, rtol=0, atol=0, msg=name)


def test_training_refuses_a_checkpoint_of_another_seed(tmp_path: Path) -> None:
    Trainer(TOY).save(tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"seed must be that of the checkpoint, 0, got 5 .*; give the same seed, or"):
        Trainer(replace(TOY, seed=5)).load(tmp_path / "checkpoint.pt")


def test_folding_normalisation_keeps_the_answers() -> None:
    trained = PyramidEncoder(trainable=True)
    pictures = torch.rand((2, 3, 64, 32), generator=torch.Generator().manual_seed(4))
    for _ in range(3):
        trained(pictures)  # moves the running statistics away from their start
    torch.testing.assert_close(fold(trained)(pictures), trained.eval()(pictures), rtol=1e-4, atol=1e-4)


def test_exported_weights_load_as_a_backbone(tmp_path: Path) -> None:
    trainer = Trainer(TOY)
    trainer.take_step(*draw_batch(TOY, 0))
    trainer.save(tmp_path / "checkpoint.pt")
    size = export(tmp_path / "checkpoint.pt", tmp_path / "weights.safetensors")
    assert size < 5_000_000
    state = safetensors.torch.load_file(tmp_path / "weights.safetensors")
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    spec = synthetic.resolve("synthetic-conv", weights=str(tmp_path / "weights.safetensors"), image_size=32)
    assert synthetic.build(spec, torch.device("cpu")).forward(torch.rand(1, 3, 32, 32)).patch_tokens[0].shape[1] == 16
