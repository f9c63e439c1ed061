// The mesh's depth along fixed directions of its own frame: one instance a direction, shared by all views.

#include common

in vec3 position;
in vec2 texcoord;
in int material;
uniform sampler2D sun_frames;   // 3 texels a direction: u, v, towards the light
uniform float radius;
uniform int columns;
uniform ivec2 grid;
uniform float margin;           // share of a tile that is used: its rim keeps filters from the neighbour

out vec2 uv;
flat out int material_id;

void main() {
    vec3 u = texelFetch(sun_frames, ivec2(0, gl_InstanceID), 0).xyz;
    vec3 v = texelFetch(sun_frames, ivec2(1, gl_InstanceID), 0).xyz;
    vec3 d = texelFetch(sun_frames, ivec2(2, gl_InstanceID), 0).xyz;
    vec2 inside = vec2(dot(position, u), dot(position, v)) * (margin / radius);
    vec2 centre = (2.0 * vec2(tile_of(gl_InstanceID, columns)) + 1.0) / vec2(grid) - 1.0;
    gl_Position = vec4(inside / vec2(grid) + centre, -dot(position, d) / radius, 1.0);
    uv = texcoord;
    material_id = material;
}
