// One rectangle a view: only where the object may be seen.

#include common

uniform int columns;
uniform ivec2 grid;
uniform float image_px;
flat out int view;

void main() {
    view = gl_InstanceID;
    vec4 bounds = of_view(view, ROW_BOUNDS);
    vec2 corner = mix(bounds.xy, bounds.zw, vec2(gl_VertexID & 1, gl_VertexID >> 1)) / image_px;
    gl_Position = vec4((vec2(tile_of(view, columns)) + corner) / vec2(grid) * 2.0 - 1.0, 0.0, 1.0);
}
