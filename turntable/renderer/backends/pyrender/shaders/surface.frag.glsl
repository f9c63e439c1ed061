// Writes the number of the visible triangle as 24 bits of color, the lowest byte first; 0 on the floor.
#version 330 core

#ifdef HAS_BASE_COLOR_TEX
in vec2 uv;
uniform sampler2D cutout;
uniform float alpha;
#endif

uniform int first;      // number of the part's first triangle, from 1; 0 for the floor
out vec4 number;

void main() {
#ifdef HAS_BASE_COLOR_TEX
    if (alpha * texture(cutout, uv).a < 0.5) discard;
#endif
    int seen = first == 0 ? 0 : first + gl_PrimitiveID;
    // The target holds 8-bit channels: a byte over 255 comes back exactly as that byte.
    number = vec4(seen & 255, (seen >> 8) & 255, (seen >> 16) & 255, 255) / 255.0;
}
