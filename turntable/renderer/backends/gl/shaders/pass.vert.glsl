// Draws a rectangle of a target as a strip of two triangles; the vertex number alone tells the corner.

uniform ivec4 rectangle;
uniform vec2 target_px;
void main() {
    vec2 corner = mix(vec2(rectangle.xy), vec2(rectangle.zw), vec2(gl_VertexID & 1, gl_VertexID >> 1));
    gl_Position = vec4(corner / target_px * 2.0 - 1.0, 0.0, 1.0);
}
