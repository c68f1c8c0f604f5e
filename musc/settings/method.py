"""The options of the method together: what decides the scores of a lot, of a benchmark's, and of watched images.

Bases stand from the last to the first, as pydantic lists the fields of the last base first.
"""

from musc.settings.comparison import ComparisonSettings, Degrees, EarlierRuns, ReferenceSettings
from musc.settings.large_pictures import TileSettings
from musc.settings.network_and_sizes import FeatureSettings, OneBackbone, Proportions
from musc.settings.scores_of_images import ImageScoreSettings, RescoringSettings, Windows


class PatchSettings(ImageScoreSettings, ComparisonSettings, FeatureSettings):
    """How images become features, how patches are compared, and what makes an image's score of them."""


class BenchmarkSettings(RescoringSettings, TileSettings, ReferenceSettings, Proportions, PatchSettings):
    """Method: everything that decides the scores of a lot, given its images, but for the network and earlier lots."""


class Settings(EarlierRuns, BenchmarkSettings, OneBackbone):
    """Method: everything that decides the scores of a lot, given its images."""


class WatchSettings(EarlierRuns, PatchSettings, OneBackbone):
    """Method: everything that decides the score of one image, given its references."""


class ChosenSettings(Settings):
    """Settings with every choice made that depends on the backbone; see `musc.backbones.with_defaults`."""

    backbone: str
    degrees: Degrees
    rscin_windows: Windows
