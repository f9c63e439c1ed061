// A rectangle that covers the whole target.

void main() {
    gl_Position = vec4(gl_VertexID & 1, gl_VertexID >> 1, 0.0, 0.5) * 2.0 - vec4(1.0, 1.0, 0.0, 0.0);
}
