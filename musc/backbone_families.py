"""The families of backbones, and those known by name. Plain data, so that listing them imports no model library.

`musc.backbones.families` imports the module of a family when one of its names is used.
"""

from dataclasses import dataclass
from types import MappingProxyType

OPENAI_CLIP_NAMES = ("ViT-B-16", "ViT-B-32", "ViT-L-14", "ViT-L-14-336")
"""CLIP models whose default weights are OpenAI's own."""

CLIP_NAMES = (*OPENAI_CLIP_NAMES, "ViT-B-16-plus-240")
"""CLIP models with published MuSc numbers."""

DINO_MODELS = MappingProxyType(
    {
        "dino_vitbase16": "vit_base_patch16_224.dino",
        "dino_vits16": "vit_small_patch16_224.dino",
        "dino_vitb16": "vit_base_patch16_224.dino",
        "dinov2_vits14": "vit_small_patch14_dinov2.lvd142m",
        "dinov2_vitb14": "vit_base_patch14_dinov2.lvd142m",
        "dinov2_vitl14": "vit_large_patch14_dinov2.lvd142m",
        "dinov2_vitg14": "vit_giant_patch14_dinov2.lvd142m",
        "dinov2_vits14_reg": "vit_small_patch14_reg4_dinov2.lvd142m",
        "dinov2_vitb14_reg": "vit_base_patch14_reg4_dinov2.lvd142m",
        "dinov2_vitl14_reg": "vit_large_patch14_reg4_dinov2.lvd142m",
        "dinov2_vitg14_reg": "vit_giant_patch14_reg4_dinov2.lvd142m",
        "dinov3_vits16": "vit_small_patch16_dinov3.lvd1689m",
        "dinov3_vits16plus": "vit_small_plus_patch16_dinov3.lvd1689m",
        "dinov3_vitb16": "vit_base_patch16_dinov3.lvd1689m",
        "dinov3_vitl16": "vit_large_patch16_dinov3.lvd1689m",
        "dinov3_vith16plus": "vit_huge_plus_patch16_dinov3.lvd1689m",
        "dinov3_vit7b16": "vit_7b_patch16_dinov3.lvd1689m",
    }
)
"""The name users know (that of the torch hub; `dino_vitbase16` is the MuSc authors') to timm's `architecture.tag`."""

LITE_MODELS = MappingProxyType({f"efficientnet-lite{size}": f"tf_efficientnet_lite{size}" for size in (0, 1, 2)})
"""Small convolutional networks whose ImageNet weights are installed with this project, to timm's names of them."""

LITE0_NAME = "efficientnet-lite0"

TEXTURE_NAME = "texture"

TIMM_PREFIX = "timm:"
"""Any other convolutional network of timm, or ViT with a class token, is `timm:` and its timm name."""


def all_names() -> tuple[str, ...]:
    """Every backbone with a name of its own, the default first, then the paper's."""
    return (*LITE_MODELS, *CLIP_NAMES, *DINO_MODELS, TEXTURE_NAME)


PAPER_DEGREES, PAPER_RSCIN_WINDOWS = (1, 3, 5), (1, 2, 3)
CONVOLUTIONAL_DEGREES, CONVOLUTIONAL_RSCIN_WINDOWS = (1, 3), (1,)
"""Chosen on real photographs (docs/backbones.md): levels see neighbourhoods by themselves, and image embeddings of
convolutional networks tell apart what parts show rather than whether they are defective."""


@dataclass(frozen=True)
class BackboneFamily:
    """A family of backbones."""

    resolving: str
    """Its module in `musc.backbones` that knows its names; loads no torch where they are the project's own."""
    building: str
    """Its module that loads models; may be the same."""
    named: str
    """Its names, as the help of `--backbone` says them."""
    names: tuple[str, ...] = ()
    """Those that are the project's own."""
    degrees: tuple[int, ...] = PAPER_DEGREES
    rscin_windows: tuple[int, ...] = PAPER_RSCIN_WINDOWS
    """Defaults of the two options that suit its features."""
    float32_only: bool = False


_CONVOLUTIONAL = CONVOLUTIONAL_DEGREES, CONVOLUTIONAL_RSCIN_WINDOWS
FAMILIES = MappingProxyType(
    {
        "efficientnet_lite": BackboneFamily(
            "efficientnet_lite.spec",
            "efficientnet_lite.loading",
            f"{', '.join(LITE_MODELS)} (installed)",
            tuple(LITE_MODELS),
            *_CONVOLUTIONAL,
        ),
        "dino": BackboneFamily(
            *("vision_transformers.dino", "vision_transformers.dino"),
            "a name such as dinov2_vitl14",
            tuple(DINO_MODELS),
        ),
        "clip": BackboneFamily("vision_transformers.clip", "vision_transformers.clip", "any open_clip ViT"),
        "convolutional": BackboneFamily(
            *("convolutional", "convolutional"), f"{TIMM_PREFIX}MODEL", (), *_CONVOLUTIONAL
        ),
        "texture": BackboneFamily(
            *("texture.spec", "texture.network"),
            f"{TEXTURE_NAME}, a filter bank for trials",
            (TEXTURE_NAME,),
            float32_only=True,
        ),
    }
)


def described_families() -> str:
    """The names that each family takes, as the help of `--backbone` says them.

    >>> described_families().split(", ")[-2:]
    ['or texture', 'a filter bank for trials']
    """
    *others, last = (family.named for family in FAMILIES.values())
    return f"{', '.join(others)}, or {last}"
