// Draws the mesh once per instance, each in a tile of an atlas. An instance is a view, a point of the spot's emitter, or
// a direction of the sun.

in vec3 position;
#ifdef SURFACE
in vec3 normal;
out vec3 object_normal;
out vec3 object_position;
#endif
#ifdef TEXTURED
in vec2 texcoord;
in int material;
out vec2 uv;
flat out int material_id;
#endif
#ifdef COLORED
in vec4 color;
out vec4 tint;
#endif

#ifdef PARTS
in int part;                              // part of the vertex
in int view;                              // row of the instance's view in part_motions
uniform sampler2D part_motions;           // 3 texels a part: the rows of its motion from rest, in the object's frame
#ifdef SURFACE
flat out int part_id;
#endif
#endif

in vec4 clip_x, clip_y, clip_z, clip_w;   // rows of the matrix from the centered object to the atlas's clip space
#ifdef CLIPPED
in vec4 place;                // half the size of the tile (xy) and its center (zw), in the atlas's clip space
in vec4 height;               // row that gives the height of a point above the floor
out gl_PerVertex { vec4 gl_Position; float gl_ClipDistance[5]; };
#endif

void main() {
    vec4 p = vec4(position, 1.0);
#ifdef PARTS
    vec4 move_x = texelFetch(part_motions, ivec2(3 * part, view), 0);
    vec4 move_y = texelFetch(part_motions, ivec2(3 * part + 1, view), 0);
    vec4 move_z = texelFetch(part_motions, ivec2(3 * part + 2, view), 0);
    p.xyz = vec3(dot(move_x, p), dot(move_y, p), dot(move_z, p));
#endif
    gl_Position = vec4(dot(clip_x, p), dot(clip_y, p), dot(clip_z, p), dot(clip_w, p));
#ifdef CLIPPED
    // OpenGL clips at the edges of the atlas alone, so a tile needs clip distances of its own: without them a large
    // object would be drawn into the neighboring views. The fifth cuts off what is below the floor.
    vec2 inside = (gl_Position.xy - place.zw * gl_Position.w) / place.xy;
    gl_ClipDistance[0] = gl_Position.w + inside.x;
    gl_ClipDistance[1] = gl_Position.w - inside.x;
    gl_ClipDistance[2] = gl_Position.w + inside.y;
    gl_ClipDistance[3] = gl_Position.w - inside.y;
    gl_ClipDistance[4] = dot(height, p);   // the camera is always above the floor
#endif
#ifdef SURFACE
    object_normal = normal;
    object_position = position;
#ifdef PARTS
    object_normal = vec3(dot(move_x.xyz, normal), dot(move_y.xyz, normal), dot(move_z.xyz, normal));
    part_id = part;
#endif
#endif
#ifdef TEXTURED
    uv = texcoord;
    material_id = material;
#endif
#ifdef COLORED
    tint = color;
#endif
}
