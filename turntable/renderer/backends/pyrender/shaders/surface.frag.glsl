// Writes the number of the visible triangle as 24 bits of color, the lowest byte first; 0 on the floor.
// For shadow maps, which have no color, it only leaves out what is absent.
#version 330 core

#ifdef HAS_BASE_COLOR_TEX
in vec2 uv;
uniform sampler2D cutout;
#endif
#ifdef COLOR_0_LOC
in float opacity;
#endif

uniform float alpha;
uniform float threshold;   // smallest alpha of what is there
uniform int first;      // number of the part's first triangle, from 1; 0 for the floor
out vec4 number;

void main() {
    float whole = alpha;
#ifdef HAS_BASE_COLOR_TEX
#ifdef TURNTABLE_CUT
    whole *= textureLod(cutout, uv, 0.0).a;
#else
    whole *= texture(cutout, uv).a;
#endif
#endif
#ifdef COLOR_0_LOC
    whole *= min(opacity * 1.00001, 1.0);
#endif
    if (whole < threshold) discard;
    int seen = first == 0 ? 0 : first + gl_PrimitiveID;
    // The target holds 8-bit channels: a byte over 255 comes back exactly as that byte.
    number = vec4(seen & 255, (seen >> 8) & 255, (seen >> 16) & 255, 255) / 255.0;
}
