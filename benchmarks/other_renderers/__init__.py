"""Other renderers of the same scene, to compare with."""
