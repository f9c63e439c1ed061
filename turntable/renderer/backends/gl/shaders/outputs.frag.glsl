// What the ray through the pixel's centre meets; it sees through anything rather transparent.

#include material

in vec3 world_normal;
in vec3 object_position;
in vec3 to_camera;
in vec2 uv;
in float eye_z;
in float world_z;
flat in int material_id;

uniform float floor_z;
layout(location = 0) out float out_mask;
layout(location = 1) out vec4 out_surface;      // normal in the world, towards the camera; depth
layout(location = 2) out vec4 out_coordinates;  // in the object's frame

void main() {
    if (world_z < floor_z) discard;
    float alpha;
    base_color(material_id, uv, alpha);
    if (alpha < 0.5) discard;
    vec3 n = normalize(world_normal);
    out_mask = 1.0;
    out_surface = vec4(dot(n, to_camera) < 0.0 ? -n : n, eye_z);
    out_coordinates = vec4(object_position, 1.0);
}
