// Visibility of the lights from a point, by comparison with depth maps of the mesh. The texture unit compares with four
// texels and weights the results bilinearly, so visibility is a number in 0..1.

uniform sampler2DShadow spot_maps;
uniform sampler2DShadow sun_maps;

// Visibility of point s of the spot's emitter from point p of the object.
float spot_free(int s, vec4 p) {
    int at = SPOT + 5 * s;
    // A point behind everything that the map can show is compared at the map's greatest depth.
    vec3 place = vec3(dot(row[at], p), dot(row[at + 1], p), dot(row[at + 2], p)) / dot(row[at + 3], p);
    return texture(spot_maps, vec3(place.xy, min(place.z, 1.0)));
}

// The same for any point. The map of s covers only the object's sphere: a point outside of the map is not in shadow.
float spot_free_beyond(int s, vec4 p) {
    int at = SPOT + 5 * s;
    vec2 place = vec2(dot(row[at], p), dot(row[at + 1], p)) / dot(row[at + 3], p);
    vec2 inside = abs(place - row[at + 4].xy) / row[at + 4].zw;
    return max(inside.x, inside.y) > 1.0 ? 1.0 : spot_free(s, p);
}

// Visibility of the sun in the direction of tap k from point p of the object. No division: the projection is parallel.
float sun_free(int k, vec4 p) {
    int at = SUN + 4 * k;
    return texture(sun_maps, vec3(dot(row[at], p), dot(row[at + 1], p), min(dot(row[at + 2], p), 1.0)));
}
