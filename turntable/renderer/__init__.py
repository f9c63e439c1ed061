"""Numbers to pixels: meshes, the scene as a function of a label, backends, and generation. No torch."""
