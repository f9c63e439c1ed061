// Object or not, for the ray through the pixel's centre; it sees through anything transparent.

#include material

in vec3 world_normal;
in vec2 uv;
in float world_z;
flat in int material_id;

uniform float floor_z;
out float out_mask;

void main() {
    if (world_z < floor_z) discard;
    float alpha;
    base_color(material_id, uv, alpha);
    if (alpha < 0.5) discard;
    out_mask = 1.0;
}
