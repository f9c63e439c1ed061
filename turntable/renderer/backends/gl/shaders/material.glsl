// Reading of materials, for every pass that draws the mesh.

uniform sampler2D material_table;   // 3 texels per material, in the order of `build_material_table`
uniform sampler2D color_texture;

vec3 base_color(int material, vec2 uv, out float alpha) {
    vec4 plain = texelFetch(material_table, ivec2(0, material), 0);
    bool textured = texelFetch(material_table, ivec2(1, material), 0).z > 0.5;
    vec4 texel = textured ? texture(color_texture, uv) : vec4(plain.rgb, 1.0);
    alpha = plain.a * texel.a;
    return texel.rgb;
}

// 1 or 2 for the materials of faces that lie in the same place as another face, else 0.
int material_turn(int material) { return int(texelFetch(material_table, ivec2(1, material), 0).w); }
