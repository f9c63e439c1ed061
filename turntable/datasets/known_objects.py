"""Objects of ShapeNetCore v2 that are known by name: its 19 car folders without a mesh.

The published lists of 3DIEBench name all 52,491 folders of ShapeNetCore v2, of which these hold no
``models/model_normalized.obj``; without them 52,472 objects remain, as the paper counts. Kubric's denylist
(``shapenet2kubric/shapenet_denylist.py``) names the same 19, and the published labels have the histogram of
classes that is left without them.
"""

_CARS = "02958343"

EMPTY_CARS: tuple[str, ...] = tuple(
    f"{_CARS}/{name}"
    for name in (
        "207e69af994efa9330714334794526d4",
        "2307b51ca7e4a03d30714334794526d4",
        "302612708e86efea62d2c237bfbc22ca",
        "3c33f9f8edc558ce77aa0b62eed1492",
        "3ffeec4abd78c945c7c79bdb1d5fe365",
        "407f2811c0fe4e9361c6c61410fc904b",
        "4ddef66f32e1902d3448fdcb67fe08ff",
        "5973afc979049405f63ee8a34069b7c5",
        "5bf2d7c2167755a72a9eb0f146e94477",
        "7aa9619e89baaec6d9b8dfa78596b717",
        "806d740ca8fad5c1473f10e6caaeca56",
        "8070747805908ae62a9eb0f146e94477",
        "93ce8e230939dfc230714334794526d4",
        "986ed07c18a2e5592a9eb0f146e94477",
        "9fb1d03b22ecac5835da01f298003d56",
        "d6ee8e0a0b392f98eb96598da750ef34",
        "e6c22be1a39c9b62fb403c87929e1167",
        "ea3f2971f1c125076c4384c3b17a86ea",
        "f5bac2b133a979c573397a92d1662ba5",
    )
)
"""In sorted order, as "synset/id"."""

SHAPENET_V2_FOLDERS = 52_491
"""Objects that ShapeNetCore v2 has by name, the empty cars among them."""
