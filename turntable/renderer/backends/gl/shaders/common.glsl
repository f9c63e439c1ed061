// What every stage shares: where a view's numbers lie, and small geometry.

const float PI = 3.14159265358979;

// One row a view: see `tables.py`, which packs them in this order.
uniform sampler2D view_table;
const int ROW_TO_WORLD = 0;      // 3 texels: rows of the 3x4 matrix from the centred object to the world
const int ROW_FLOOR = 3;         // floor albedo
const int ROW_LIGHT = 4;         // position of the spot
const int ROW_LIGHT_COLOR = 5;
const int ROW_BOUNDS = 6;        // x0, y0, x1, y1 in pixels: where the object may be seen
const int ROW_SPHERE = 7;        // centre in the world and radius: a sphere around the object
const int ROW_SUN = 8;           // one texel a sun tap: direction in the world times weight; the map's number

vec4 of_view(int view, int row) { return texelFetch(view_table, ivec2(row, view), 0); }

vec3 to_world(int view, vec3 p) {
    vec4 q = vec4(p, 1.0);
    return vec3(dot(of_view(view, 0), q), dot(of_view(view, 1), q), dot(of_view(view, 2), q));
}

vec3 rotate_to_world(int view, vec3 n) {
    return vec3(dot(of_view(view, 0).xyz, n), dot(of_view(view, 1).xyz, n), dot(of_view(view, 2).xyz, n));
}

// The inverse of a rigid motion.
vec3 to_object(int view, vec3 p) {
    vec4 a = of_view(view, 0), b = of_view(view, 1), c = of_view(view, 2);
    vec3 d = p - vec3(a.w, b.w, c.w);
    return a.xyz * d.x + b.xyz * d.y + c.xyz * d.z;
}

// Tiles fill an atlas row by row, `columns` a row.
ivec2 tile_of(int index, int columns) { return ivec2(index % columns, index / columns); }

// A number in 0..1 that looks random, the same in every run.
float hash(vec3 p) {
    p = fract(p * vec3(0.1031, 0.1030, 0.0973));
    p += dot(p, p.yxz + 33.33);
    return fract((p.x + p.y) * p.z);
}
