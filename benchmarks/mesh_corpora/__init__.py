"""Public packages that carry model files, and independent readers of such files to compare with."""
