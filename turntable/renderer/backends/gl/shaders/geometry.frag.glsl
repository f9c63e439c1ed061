// Writes what the camera sees of the mesh: base color, shading normal, material and depth. lighting.glsl adds the
// light afterwards, once per visible sample ("deferred shading").

#include material

in vec3 object_normal;
in vec2 uv;
flat in int material_id;

#ifdef BEHIND
uniform sampler2D nearer_depth;              // depth of the layer before this one
#endif

#ifdef IN_TURN
uniform int tile_px;                         // width of a view's tile in samples
#endif

layout(location = 0) out vec4 out_color;     // square root of the base color (more steps in the dark); alpha
layout(location = 1) out vec4 out_normal;    // unit normal in the object's frame
layout(location = 2) out uint out_material;
layout(location = 3) out float out_depth;    // along the camera's forward axis
#ifdef EMISSIVE
uniform sampler2D emission_texture;
layout(location = 4) out vec4 out_emission;  // factor of the material's emission
#endif

void main() {
    float depth = 1.0 / gl_FragCoord.w;      // gl_FragCoord.w is 1 / w, and the projection's w is the depth
#ifdef IN_TURN
    // Two faces in the same place would fight over the depth test, differently on every device. Instead the samples
    // alternate like a chessboard: one half sees the first face, the other half the second.
    ivec2 inside = ivec2(gl_FragCoord.xy) % tile_px;
    int turn = material_turn(material_id);
    if (turn > 0 && (inside.x + inside.y + turn) % 2 == 0) discard;
#endif
#ifdef BEHIND
    // Depth peeling: discard everything up to the layer before, so that the depth test finds the next surface behind
    // it. Depths of the same surface may differ in the last bits, hence the factor. 0 or less: no surface before.
    float nearer = texelFetch(nearer_depth, ivec2(gl_FragCoord.xy), 0).r;
    if (nearer <= 0.0 || depth <= nearer * (1.0 + 1e-6)) discard;
#endif
    float alpha;
    vec3 color = base_color(material_id, uv, alpha);
#if defined(TRANSPARENT) || defined(CUT)
    if (alpha < 0.004) discard;
#endif
    // The side of a face is that of its winding, as in the original: where smooth normals disagree with the winding,
    // the face is dark.
    vec3 n = normalize(object_normal);
    out_color = vec4(sqrt(color), alpha);
    // The projection's y points down, against OpenGL's, which reverses every winding: hence the minus for the front.
    out_normal = vec4(gl_FrontFacing ? -n : n, 0.0);
    out_material = uint(material_id);
    out_depth = depth;
#ifdef EMISSIVE
    out_emission = vec4(read_texture(emission_texture, uv, emission_mirrors).rgb, 1.0);
#endif
}
