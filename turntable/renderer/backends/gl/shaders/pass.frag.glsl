// The same, one fragment a texel, where there are no compute shaders; blending does what `BEHIND` does there.

out vec4 value;
void main() { value = shade(ivec2(gl_FragCoord.xy)); }
