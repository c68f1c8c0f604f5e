"""Versions of what each stage computes; they are part of the keys of its artefacts.

Raise one when its stage's results change: what was made by another version is then made again.
"""

FEATURES_VERSION = 3
AGGREGATED_VERSION = 2
PATCH_SCORES_VERSION = 2
GROUPS_VERSION = 5
RUN_VERSION = 10
RECORD_VERSION = 9
METRICS_VERSION = 4
PROFILE_VERSION = 3
CAUSES_VERSION = 4
REPORT_VERSION = 6
MAPS_VERSION = 2
EXPORTS_VERSION = 4
TRIAL_VERSION = 1
TUNING_VERSION = 3
