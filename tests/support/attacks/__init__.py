"""A small site with two worlds in it, and everybody who may see one of them, both, or none."""
