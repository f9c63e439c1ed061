// What the camera sees of the mesh: base colour, shading normal, material. Light comes later.

#include material

in vec3 world_normal;
in vec2 uv;
in float world_z;
flat in int material_id;

uniform float floor_z;
uniform bool peel;                   // draw what lies behind the layer before
uniform sampler2D peeled_depth;

layout(location = 0) out vec4 out_color;     // square root of the base colour (more steps in the dark); alpha
layout(location = 1) out vec4 out_normal;    // unit normal; 1 where something was drawn
layout(location = 2) out uint out_material;

void main() {
    if (world_z < floor_z) discard;          // below the floor, and the camera is above it
    if (peel && gl_FragCoord.z <= texelFetch(peeled_depth, ivec2(gl_FragCoord.xy), 0).r + 1e-6) discard;
    float alpha;
    vec3 color = base_color(material_id, uv, alpha);
    if (alpha < 0.004) discard;
    // Smooth normals follow the winding, as in the original: where both disagree the face is dark.
    vec3 n = normalize(world_normal);
    out_color = vec4(sqrt(color), alpha);
    // Rows of a picture go down and those of OpenGL up, which turns every winding round.
    out_normal = vec4(gl_FrontFacing ? -n : n, 1.0);
    out_material = uint(material_id);
}
