"""What a user may choose about the method: every option once, with its description, default and range.

| module | its options say |
|---|---|
| `network_and_sizes` | with which network, and at which size, images become features |
| `comparison` | how patches are compared, and with which images |
| `large_pictures` | whether large pictures are scored in parts |
| `scores_of_images` | what makes an image's score of its map |
| `flagged_images` | which images are flagged or suspect, given their scores |

`method` puts the first four together: `Settings` decide the scores of a lot, given its images. What decides neither
scores nor decisions, where the work is done and with how much memory, is `planning.resources.Resources`.

Flows take the models whole. The command line, the form of a deployment and docs/options.md are made from the fields; a
new option is one field in its module, and the place that uses it. Importing this package loads no torch.
"""

from musc.settings.flagged_images import Decisions, WatchDecisions
from musc.settings.large_pictures import WITHOUT_TILES
from musc.settings.method import BenchmarkSettings, ChosenSettings, PatchSettings, Settings, WatchSettings
from musc.settings.network_and_sizes import DEFAULT_BACKBONE, PAPER_BACKBONE, BackboneArguments, ImageSize, ImageSizes
from musc.settings.scores_of_images import ImageScore, needs_usual

__all__ = [
    "DEFAULT_BACKBONE",
    "PAPER_BACKBONE",
    "WITHOUT_TILES",
    "BackboneArguments",
    "BenchmarkSettings",
    "ChosenSettings",
    "Decisions",
    "ImageScore",
    "ImageSize",
    "ImageSizes",
    "PatchSettings",
    "Settings",
    "WatchDecisions",
    "WatchSettings",
    "needs_usual",
]
