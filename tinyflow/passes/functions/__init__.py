"""Parts of `fuse_function`: chains of functions of one element, their steps, and known ones."""
