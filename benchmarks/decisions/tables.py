"""The decision rule on drawn lots of real photographs, beside other rules and beside the best that anyone could do.

    python -m benchmarks.decisions.draws drawn ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/woven
    python -m benchmarks.decisions.tables drawn

The *rule of choice*, fixed before the table of rules was made: the strength of a rule is the one that finds the most
defects in `factory` lots, of those that list at most 5 % of the good parts in `clean` lots, mean over the products, and
12 % of no product. It is chosen on all products but the one it is judged on. *Oracle*: the share of defects above the
score that the same share of the good parts of each lot reaches.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.draws import KNOWN, NIGHTS, SHARES, SIZES, Lot, load
from benchmarks.decisions.rules import RULES, Rule
from musc.decisions.choose_threshold import lot_thresholds

FloatArray = NDArray[np.float64]
Lots = dict[str, dict[str, list[Lot]]]
"""By product and kind."""

CLEAN_MEAN, CLEAN_WORST = 0.05, 0.12
P_LEVELS = (0.05, 0.1, 0.2, 0.5)
DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "normal": lambda rng, count: rng.normal(size=count),
    "gamma(4)": lambda rng, count: rng.gamma(4, size=count),
    "Weibull(2)": lambda rng, count: rng.weibull(2, size=count),
    "Weibull(5)": lambda rng, count: rng.weibull(5, size=count),
    "log-normal(0.5)": lambda rng, count: np.exp(0.5 * rng.normal(size=count)),
    "exponential": lambda rng, count: rng.exponential(size=count),
    "two variants, 3 apart": lambda rng, count: rng.normal(size=count) + 3 * (rng.random(count) < 0.3),
    "two variants, 6 apart": lambda rng, count: rng.normal(size=count) + 6 * (rng.random(count) < 0.3),
}


class Listed(NamedTuple):
    """What some thresholds list of some lots."""

    found: float
    """Of the defective parts."""
    good: float
    """Of the good parts."""
    oracle: float
    """Of the defective parts, at the same share of the good parts of each lot."""
    lots: float
    """Of the lots, those of which anything is listed."""


def listed(lots: Sequence[Lot], thresholds: Sequence[float]) -> Listed:
    """What is listed of lots, each with its threshold."""
    both = list(zip(lots, thresholds, strict=True))
    good = np.concatenate([lot.scores[~lot.defective] >= threshold for lot, threshold in both])
    bad = np.concatenate([lot.scores[lot.defective] >= threshold for lot, threshold in both])
    share = float(good.mean())
    best = [
        lot.scores[lot.defective] >= np.quantile(lot.scores[~lot.defective], 1 - share)
        for lot in lots
        if lot.defective.any()
    ]
    return Listed(
        float(bad.mean()) if len(bad) else float("nan"),
        share,
        float(np.concatenate(best).mean()) if best else float("nan"),
        float(np.mean([(lot.scores >= threshold).any() for lot, threshold in both])),
    )


def by_rule(rule: Rule, strength: float, lots: Sequence[Lot]) -> Listed:
    """What a rule of some strength lists."""
    return listed(lots, [rule.threshold(lot.scores, strength) for lot in lots])


def chosen_strength(rule: Rule, products: Sequence[dict[str, list[Lot]]]) -> float:
    """The strength that finds most in `factory` lots, within the limits on `clean` ones; the strictest if none is."""
    best = (-1.0, rule.strengths[-1])
    for strength in rule.strengths:
        clean = [by_rule(rule, strength, lots["clean"]).good for lots in products]
        if np.mean(clean) <= CLEAN_MEAN and max(clean) <= CLEAN_WORST:
            found = float(np.mean([by_rule(rule, strength, lots["factory"]).found for lots in products]))
            best = max(best, (found, strength))
    return best[1]


def rule_rows(lots: Lots) -> Iterator[tuple[Any, ...]]:
    """Each rule, its strength chosen on the other products: means over the products."""
    for rule in RULES:
        strengths = {
            name: chosen_strength(rule, [other for key, other in lots.items() if key != name] or [*lots.values()])
            for name in lots
        }
        of = {
            kind: [by_rule(rule, strengths[name], kinds[kind]) for name, kinds in lots.items()]
            for kind in ("factory", "clean", "mixed run", "mixed run, clean")
        }
        yield (
            rule.name,
            f"{min(strengths.values()):.4g} to {max(strengths.values()):.4g}",
            pair(of["factory"]),
            percent(mean(of["clean"], "good")),
            percent(max(one.good for one in of["clean"])),
            pair(of["mixed run"]),
            percent(mean(of["mixed run, clean"], "good")),
        )


def product_rows(lots: Lots, kinds: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The decision on each product, and the means over them."""
    for kind in kinds:
        listing, flagging = [], []
        for name, of in lots.items():
            if kind not in of:
                continue
            decided = [lot_thresholds(lot.scores) for lot in of[kind]]
            on_list = listed(of[kind], [one.suspect_threshold for one in decided])
            flagged = listed(of[kind], [one.flag_threshold for one in decided])
            listing.append(on_list)
            flagging.append(flagged)
            first = of[kind][0].defective
            yield (kind, name, f"{(~first).sum()} + {first.sum()}", *figures(on_list, flagged))
        if len(listing) > 1:
            means = [Listed(*np.mean(several, axis=0)) for several in (listing, flagging)]
            yield (kind, "mean", "", *figures(*means))


def figures(on_list: Listed, flagged: Listed) -> tuple[str, ...]:
    """The columns of a decision."""
    return (
        percent(on_list.found),
        percent(on_list.oracle),
        percent(on_list.good),
        percent(flagged.found),
        percent(flagged.good),
        percent(flagged.lots),
    )


def size_rows(lots: Lots) -> Iterator[tuple[Any, ...]]:
    """Found and good parts listed by size and share of defective parts, means over the products that have them."""
    for size in SIZES:
        row = []
        for share in SHARES:
            kind = f"N={size}, {share:.0%}"
            found = [decided(of[kind]) for of in lots.values() if kind in of]
            row.append(pair(found) if share else percent(mean(found, "good")) if found else "–")
        yield (size, *row)


def decided(lots: Sequence[Lot]) -> Listed:
    """What the lots' own rule lists."""
    return listed(lots, [lot_thresholds(lot.scores).suspect_threshold for lot in lots])


def known_rows(lots: Lots) -> Iterator[tuple[Any, ...]]:
    """Lists by known good parts."""
    for name, of in lots.items():
        for count in KNOWN:
            drawn = of.get(f"known {count}", [])
            if not drawn:
                continue
            tonight = [Lot(lot.scores[:-count], lot.defective[:-count]) for lot in drawn]
            thresholds = [
                lot_thresholds(lot.scores, good_scores=whole.scores[-count:]).suspect_threshold
                for lot, whole in zip(tonight, drawn, strict=True)
            ]
            found, own = listed(tonight, thresholds), decided(tonight)
            promised = max(0.03, 1 / (count + 1))
            yield (
                name,
                count,
                percent(promised),
                percent(found.good),
                percent(found.found),
                percent(found.oracle),
                f"{percent(own.good)}, {percent(own.found)}",
            )


def night_rows(lots: Lots) -> Iterator[tuple[Any, ...]]:
    """Lists by three earlier nights."""
    for name, of in lots.items():
        nights = list(zip(*(of[f"night {number}"] for number in range(1, NIGHTS + 1)), strict=True))
        decisions = [
            lot_thresholds(lot.scores, earlier_nights=[night.scores for night in earlier])
            for lot, earlier in zip(of["tonight"], nights, strict=True)
        ]
        found = listed(of["tonight"], [one.suspect_threshold for one in decisions])
        own = decided(of["tonight"])
        scores = round(np.mean([one.reference_count for one in decisions]))
        yield (
            name,
            scores,
            str(decisions[0].basis),
            percent(found.good),
            percent(found.found),
            percent(found.oracle),
            f"{percent(own.good)}, {percent(own.found)}",
        )


def p_rows(lots: Lots) -> Iterator[tuple[Any, ...]]:
    """How often p-values of good parts are small, by what they rest on."""
    for name, of in lots.items():
        nights = list(zip(*(of[f"night {number}"] for number in range(1, NIGHTS + 1)), strict=True))
        bases = {
            "the lot itself, clean": [(lot, {}) for lot in of["clean"]],
            "the lot itself, 10 % defective": [(lot, {}) for lot in of["factory"]],
            "earlier nights": [
                (lot, {"earlier_nights": [night.scores for night in earlier]})
                for lot, earlier in zip(of["tonight"], nights, strict=True)
            ],
            "20 known good parts": [
                (Lot(lot.scores[:-20], lot.defective[:-20]), {"good_scores": lot.scores[-20:]})
                for lot in of.get("known 20", [])
            ],
        }
        for basis, drawn in bases.items():
            values = [lot_thresholds(lot.scores, **known).p_values[~lot.defective] for lot, known in drawn]
            if values:
                together = np.concatenate(values)
                yield name, basis, *(percent(float((together <= level + 1e-9).mean())) for level in P_LEVELS)


def distribution_rows(draws: int) -> Iterator[tuple[Any, ...]]:
    """Clean lots of known distributions: the share listed, and the lots of which anything is flagged."""
    for name, draw in DISTRIBUTIONS.items():
        row = []
        for size in (10, 40, 100, 400):
            rng = np.random.default_rng(size)
            lots = [draw(rng, size) for _ in range(draws)]
            found = [lot_thresholds(lot) for lot in lots]
            both = list(zip(lots, found, strict=True))
            share = np.mean([(lot >= one.suspect_threshold).mean() for lot, one in both])
            flagged = np.mean([lot.max() >= one.flag_threshold for lot, one in both])
            row.append(f"{percent(float(share))}, {percent(float(flagged))}")
        yield name, *row


def mean(found: Sequence[Listed], name: str) -> float:
    """Mean of one figure."""
    return float(np.mean([getattr(one, name) for one in found]))


def pair(found: Sequence[Listed]) -> str:
    """Mean shares found and of good parts."""
    return f"{percent(mean(found, 'found'))} / {percent(mean(found, 'good'))}" if found else "–"


def percent(share: float) -> str:
    """A share as a table shows it."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def show(title: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """Print a table that Markdown understands."""
    print(f"\n{title}\n", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", sep="\n")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path, help="folder that benchmarks.decisions.draws wrote")
    parser.add_argument("--draws", type=int, default=100, help="lots of each known distribution")
    options = parser.parse_args(arguments)
    lots = {path.stem: load(path) for path in sorted(options.drawn.glob("*.npz"))}
    listing = ("found", "oracle", "good listed", "flagged", "good flagged", "lots with a flag")
    show(
        "Rules",
        ("rule", "strengths", "factory", "clean", "worst clean", "mixed run", "its good parts"),
        rule_rows(lots),
    )
    kinds = ("factory", "clean", "mixed run", "mixed run, clean", "all good", "all good, clean", "whole")
    show("Products", ("lots", "product", "good + defective", *listing), product_rows(lots, kinds))
    show("Sizes", ("N", *(f"{share:.0%} defective" for share in SHARES)), size_rows(lots))
    known = ("promised", "good listed", "found", "oracle", "own rule: good, found")
    show("Known good parts", ("product", "known", *known), known_rows(lots))
    show("Earlier nights", ("product", "scores", "basis", *known[1:]), night_rows(lots))
    show("p-values", ("product", "basis", *(f"p ≤ {level}" for level in P_LEVELS)), p_rows(lots))
    show("Known distributions", ("good scores", "N=10", "N=40", "N=100", "N=400"), distribution_rows(options.draws))


if __name__ == "__main__":
    main()
