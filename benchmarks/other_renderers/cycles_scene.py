"""The original scene in Blender's Cycles, from arrays; runs in a Python that has ``bpy``, and no turntable.

    python cycles_scene.py job.json

It stands for the original generator (BlenderProc 2.5, Blender 3.4), of which the scene's numbers are copied
here on purpose: a peer that shares no code with the renderer it is compared to. Two lamps have changed since
Blender 3.x and are put back by shader nodes: the sun was even over a disk, not over a cone, and the spot had
one more factor, the cosine to its axis. Principled materials have changed too (no retro-reflection; diffuse
light shares its energy with the gloss) and are left as Blender has them today.
"""

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

SAMPLES = 100
NOISE_THRESHOLD = 0.01
SUN_STRENGTH = 1.5
SPOT_POWER_W = 500.0


def main(job_path: str) -> None:
    """Render every view of a job; times and version as one line of JSON at the end."""
    job = json.loads(Path(job_path).read_text())
    scene = empty_scene(job["image_size_px"], job["threads"])
    floor, spot = add_floor(), add_spot()
    add_sun()
    seconds = []
    for item in job["objects"]:
        arrays = np.load(item["mesh"])
        thing = add_object(arrays, item["materials"])
        for view in item["views"]:
            start = time.perf_counter()
            thing.matrix_world = matrix(view["object_to_world"])
            base_color(floor).default_value = (*view["floor_albedo"], 1.0)
            spot.data.color = view["light_color"]
            spot.location = view["light_position"]
            away = bpy_vector(view["light_position"]).normalized()
            spot.rotation_euler = away.to_track_quat("Z", "Y").to_euler()  # a lamp shines along its -z
            spot.data.node_tree.nodes["axis"].inputs[1].default_value = away
            picture = Path(view["picture"])
            scene.render.image_settings.file_format = "JPEG" if picture.suffix == ".jpg" else "PNG"
            scene.render.filepath = str(picture)
            bpy.ops.render.render(write_still=True)
            seconds.append(time.perf_counter() - start)
        remove(thing)
    print(json.dumps({"seconds": seconds, "version": bpy.app.version_string}))


def empty_scene(size: int, threads: int) -> Any:
    """Set up camera, world, film and sampling as in the original generator."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.data.sensor_width = 50, 36
    camera.data.clip_start, camera.data.clip_end = 0.1, 1000
    place = 2.5 * math.sqrt(0.5)
    camera.location = (0, place, place)
    camera.rotation_euler = bpy_vector((0, place, place)).to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.05, 0.05, 0.05, 1)
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    scene.render.image_settings.quality = 95
    scene.view_settings.view_transform, scene.view_settings.look = "Filmic", "None"
    cycles = scene.cycles
    cycles.device, cycles.samples = "CPU", SAMPLES
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, NOISE_THRESHOLD
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.max_bounces = cycles.diffuse_bounces = 3
    cycles.glossy_bounces = cycles.transmission_bounces = cycles.volume_bounces = 0
    cycles.transparent_max_bounces = 8
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    return scene


def add_floor() -> Any:
    """Add a Lambert plane at z = -1 that fills the picture."""
    mesh = bpy.data.meshes.new("floor")
    corners = [(x, y, -1.0) for x, y in ((-50, -50), (50, -50), (50, 50), (-50, 50))]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("floor")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    lambert = tree.nodes.new("ShaderNodeBsdfDiffuse")
    tree.links.new(lambert.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    mesh.materials.append(material)
    return linked("floor", mesh)


def base_color(floor: Any) -> Any:
    """Return the socket that holds the floor's albedo."""
    return floor.data.materials[0].node_tree.nodes["Diffuse BSDF"].inputs["Color"]


def add_sun() -> Any:
    """Add a sun, uniform over a unit disk at distance 1 as in Blender 3.x; 4.x spreads it over a cone."""
    lamp = bpy.data.lights.new("sun", "SUN")
    lamp.angle = math.pi / 2
    # 4.x: radiance strength / (pi sin^2 45) over the cone. Wanted: strength / pi a unit of the disk's area,
    # of which a solid angle takes 1 / cos^3.
    lamp.energy = SUN_STRENGTH / 2
    cosine = cosine_to_axis(lamp)
    tree = lamp.node_tree
    cube = tree.nodes.new("ShaderNodeMath")
    cube.operation = "POWER"
    cube.inputs[1].default_value = -3.0
    tree.links.new(cosine, cube.inputs[0])
    tree.links.new(cube.outputs[0], tree.nodes["Emission"].inputs["Strength"])
    return linked("sun", lamp)


def add_spot() -> Any:
    """Add a spot of 500 W within 22.5 degrees that falls off with the cosine, as in Blender 3.x."""
    lamp = bpy.data.lights.new("spot", "SPOT")
    lamp.energy, lamp.spot_size, lamp.spot_blend = SPOT_POWER_W, math.pi / 8, 0.15
    lamp.shadow_soft_size = 0.25
    if hasattr(lamp, "use_soft_falloff"):
        lamp.use_soft_falloff = False
    cosine = cosine_to_axis(lamp)
    lamp.node_tree.links.new(cosine, lamp.node_tree.nodes["Emission"].inputs["Strength"])
    return linked("spot", lamp)


def cosine_to_axis(lamp: Any) -> Any:
    """Return the socket of the cosine between a lamp's light and the vector in its node "axis"."""
    lamp.use_nodes = True
    tree = lamp.node_tree
    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    product = tree.nodes.new("ShaderNodeVectorMath")
    product.name, product.operation = "axis", "DOT_PRODUCT"
    product.inputs[1].default_value = (0, 0, 1)
    tree.links.new(geometry.outputs["Incoming"], product.inputs[0])
    size = tree.nodes.new("ShaderNodeMath")
    size.operation = "ABSOLUTE"
    tree.links.new(product.outputs["Value"], size.inputs[0])
    return size.outputs[0]


def add_object(arrays: Any, materials: list[dict[str, Any]]) -> Any:
    """Add a mesh: centered positions, triangles, and normals and texture coordinates per vertex."""
    positions, triangles = arrays["positions"], arrays["triangles"]
    mesh = bpy.data.meshes.new("object")
    mesh.from_pydata(positions.tolist(), [], triangles.tolist())
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    layer = mesh.uv_layers.new(name="uv")
    layer.data.foreach_set("uv", arrays["texcoords"][corners].astype(np.float32).ravel())
    mesh.polygons.foreach_set("material_index", arrays["material_index"])
    for material in materials:
        mesh.materials.append(principled(material))
    if arrays["has_normals"]:
        mesh.shade_smooth()
        mesh.normals_split_custom_set(arrays["normals"][corners].tolist())
    mesh.update()
    return linked("object", mesh)


def principled(values: dict[str, Any]) -> Any:
    """Make a Blender material from one of turntable's."""
    material = bpy.data.materials.new("material")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*values["base_color"], 1)
    shader.inputs["Specular IOR Level"].default_value = values["specular"]
    shader.inputs["Roughness"].default_value = values["roughness"]
    shader.inputs["Alpha"].default_value = values["alpha"]
    shader.inputs["Emission Color"].default_value = (*values["emission"], 1)
    shader.inputs["Emission Strength"].default_value = 1
    if values["texture"]:
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = bpy.data.images.load(values["texture"])
        tree.links.new(picture.outputs["Color"], shader.inputs["Base Color"])
        if values["texture_has_alpha"]:
            tree.links.new(picture.outputs["Alpha"], shader.inputs["Alpha"])
    return material


def linked(name: str, data: Any) -> Any:
    """Link an object into the scene."""
    made = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(made)
    return made


def remove(thing: Any) -> None:
    """Free an object with all that belongs to it."""
    mesh = thing.data
    bpy.data.objects.remove(thing)
    bpy.data.meshes.remove(mesh)
    bpy.ops.outliner.orphans_purge(do_recursive=True)


def matrix(rows: list[list[float]]) -> Any:
    """Convert to Blender's matrix."""
    from mathutils import Matrix

    return Matrix(rows)


def bpy_vector(values: Any) -> Any:
    """Convert to Blender's vector."""
    from mathutils import Vector

    return Vector(values)


if __name__ == "__main__":
    main(sys.argv[-1])
