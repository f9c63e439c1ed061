"""Recipes and sets of molecules for tests."""

from turntable.datasets import Recipe, load_recipe

IDS = ("ccd/ATP", "ccd/BNZ", "ccd/TRP", "ccd/CFF", "ccd/GLC", "ccd/CYN", "ccd/MTX")
"""A nucleotide, benzene, an amino acid with two rings, caffeine, a sugar, cyanide and methotrexate."""


def make_recipe(views: int = 2, outputs: tuple[str, ...] = (), **changes) -> Recipe:
    """The recipe of molecules with few views, and with changes in its table [molecules]."""
    table = load_recipe("molecules").to_dict()
    table |= {"views": views, "outputs": list(outputs), "image_size_px": 64}
    table["molecules"] |= changes
    return Recipe.from_dict(table)
