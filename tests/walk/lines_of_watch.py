"""`musc watch`: what each option is said to do, looked at in the rows, on the console and at a receiver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from tests.walk.lines_of_lots import RECORDED, REFUSED
from tests.walk.lines_of_score import judge
from tests.walk.walk import HEIGHT, WIDTH, Walk, draw, line, options_of_commands, part


def known_good(walk: Walk) -> str:
    return str(walk.place / "good")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    got: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *told: Any) -> None:
        pass


def started(walk: Walk) -> None:
    """One watch with everything that goes together."""
    draw(walk.place / "came", range(50, 53), bad=(52,))
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    given = {name: RECORDED[name][0] for name in ("layers", "degrees", "interval", "match_radius", "image_size")}
    given["image_score"] = RECORDED["image_score"][0]
    given |= {name: RECORDED[name][0] for name in ("precision", "device", "memory", "block_images", "false_alarms")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        url = f"http://127.0.0.1:{server.server_port}/flagged"
        ran = walk.watch(
            "came", 3, good=known_good(walk), category="cap", webhook=url, suspects=0.2, events=False, **given
        )
    assert ran.code == 0, ran.output
    server.shutdown()
    server.server_close()


def once(walk: Walk) -> str:
    """The console of that watch, made once."""
    if not (walk.place / "came-store").exists():
        started(walk)
    return next(ran.output for words, ran in walk.known.items() if words[:2] == ("watch", str(walk.place / "came")))


@line("watch", "folder", "output", "good", "category", "webhook", "backbone", "events", "device")
def rows(walk: Walk) -> None:
    console = once(walk)
    table = walk.rows("came").set_index("path")
    assert set(table.index) == {"50.png", "51.png", "52.png"}
    assert set(table["category"]) == {"cap"}
    assert table.loc["52.png", "decision"] == "flagged"
    assert {row["path"] for row in Receiver.got} == set(table.index[table["decision"] == "flagged"])
    assert "9 references" in console
    assert console.index("loading torch …") < console.index("loading the network texture …") < console.index("9 refer")
    assert "runs in this process, without a server" in console
    assert "backbone texture, device cpu" in console
    walk.watch("came", events=True, good=known_good(walk)).refused("events must go with a configured API")


RECORDED_BY_WATCH = ("image_size", "layers", "degrees", "interval", "match_radius", "image_score", "precision")


@line("watch", *RECORDED_BY_WATCH)
def how_it_compares(walk: Walk) -> None:
    once(walk)
    (place,) = (walk.place / "came-store").glob("watch/*/references.json")
    job = json.loads(place.read_text())["job"]
    for name in ("degrees", "interval", "match_radius", "image_score"):
        assert job["settings"][name] == RECORDED[name][2], name
    assert [layer["number"] for layer in job["backbone"]["layers"]] == RECORDED["layers"][2]
    assert [backbone["image_size"] for backbone in (*job["smaller"], job["backbone"])] == [[32, 32], [48, 48]]
    assert job["backbone"]["precision"] == "float32"


@line("watch", "threshold", "false_alarms", "suspects")
def decisions(walk: Walk) -> None:
    draw(walk.place / "given", range(60, 61))
    walk.watch("given", good=known_good(walk), threshold=0.01)
    (row,) = walk.rows("given").to_dict("records")
    assert (row["threshold"], row["decision"]) == (0.01, "flagged")
    rows = {}
    given = {"as-usual": {}, "fewer-alarms": {"false_alarms": 0.01}, "more-suspects": {"suspects": 0.5}}
    for name, value in given.items():
        folder = draw(walk.place / name, range(60, 61)).name
        walk.watch(folder, good=known_good(walk), **value)
        (rows[name],) = walk.rows(folder).to_dict("records")
    assert rows["fewer-alarms"]["threshold"] > rows["as-usual"]["threshold"]
    assert rows["more-suspects"]["suspect_threshold"] < rows["as-usual"]["suspect_threshold"]


@line("watch", "memory", "block_images")
def resources(walk: Walk) -> None:
    draw(walk.place / "blocks", range(60, 61))
    ran = walk.watch("blocks", good=known_good(walk), block_images=8)
    assert ran.code == 0, ran.output
    assert len(list((walk.place / "blocks-store" / "features").iterdir())) == 2, "9 good photographs, 8 and 1"
    short = walk.watch("blocks", good=known_good(walk), memory="100KB")
    assert short.code == 2
    assert "memory must hold" in short.output
    assert "kB" in short.output or "MB given" in short.output


@line("watch", "references_from", "good_from_verdicts", "ignore_drawn", "roi")
def references(walk: Walk) -> None:
    store = str(walk.place / "earlier-store")
    first = walk.score(output=store, category="cap")
    judge(walk, "earlier-store", "3.png")
    accepted = int((first.table["decision"] == "accepted").sum())
    draw(walk.place / "earlier", range(70, 71))
    given = {"references_from": f"runs/{first.folder.name}", "category": "cap", "threshold": 0.3}
    assert f"{accepted} references" in walk.watch("earlier", **given).output
    judged = {"output": store, "category": "cap", "threshold": 0.3, "good_from_verdicts": True}
    assert "1 references" in walk.watch("earlier", **judged).output
    draw(walk.place / "masked", range(71, 72), bad=(71,))
    clean, flaw = part(30), part(71, bad=True, flaw=33).crop((WIDTH // 2, 0, WIDTH, HEIGHT))
    clean.paste(flaw, (WIDTH // 2, 0))
    clean.save(walk.place / "masked" / "71.png")
    whole = {"good": known_good(walk), "threshold": 0.3, "category": "cap"}
    walk.watch("masked", roi=str(walk.place / "mask.png"), **whole)
    assert walk.rows("masked")["peak_x"].max() <= WIDTH // 2
    drawn = walk.watch("earlier", output=store, ignore_drawn=True, **whole)
    assert "no place is drawn" not in drawn.output
    walk.watch("masked", roi=str(walk.place / "masks"), **whole).refused("roi must be one mask file for watch")


@line("watch", "poll")
def poll(walk: Walk) -> None:
    draw(walk.place / "share", range(80, 81))
    with pytest.MonkeyPatch.context() as patch:
        from tasks.watching import folder_events

        patch.setattr(folder_events, "Observer", None)  # a share that tells nothing
        ran = walk.watch(
            "share", 2, lambda: draw(walk.place / "share", range(81, 82)) and None, poll=True, good=known_good(walk)
        )
    assert ran.code == 0, ran.output
    assert set(walk.rows("share")["path"]) == {"80.png", "81.png"}


for _command, _name in options_of_commands():
    if _command == "watch" and _name in ("weights", "quick_gelu", "position_antialias"):

        def refused(walk: Walk, name: str = _name) -> None:
            draw(walk.place / "came", range(50, 53), bad=(52,))
            typed, message = REFUSED[name]
            walk.watch("came", good=known_good(walk), **{name: typed}).refused(message)

        line("watch", _name)(refused)
