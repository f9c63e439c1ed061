// The camera's view of the mesh: one instance a view, each clipped to its own tile.

#include common

in vec3 position;
in vec3 normal;
in vec2 texcoord;
in int material;

uniform vec4 camera[3];       // rows of world_to_camera
uniform float focal;          // in half image sizes
uniform vec2 depth_range;
uniform int columns;
uniform ivec2 grid;           // tiles across and down

out vec3 world_normal;
out vec2 uv;
out float world_z;
out float eye_z;
out vec3 object_position;
out vec3 to_camera;
flat out int material_id;
out gl_PerVertex { vec4 gl_Position; float gl_ClipDistance[4]; };

void main() {
    vec4 world = vec4(to_world(gl_InstanceID, position), 1.0);
    vec3 eye = vec3(dot(camera[0], world), dot(camera[1], world), dot(camera[2], world));
    vec2 image = eye.xy * focal;   // in -w..w over the tile, y down as rows of the picture go
    float near = depth_range.x, far = depth_range.y;
    gl_ClipDistance[0] = eye.z + image.x;
    gl_ClipDistance[1] = eye.z - image.x;
    gl_ClipDistance[2] = eye.z + image.y;
    gl_ClipDistance[3] = eye.z - image.y;
    vec2 tile = vec2(tile_of(gl_InstanceID, columns));
    vec2 centre = (2.0 * tile + 1.0) / vec2(grid) - 1.0;
    gl_Position.xy = image / vec2(grid) + centre * eye.z;
    gl_Position.z = ((far + near) * eye.z - 2.0 * far * near) / (far - near);
    gl_Position.w = eye.z;
    world_normal = rotate_to_world(gl_InstanceID, normal);
    uv = texcoord;
    world_z = world.z;
    eye_z = eye.z;
    object_position = position;
    to_camera = -(camera[0].xyz * eye.x + camera[1].xyz * eye.y + camera[2].xyz * eye.z);
    material_id = material;
}
