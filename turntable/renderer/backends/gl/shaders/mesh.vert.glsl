// The mesh, one instance a view, a point of the spot or a direction of the sun, each in its own tile.

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

in vec4 clip_x, clip_y, clip_z, clip_w;   // rows: from the centred object to the atlas
#ifdef CLIPPED
in vec4 place;                // of the tile: half its size and its middle, in the atlas
in vec4 height;               // of a point above the floor
out gl_PerVertex { vec4 gl_Position; float gl_ClipDistance[5]; };
#endif

void main() {
    vec4 p = vec4(position, 1.0);
    gl_Position = vec4(dot(clip_x, p), dot(clip_y, p), dot(clip_z, p), dot(clip_w, p));
#ifdef CLIPPED
    vec2 inside = (gl_Position.xy - place.zw * gl_Position.w) / place.xy;
    gl_ClipDistance[0] = gl_Position.w + inside.x;
    gl_ClipDistance[1] = gl_Position.w - inside.x;
    gl_ClipDistance[2] = gl_Position.w + inside.y;
    gl_ClipDistance[3] = gl_Position.w - inside.y;
    gl_ClipDistance[4] = dot(height, p);   // the camera is above the floor
#endif
#ifdef SURFACE
    object_normal = normal;
    object_position = position;
#endif
#ifdef TEXTURED
    uv = texcoord;
    material_id = material;
#endif
}
