// Reading of materials, for every pass that draws the mesh.

uniform sampler2D material_table;   // 3 or 4 texels per material, in the order of `build_material_table`
uniform sampler2D color_texture;
#ifdef COLORED
in vec4 tint;                       // color and opacity of the vertices
#ifdef ENCODED
vec3 linear_tint(vec3 srgb) {
    return mix(srgb / 12.92, pow((srgb + 0.055) / 1.055, vec3(2.4)), step(vec3(0.04045), srgb));
}
#else
vec3 linear_tint(vec3 color) { return color; }
#endif
#endif

#ifdef MIRRORED
// 1 along the axes of u and v on which a texture is continued by its mirror image.
uniform vec2 color_mirrors;
uniform vec2 emission_mirrors;

// OpenGL could mirror, but moderngl cannot ask for it.
vec2 fold(vec2 uv, vec2 mirrors) {
    return mix(uv, 1.0 - abs(mod(uv, 2.0) - 1.0), greaterThan(mirrors, vec2(0.5)));
}

// The derivatives are those before folding, since at a fold the coordinates turn round within a block of pixels.
#define read_texture(image, uv, mirrors) textureGrad(image, fold(uv, mirrors), dFdx(uv), dFdy(uv))
#define read_texels(image, uv, mirrors) textureLod(image, fold(uv, mirrors), 0.0)
#else
#define read_texture(image, uv, mirrors) texture(image, uv)
#define read_texels(image, uv, mirrors) textureLod(image, uv, 0.0)
#endif

vec3 base_color(int material, vec2 uv, out float alpha) {
    vec4 plain = texelFetch(material_table, ivec2(0, material), 0);
    bool textured = texelFetch(material_table, ivec2(1, material), 0).z > 0.5;
    vec4 texel = textured ? read_texture(color_texture, uv, color_mirrors) : vec4(plain.rgb, 1.0);
    alpha = plain.a * texel.a;
#ifdef CUT
    // The mean alpha of many texels says nothing about a cutoff: leaves would vanish from afar, or their gaps.
    float cutoff = texelFetch(material_table, ivec2(3, material), 0).x;
    if (textured && cutoff >= 0.0) alpha = plain.a * read_texels(color_texture, uv, color_mirrors).a;
#endif
#ifdef COLORED
    texel.rgb *= linear_tint(clamp(tint.rgb, 0.0, 1.0));
    // Interpolation rounds: what is 1 at all corners must not become less than 1.
    alpha *= clamp(tint.a * 1.00001, 0.0, 1.0);
#endif
#ifdef CUT
    if (cutoff >= 0.0) alpha = alpha * 1.00001 >= cutoff ? 1.0 : 0.0;
#endif
    return texel.rgb;
}

// 1 or 2 for the materials of faces that lie in the same place as another face, else 0.
int material_turn(int material) { return int(texelFetch(material_table, ivec2(1, material), 0).w); }
