"""Train the encoder: `python -m training.train --folder runs/a --seed 0`. Stopped, it goes on where it was.

Every step's lots are drawn from (seed, step, lot), so the same command gives the same weights on the same machine,
interrupted or not.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from musc.backbones.pyramid import PyramidEncoder, normalise
from training.loss import lot_loss
from training.lots import as_batch, draw_lot

DEGREES = (1, 3, 5)
"""LNAMD neighbourhoods, taken in turn."""


@dataclass(frozen=True)
class Plan:
    """All that decides the weights."""

    seed: int = 0
    steps: int = 8600
    lot_count: int = 3
    """Of pictures of the largest size; smaller ones come in more lots, so that every step has as many pixels."""
    image_count: int = 6
    sizes: tuple[int, ...] = (64, 96, 128)
    """Height and width in pixels, taken in turn: small ones bring many processes together, large ones wide views."""
    largest: float = 16.0
    """Radius of the widest insertions in pixels."""
    rank_weight: float = 1.0
    """Of insertions scoring above their surroundings."""
    match_weight: float = 0.3
    """Of patches being nearer to those of their own process than to others."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_steps: int = 30
    decay_share: float = 0.5
    """Last part of the steps over which the learning rate falls to 0."""
    averaging: float = 0.99
    """Of the running average of the weights, which is what is kept."""

    def lots(self, step: int) -> tuple[int, int]:
        """How many lots a step has, and the size of their pictures in pixels."""
        size = self.sizes[step % len(self.sizes)]
        return self.lot_count * max(self.sizes) ** 2 // size**2, size

    def rate(self, step: int) -> float:
        """The learning rate of a step: rising, level, then falling as a half cosine."""
        left = (self.steps - step) / max(self.decay_share * self.steps, 1)
        falling = 0.5 - 0.5 * math.cos(math.pi * min(left, 1.0))
        return self.learning_rate * min((step + 1) / self.warmup_steps, falling)


class Steps(Dataset[tuple[torch.Tensor, ...]]):
    """The batches of the steps from `first` on."""

    def __init__(self, plan: Plan, first: int) -> None:
        self.plan, self.first = plan, first

    def __len__(self) -> int:
        return max(self.plan.steps - self.first, 0)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        return draw_batch(self.plan, self.first + index)


def draw_batch(plan: Plan, step: int) -> tuple[torch.Tensor, ...]:
    """Pictures, masks and regions of one step."""
    lot_count, size = plan.lots(step)
    lots = [
        draw_lot((plan.seed, step, lot), image_count=plan.image_count, size=size, largest=plan.largest)
        for lot in range(lot_count)
    ]
    return as_batch(lots)


class Trainer:
    """The network, its running average and the optimiser, with one step and their state."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        torch.manual_seed(plan.seed)
        self.network = PyramidEncoder(trainable=True).to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(plan.averaging), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(self.network.parameters(), weight_decay=plan.weight_decay)
        self.step = 0

    def take_step(self, pictures: torch.Tensor, masks: torch.Tensor, regions: torch.Tensor) -> dict[str, float]:
        """One step on one batch; returns the parts of the loss."""
        plan = self.plan
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate(self.step)
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        maps = self.network(normalise(pictures).contiguous(memory_format=torch.channels_last))
        parts = lot_loss(maps, masks, regions, plan.lots(self.step)[0], self.degree(), generator)
        loss = plan.rank_weight * (parts["mean"] + parts["levels"]) + plan.match_weight * parts["match"]
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.network)
        self.step += 1
        return {"loss": loss.item(), **{name: part.item() for name, part in parts.items()}}

    def degree(self) -> int:
        """The LNAMD neighbourhood of this step; each size meets each of them."""
        return DEGREES[self.step // len(self.plan.sizes) % len(DEGREES)]

    def save(self, path: Path) -> None:
        """Write all that is needed to go on, beside its place and then into it."""
        partial = path.with_suffix(".partial")
        parts = ("network", "average", "optimiser")
        state = {name: getattr(self, name).state_dict() for name in parts}
        torch.save({**state, "step": self.step, "plan": asdict(self.plan)}, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote; the plan may be another one from here on, but for its seed.

        Raises:
            ValueError: if it was written for another seed.
        """
        state = torch.load(path, weights_only=True)
        if state["plan"]["seed"] != self.plan.seed:
            raise ValueError(
                f"seed must be that of the checkpoint, {state['plan']['seed']}, got {self.plan.seed} for {path}; "
                "give the same seed, or another folder"
            )
        for name in ("network", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step = state["step"]


def train(plan: Plan, folder: Path, save_every: int = 50, ahead: int = 4) -> Iterator[dict[str, float]]:
    """Train to the end of the plan, going on from the folder's checkpoint; yields the loss of every step.

    Args:
        plan: what decides the weights.
        folder: of the checkpoint.
        save_every: steps.
        ahead: batches another process draws ahead; 0 draws them here, in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    trainer = Trainer(plan)
    if checkpoint.is_file():
        trainer.load(checkpoint)
    batches = DataLoader(
        Steps(plan, trainer.step), batch_size=None, num_workers=min(ahead, 1), prefetch_factor=ahead or None
    )
    for batch in batches:
        parts = trainer.take_step(*batch)
        if trainer.step % save_every == 0 or trainer.step == plan.steps:
            trainer.save(checkpoint)
        yield {"step": trainer.step, **parts}


def main() -> None:
    """The command line: one option per field of the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where checkpoint and log go")
    parser.add_argument("--threads", type=int, default=1)
    for name, value in asdict(Plan()).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, tuple):
            parser.add_argument(option, type=type(value[0]), nargs="+", default=value)
        else:
            parser.add_argument(option, type=type(value), default=value)
    options = vars(parser.parse_args())
    folder = options.pop("folder")
    options["sizes"] = tuple(options["sizes"])
    torch.set_num_threads(options.pop("threads"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (folder / "log.jsonl").open("a") as log:
        for parts in train(Plan(**options), folder):
            record = {**{key: round(value, 4) for key, value in parts.items()}, "seconds": time.monotonic() - started}
            log.write(json.dumps(record) + "\n")
            log.flush()


if __name__ == "__main__":
    main()
