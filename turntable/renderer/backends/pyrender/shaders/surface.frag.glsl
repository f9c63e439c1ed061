// The number of the triangle that is seen, as 24 bits of colour; 0 on the floor.
#version 330 core

#ifdef HAS_BASE_COLOR_TEX
in vec2 uv;
uniform sampler2D cutout;
uniform float alpha;
#endif

uniform int first;      // the number of the part's first triangle
out vec4 number;

void main() {
#ifdef HAS_BASE_COLOR_TEX
    if (alpha * texture(cutout, uv).a < 0.5) discard;
#endif
    int seen = first == 0 ? 0 : first + gl_PrimitiveID;
    number = vec4(seen & 255, (seen >> 8) & 255, (seen >> 16) & 255, 255) / 255.0;
}
