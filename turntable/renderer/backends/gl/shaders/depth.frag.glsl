// Depth, and whether anything is there at all. A surface of alpha a stops a fraction a of the rays: here, of the texels.

out float out_cover;

#ifdef TRANSPARENT
#include material
in vec2 uv;
flat in int material_id;

// A number in 0..1 that looks random, the same in every run.
float hash(vec3 p) {
    p = fract(p * vec3(0.1031, 0.1030, 0.0973));
    p += dot(p, p.yxz + 33.33);
    return fract((p.x + p.y) * p.z);
}

void main() {
    float alpha;
    base_color(material_id, uv, alpha);
    if (alpha < 0.999 && hash(vec3(gl_FragCoord.xy, 977.0 * gl_FragCoord.z)) > alpha) discard;
    out_cover = 1.0;
}
#else
void main() { out_cover = 1.0; }
#endif
