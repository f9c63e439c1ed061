// The mesh's depth from points on the spot's emitter: one instance a view and point.

#include common
#include spot

in vec3 position;
in vec2 texcoord;
in int material;
uniform int spot_samples;
uniform int columns;
uniform ivec2 grid;
uniform float margin;

out vec2 uv;
flat out int material_id;

void main() {
    vec3 world = to_world(gl_InstanceID / spot_samples, position);
    vec4 clip = spot_clip(gl_InstanceID, world);
    vec2 centre = (2.0 * vec2(tile_of(gl_InstanceID, columns)) + 1.0) / vec2(grid) - 1.0;
    gl_Position = vec4(clip.xy * margin / vec2(grid) + centre * clip.w, clip.z, clip.w);
    uv = texcoord;
    material_id = material;
}
