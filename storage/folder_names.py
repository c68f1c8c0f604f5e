"""What lies directly in a folder of a store, told by one listing that looks into nothing."""

from storage.store import Store


def names_in(store: Store, folder: str) -> list[str]:
    """Names of the files and folders in a folder, sorted; none if it is missing."""
    store.filesystem.invalidate_cache()
    base = store.full(folder).rstrip("/")
    try:
        paths = [str(path).rstrip("/") for path in store.filesystem.ls(base, detail=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(path.rpartition("/")[2] for path in paths if path != base)  # object stores list the folder's marker
