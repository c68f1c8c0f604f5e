"""Verdicts about many images at once, as one action, and the last actions about a lot with what undoes them."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from reports.languages.current import gettext as _
from reports.sentences import counted
from reports.verdicts.words import verdict_words
from storage.results.verdicts import WITHDRAWN, Content, Undo, Verdict, undone
from web.judging.form import said_in, sent_object, token_in, verdict_about
from web.lot import Lot

ACTIONS_SHOWN = 10


class ActionRow(TypedDict):
    """An action as a page lists it."""

    action: str
    name: str
    time: str
    text: str
    """What was done, in words."""
    undone_by: str


def verdicts_from(body: bytes, lot: Lot) -> tuple[list[Verdict], str]:
    """The verdicts in the body of a request about images of a lot, and the sender's token; see `VerdictReader.add`.

    Raises:
        ValueError: if it is no JSON object, or a field is out of range, by name.
    """
    sent = sent_object(body)
    ids, looked, token = sent.get("images"), sent.get("looked"), token_in(sent)
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise ValueError("images must be the names of one image or more, got something else; select images again")
    if unknown := [one for one in ids if one not in lot.positions]:
        raise ValueError(
            f"images must be scored images of the lot, got {len(unknown)} others, such as {unknown[0][:80]!r}; "
            "select them again"
        )
    if not isinstance(looked, bool):
        raise ValueError(f"looked must be true or false, got {looked!r}; reload the page")
    ids = list(dict.fromkeys(ids))
    said = said_in(sent, lot)
    positions = [lot.positions[image_id] for image_id in ids]
    return [verdict_about(lot, one, said, looked=looked, at_once=len(ids)) for one in positions], token


def last_actions(actions: Mapping[str, Content]) -> list[ActionRow]:
    """The last actions about a lot, the latest first.

    Args:
        actions: all of them by their names, the earliest first.
    """
    by = undone(actions)
    return [row_of(actions, action, by.get(action, "")) for action in list(actions)[: -ACTIONS_SHOWN - 1 : -1]]


def row_of(actions: Mapping[str, Content], action: str, undone_by: str) -> ActionRow:
    """An action as a page lists it."""
    content = actions[action]
    if isinstance(content, Undo):
        earlier = actions.get(content.undoes, ())
        text = _("undid an undoing") if isinstance(earlier, Undo) else _("undid: %(action)s", action=describe(earlier))
        return ActionRow(action=action, name=content.name, time=content.time, text=text, undone_by=undone_by)
    first = content[0]
    return ActionRow(
        action=action, name=str(first["name"]), time=first["time"], text=describe(content), undone_by=undone_by
    )


def describe(verdicts: Sequence[Mapping[str, object]]) -> str:
    """What an action says, in words.

    >>> seven = {"path": "7.png", "verdict": "defective", "kind": "dent", "severity": "minor", "looked": True}
    >>> describe([seven])
    '7.png judged defective, dent, minor'
    >>> describe([{**seven, "verdict": "good", "kind": "", "severity": "", "looked": False}] * 200)
    '200 images judged good, not looked at'
    """
    if not verdicts:
        return _("an action that is gone")
    first = verdicts[0]
    about = str(first["path"]) if len(verdicts) == 1 else counted(len(verdicts), "image")
    if first["verdict"] == WITHDRAWN:
        return _("%(images)s: verdict taken back", images=about)
    words = verdict_words(str(first["verdict"]), str(first["kind"]), str(first["severity"]))
    said = _("%(images)s judged %(verdict)s", images=about, verdict=words)
    return said if first["looked"] else _("%(said)s, not looked at", said=said)


def latest_of(actions: Mapping[str, Content], name: str) -> str:
    """The last action of a person that gave verdicts and still counts.

    Raises:
        ValueError: if there is none.
    """
    by = undone(actions)
    for action in reversed(list(actions)):
        content = actions[action]
        if not isinstance(content, Undo) and content[0]["name"] == name and action not in by:
            return action
    raise ValueError(f"name must be that of somebody with verdicts to undo, got {name!r}; there is nothing to undo")
