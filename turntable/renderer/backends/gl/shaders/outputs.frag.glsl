// Writes what the ray through each pixel's center meets. It passes every surface with an alpha below 0.5.

#include material

in vec3 object_normal;
in vec3 object_position;
in vec2 uv;
flat in int material_id;

layout(location = 0) out float out_mask;
layout(location = 1) out vec4 out_surface;      // normal in the object's frame, of either sign; depth
layout(location = 2) out vec4 out_coordinates;  // in the object's frame

void main() {
    float alpha;
    base_color(material_id, uv, alpha);
    if (alpha < 0.5) discard;
    out_mask = 1.0;
    out_surface = vec4(normalize(object_normal), 1.0 / gl_FragCoord.w);
    out_coordinates = vec4(object_position, 1.0);
}
