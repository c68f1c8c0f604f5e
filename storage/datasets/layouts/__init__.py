"""How each labelled dataset lies on disk: a module for each, by the name that commands take."""

from storage.datasets.layouts import btad, kolektor, mvtec_ad, mvtec_ad_2, mvtec_loco, real_iad, visa
from storage.datasets.records import Layout

LAYOUTS: dict[str, Layout] = {
    "mvtec_ad": mvtec_ad.LAYOUT,
    "visa": visa.LAYOUT,
    "btad": btad.LAYOUT,
    "mvtec_loco": mvtec_loco.LAYOUT,
    "mvtec_ad_2": mvtec_ad_2.LAYOUT,
    "real_iad": real_iad.LAYOUT,
    "kolektor_sdd": kolektor.SDD,
    "kolektor_sdd2": kolektor.SDD2,
    "folder": mvtec_ad.LAYOUT,
}
