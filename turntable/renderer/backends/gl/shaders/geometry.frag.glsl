// What the camera sees of the mesh: base colour, shading normal, material, depth. Light comes later.

#include material

in vec3 object_normal;
in vec2 uv;
flat in int material_id;

#ifdef BEHIND
uniform sampler2D nearer_depth;              // of the layer before: draw what lies behind it
#endif

#ifdef IN_TURN
uniform int tile_px;                         // along a side of a view
#endif

layout(location = 0) out vec4 out_color;     // square root of the base colour (more steps in the dark); alpha
layout(location = 1) out vec4 out_normal;    // unit normal in the object's frame
layout(location = 2) out uint out_material;
layout(location = 3) out float out_depth;    // along the camera's forward axis

void main() {
    float depth = 1.0 / gl_FragCoord.w;
#ifdef IN_TURN
    // Of two faces in one place every other sample sees the first, the rest the second.
    ivec2 inside = ivec2(gl_FragCoord.xy) % tile_px;
    int turn = material_turn(material_id);
    if (turn > 0 && (inside.x + inside.y + turn) % 2 == 0) discard;
#endif
#ifdef BEHIND
    float nearer = texelFetch(nearer_depth, ivec2(gl_FragCoord.xy), 0).r;
    if (nearer <= 0.0 || depth <= nearer * (1.0 + 1e-6)) discard;
#endif
    float alpha;
    vec3 color = base_color(material_id, uv, alpha);
#ifdef TRANSPARENT
    if (alpha < 0.004) discard;
#endif
    // Smooth normals follow the winding, as in the original: where both disagree the face is dark.
    vec3 n = normalize(object_normal);
    out_color = vec4(sqrt(color), alpha);
    // Rows of a picture go down and those of OpenGL up, which turns every winding round.
    out_normal = vec4(gl_FrontFacing ? -n : n, 0.0);
    out_material = uint(material_id);
    out_depth = depth;
}
