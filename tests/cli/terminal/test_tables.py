"""Tables on the console: names of files and categories are shown as they are, never read as markup."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from cli.terminal import tables
from cli.terminal.tables import ROWS_SHOWN, metric_tables, ranking, show_benchmark, show_run, show_stored
from musc.decisions.decision_words import Basis
from storage.artefacts import writing
from storage.results.runs import IMAGES, SCORES, write_record
from storage.results.top_of_scores import RankedImage, Ranking
from storage.store import Store
from storage.tables import write_table
from tests.flat import job_of, record_of

NET = replace(job_of().backbone, name="net[b]", image_size=(64, 96))
RECORD = record_of(job_of(backbone=NET), notes=("A note [i]of[/i] the run.",))
DECIDED = {"threshold": 0.7531, "flag_basis": Basis.GIVEN, "flagged_count": 1}
RECORD = RECORD.model_copy(update={"decision": RECORD.decision.model_copy(update=DECIDED)})
MARKUP = ["[red]a[/red].png", "[/].png", "[link=x]b.png", "c\\[bold].png"]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Console:
    """A wide console that keeps what is printed."""
    screen = Console(width=200, record=True)
    monkeypatch.setattr(tables, "console", screen)
    return screen


def scores_of(paths: list[str]) -> pd.DataFrame:
    count = len(paths)
    return pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "path": paths,
            "score": np.linspace(0.9, 0.1, count),
            "raw_score": np.linspace(0.8, 0.2, count),
            "p_value": np.linspace(0.0001, 0.9, count),
            "peak_x": 11,
            "peak_y": 13,
            "decision": ["flagged"] + ["accepted"] * (count - 1),
            "group": [0] * (count - 1) + [7],
        }
    )


def ranking_of(paths: list[str]) -> Ranking:
    names = [field.name for field in fields(RankedImage)]
    rows = scores_of(paths)[names].head(ROWS_SHOWN).itertuples(index=False)
    return Ranking(len(paths), tuple(RankedImage(*row) for row in rows))


def test_narrow_window_shows_names_whole_and_says_what_it_leaves_out() -> None:
    names = ["line3_camera2_20261121_000084.png", "部品-0001.png"]
    for width, left_out in ((80, "p, score, peak at x, y"), (60, "p, score, peak at x, y, decision, group"), (120, "")):
        screen = Console(width=width, record=True)
        screen.print(ranking(ranking_of(names), width))
        text = screen.export_text()
        assert all(name in text for name in (*names, "0.8000"))
        assert (f"A wider window shows {left_out} too." in " ".join(text.split())) == bool(left_out)
        assert max(len(line) for line in text.splitlines()) <= width


def metrics_of(categories: list[str], **changes: str) -> pd.DataFrame:
    whole = {"backbone": "texture", "image_size": "256", "metric": "image_auroc", "value": 0.75}
    whole |= {"published": np.nan, "published_of": "", "difference": np.nan}
    whole |= {"images": 10, "without_mask": 0, "good": 7, "defective": 3, "not_read": "Not read: 8 image files in old."}
    return pd.DataFrame([{**whole, "category": category, **changes} for category in categories])


def test_ranking_shows_markup_in_names_literally(screen: Console) -> None:
    screen.print(ranking(ranking_of(MARKUP)))
    shown = screen.export_text()
    for name in MARKUP:
        assert name in shown


def test_ranking_lets_no_name_drive_the_terminal(screen: Console) -> None:
    screen.print(ranking(ranking_of(["\x1b[31mevil\x07\n.png"])))
    assert r"\x1b[31mevil\x07\x0a.png" in screen.export_text()


def test_ranking_shows_codes_of_emoji_literally() -> None:
    names = ["a:100:.png", "cam:8ball:1.png", ":smile:.png"]
    with tables.console.capture() as captured:
        tables.console.print(ranking(ranking_of(names)))
    for name in names:
        assert name in captured.get()


def test_ranking_lets_no_name_change_the_direction_of_writing(screen: Console) -> None:
    screen.print(ranking(ranking_of(["a\u202egnp.exe", "b\u200b.png"])))
    shown = screen.export_text()
    assert r"a\u202egnp.exe" in shown
    assert r"b\u200b.png" in shown


def test_ranking_shows_the_first_rows(screen: Console) -> None:
    screen.print(ranking(ranking_of([f"part{number}.png" for number in range(ROWS_SHOWN + 7)])))
    shown = screen.export_text()
    assert f"Most anomalous of {ROWS_SHOWN + 7} images" in shown
    assert f"part{ROWS_SHOWN - 1}.png" in shown
    assert f"part{ROWS_SHOWN}.png" not in shown
    assert "11, 13" in shown
    assert "< 0.001" in shown
    assert shown.count("flagged") == 1
    assert shown.count("accepted") == ROWS_SHOWN - 1


def test_run_with_markup_in_its_place_is_shown_literally(screen: Console, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "[red]out[" / "x"))
    with writing(store, "runs/[b]night[/b]-0") as staging:
        write_table(store, f"{staging.path}/{SCORES}", scores_of(MARKUP[:3]))
        images = pd.DataFrame({"path": [*MARKUP[:3], "notes.txt"], "status": [*["ok"] * 3, "not_an_image"]})
        write_table(store, f"{staging.path}/{IMAGES}", images)
        warnings = ["2 images share [b]a look[/b]."]
        told = {"warnings": tuple(warnings), "images": {"ok": 3, "not_an_image": 1}}
        write_record(store, staging.path, RECORD.model_copy(update=told).model_dump(mode="json"))
    with writing(store, "runs/[b]night[/b]-0/export-yolo-segments") as staging:
        store.write(f"{staging.path}/yolo-segments.zip", b"")
    show_run(store.url, "runs/[b]night[/b]-0", ["the report [i]failed[/i]"])
    shown = screen.export_text()
    assert "1 of 4 files was not scored (1 not_an_image); images.parquet says why." in shown
    assert "[red]out[/x/runs/[b]night[/b]-0" in shown
    assert "Look at 1 of 3 images: it is flagged.\nFlagged from a raw score of 0.7531 on, as given." in shown
    assert "Warning: 2 images share [b]a look[/b]." in shown
    assert "warning: the report [i]failed[/i]" in shown
    assert "Scored with net[b] at 64 x 96 pixels." in shown
    assert "A note [i]of[/i] the run." in shown
    assert "\n  export-yolo-segments  results as yolo-segments" in shown
    assert "\n  scores.parquet        a row per scored image" in shown, "texts begin in one column"


def test_benchmark_shows_markup_in_categories_literally(screen: Console, tmp_path: Path) -> None:
    categories = ["[red]cap[/red]", "[/]", "mean"]
    write_table(Store(str(tmp_path)), "benchmarks/[x]/metrics.parquet", metrics_of(categories))
    show_benchmark(str(tmp_path), "benchmarks/[x]/metrics.parquet")
    shown = screen.export_text()
    for text in (*categories, "75.0", "benchmarks/[x]/metrics.parquet"):
        assert text in shown


@pytest.mark.parametrize("ending", ["", "/", "/metrics.parquet"])
def test_stored_benchmark_is_found_by_its_folder_or_its_table(screen: Console, tmp_path: Path, ending: str) -> None:
    store = tmp_path / "runs" / "store"  # which may lie below a folder of any name
    write_table(Store(str(store)), "benchmarks/caps-1/metrics.parquet", metrics_of(["cap"]))
    show_stored(f"{store}/benchmarks/caps-1{ending}")
    assert "75.0" in screen.export_text()


def test_metrics_are_divided_into_as_few_tables_as_can_be_read() -> None:
    rows = pd.DataFrame([["cap", *"123456789"]], columns=["category", *(f"metric {number}" for number in range(9))])
    assert [len(table.columns) for table in metric_tables(rows)] == [1 + 5, 1 + 4]


def test_benchmark_shows_a_table_for_each_backbone(screen: Console, tmp_path: Path) -> None:
    both = [metrics_of(["cap"]), metrics_of(["cap"], backbone="ViT-L-14-336", image_size="518")]
    write_table(Store(str(tmp_path)), "metrics.parquet", pd.concat(both))
    show_benchmark(str(tmp_path), "metrics.parquet")
    shown = screen.export_text()
    assert shown.index("texture, maps and masks compared at 256 pixels") < shown.index(
        "ViT-L-14-336, maps and masks compared at 518 pixels"
    )
    assert shown.count("│ cap") == 2
    assert shown.count("Not read: 8 image files in old.") == 1


def test_benchmark_of_many_metrics_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    narrow = Console(width=120, record=True)
    monkeypatch.setattr(tables, "console", narrow)
    names = [f"pixel_auspro_0_0{number}{kind}" for kind in ("", "_structural") for number in range(9)]
    rows = [metrics_of(["breakfast_box"], metric=name).assign(value=n / 100) for n, name in enumerate(names)]
    write_table(Store(str(tmp_path)), "metrics.parquet", pd.concat(rows))
    show_benchmark(str(tmp_path), "metrics.parquet")
    shown = narrow.export_text()
    assert "…" not in shown
    assert "0.08" in shown
    for number in range(len(names)):
        assert f" {number}.0 " in shown
