"""What people must know of a backbone; pages show it in their language."""

from types import MappingProxyType

from musc.backbone_families import TEXTURE_NAME

CAUTIONS = MappingProxyType(
    {
        TEXTURE_NAME: "Scored with the built-in texture backbone, which is for trying out: on photographs of real "
        "parts it is hardly better than chance. Use a backbone with trained weights before you act on this result.",
    }
)
"""What must be known of any result made with a backbone, by its name."""
