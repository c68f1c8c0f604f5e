"""Categories in a store: a dataset's folders and masks are listed once, and every later step reads what was found."""

from pydantic import TypeAdapter

from storage.artefacts import digest, is_complete, writing
from storage.datasets.records import Category
from storage.store import Store

FOLDER = "categories"
FILE = "category.json"
_CATEGORY = TypeAdapter(Category)


def write_category(store: Store, category: Category) -> str:
    """Make sure a category's list of images, labels and masks is stored.

    Returns:
        Its path in the store.
    """
    content = _CATEGORY.dump_json(category)
    path = f"{FOLDER}/{digest({'category': content.decode()})}"
    if not is_complete(store, path):
        with writing(store, path) as staging:
            store.write(f"{staging.path}/{FILE}", content)
    return path


def read_category(store: Store, path: str) -> Category:
    """A stored category."""
    return _CATEGORY.validate_json(store.read(f"{path}/{FILE}"))
