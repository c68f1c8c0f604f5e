"""How the packaged backbone was made: textures drawn on the fly, the loss, the loop, the selection. Not shipped."""
