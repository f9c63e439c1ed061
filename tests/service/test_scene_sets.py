"""Sets of scenes are served, and no views of them are rendered on request."""

import asyncio
from pathlib import Path

import pytest

from turntable.datasets import ObjectRecord, load_recipe
from turntable.service.catalog import DatasetCatalog
from turntable.service.rendering import RenderingIsOffError, RenderService, RenderSettings, make_render_job
from turntable.testing.datasets import write_synthetic_dataset


def test_views_of_scenes_are_not_rendered_on_request(tmp_path: Path) -> None:
    recipe = load_recipe("scenes").replace(views=2, image_size_px=16)
    write_synthetic_dataset(
        tmp_path / "set", recipe, [ObjectRecord("scene/000000", "scene", "train", "zoo", "")]
    )
    entry = DatasetCatalog([tmp_path]).find_entry("set")
    assert entry is not None
    service = RenderService(RenderSettings())
    try:
        assert not service.can_render(entry)
        job = make_render_job(entry, ("train", 0), 0, {"floor_hue": 0.5}, None, None)
        with pytest.raises(RenderingIsOffError, match="the objects of set move in scenes"):
            asyncio.run(service.render(entry, job))
    finally:
        service.close()
