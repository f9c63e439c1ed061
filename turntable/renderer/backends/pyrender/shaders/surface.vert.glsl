// The vertices as in pyrender's own segmentation pass, with what the alpha test needs.
#version 330 core

layout(location = 0) in vec3 position;
layout(location = INST_M_LOC) in mat4 inst_m;
#ifdef TEXCOORD_0_LOC
layout(location = TEXCOORD_0_LOC) in vec2 texcoord;
out vec2 uv;
#endif
#ifdef COLOR_0_LOC
layout(location = COLOR_0_LOC) in vec4 color;
out float opacity;
#endif

uniform mat4 P;
uniform mat4 V;
uniform mat4 M;

void main() {
#ifdef TEXCOORD_0_LOC
    uv = texcoord;
#endif
#ifdef COLOR_0_LOC
    opacity = color.a;
#endif
    gl_Position = P * V * M * inst_m * vec4(position, 1.0);
}
