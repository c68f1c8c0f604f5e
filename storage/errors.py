"""What can be wrong with things on disk. Every error keeps its built-in parent, so plain `except` clauses work too."""


class StorageError(Exception):
    """Base of every error raised by `storage`."""


class NoImagesError(StorageError, ValueError):
    """A folder holds no image, or too few, to be scored."""


class UnopenedError(NoImagesError):
    """Too few images could be opened to be scored; with other permissions, or when a disk is back, it may be enough."""


class UnreadableImageError(StorageError, ValueError):
    """The bytes of one image cannot be turned into pixels; no retry will help."""


class ImageChangedError(StorageError, ValueError):
    """An image file no longer has the content that was listed."""


class IncompleteError(StorageError, FileNotFoundError):
    """A stored artefact lacks files it promises; the message names all of them."""


class FormatVersionError(StorageError, ValueError):
    """Something was stored by a release with another layout."""


class DamagedError(StorageError, ValueError):
    """A stored file is complete but does not hold what its name promises."""


class DatasetLayoutError(StorageError, ValueError):
    """A dataset folder does not have the layout its name promises; the message names every problem found."""


class UnknownReferencesError(StorageError, ValueError):
    """The record of a run does not say what the run was made from, so unused artefacts cannot be found."""
