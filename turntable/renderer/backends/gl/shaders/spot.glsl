// The projection from one point of the spot's emitter, fitted to the object's sphere.

uniform sampler2D spot_table;     // 4 texels a view and point: place; u; v; forward

// Clip coordinates of a world point: the sphere fills -w..w.
vec4 spot_clip(int row, vec3 world) {
    vec4 place = texelFetch(spot_table, ivec2(0, row), 0);     // w: 1 / tangent of the half-angle
    vec4 u = texelFetch(spot_table, ivec2(1, row), 0);         // w: near
    vec4 v = texelFetch(spot_table, ivec2(2, row), 0);         // w: far
    vec3 forward = texelFetch(spot_table, ivec2(3, row), 0).xyz;
    vec3 d = world - place.xyz;
    float w = dot(d, forward);
    float near = u.w, far = v.w;
    return vec4(dot(d, u.xyz) * place.w, dot(d, v.xyz) * place.w, ((far + near) * w - 2.0 * far * near) / (far - near), w);
}
