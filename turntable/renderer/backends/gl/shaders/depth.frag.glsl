// Writes a shadow map: the depth, and a silhouette that is 1 where there is a surface.
// A depth map can hold no half-transparent surface. A surface of alpha a should stop a share a of the light, so here
// it covers a share a of the texels, chosen at random ("stochastic transparency"); filtering averages them.

out float out_cover;

#if defined(TRANSPARENT) || defined(CUT)
#include material
in vec2 uv;
flat in int material_id;

// A number in 0..1 that looks random but depends on the position alone, so that every run gives the same pixels.
float hash(vec3 p) {
    p = fract(p * vec3(0.1031, 0.1030, 0.0973));
    p += dot(p, p.yxz + 33.33);
    return fract((p.x + p.y) * p.z);
}

void main() {
    float alpha;
    base_color(material_id, uv, alpha);
    // The depth takes part in the hash, so that surfaces behind each other do not cover the same texels.
    if (alpha < 0.999 && hash(vec3(gl_FragCoord.xy, 977.0 * gl_FragCoord.z)) > alpha) discard;
#ifdef CUT
    if (alpha <= 0.0) discard;
#endif
    out_cover = 1.0;
}
#else
void main() { out_cover = 1.0; }
#endif
