"""The rooms of the package whose names are public."""

ROOMS = [
    "datasets",
    "evaluation",
    "loaders",
    "models",
    "renderer",
    "renderer.backends",
    "service",
    "training",
]
