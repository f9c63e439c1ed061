// Does the same as pass.comp.glsl on devices without compute shaders, with one fragment per texel. Blending does what
// `BEHIND` does there.

out vec4 value;
void main() { value = shade(ivec2(gl_FragCoord.xy)); }
