// Writes what the ray through each pixel's center meets. It passes every surface with an alpha below 0.5.

#include material

in vec3 object_normal;
in vec3 object_position;
in vec2 uv;
flat in int material_id;
#ifdef PARTS
flat in int part_id;
#endif

layout(location = 0) out float out_mask;        // number of the part from 1, over 255; 1 for a mesh of one piece
layout(location = 1) out vec4 out_surface;      // normal in the object's frame, of either sign; depth
layout(location = 2) out vec4 out_coordinates;  // in the object's frame at rest

void main() {
    float alpha;
    base_color(material_id, uv, alpha);
    if (alpha < 0.5) discard;
#ifdef PARTS
    out_mask = float(part_id + 1) / 255.0;
#else
    out_mask = 1.0;
#endif
    out_surface = vec4(normalize(object_normal), 1.0 / gl_FragCoord.w);
    out_coordinates = vec4(object_position, 1.0);
}
