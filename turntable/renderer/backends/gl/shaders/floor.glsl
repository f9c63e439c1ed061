// The sun on the floor, softened by the object above.

uniform sampler2D sun_cover;      // silhouettes of the mesh along the directions of its depth maps, with mipmaps
uniform float sun_spread;         // tangent of the half-angle of the cone that one direction stands for
uniform float sun_map_px;

// The share of a tap's cone that the object leaves free, from a point that lies behind all of it.
float free_cone(int map, vec3 q, float distance, float radius) {
    vec2 at;
    if (!sun_place(map, q, radius, at)) return 1.0;
    // The cone's width where it meets the object, in texels.
    float width = 1.5 * distance * sun_spread / radius * sun_map_px;
    float lod = clamp(log2(max(width, 1.0)), 0.0, 4.0);
    return 1.0 - textureLod(sun_cover, at, lod).r;
}

float floor_sun(int view, vec3 p, vec4 sphere) {
    float whole = sun_table(1.0);
    vec3 c = sphere.xyz - p;
    float distance = length(c);
    // Within 45 degrees of the zenith, widened by the sphere: else no ray of the sun can meet the object.
    float cosine = c.z / distance, sine = min(sphere.w / distance, 1.0);
    if (cosine < cos(min(PI / 4.0 + asin(sine), PI))) return whole;
    vec3 q = to_object(view, p);
    float seen = 0.0, plain = 1e-6;
    for (int k = 0; k < sun_taps; ++k) {
        vec4 tap = of_view(view, ROW_SUN + k);
        plain += tap.z;
        seen += tap.z * free_cone(int(tap.w), q, distance, sphere.w);
    }
    return whole * seen / plain;
}
