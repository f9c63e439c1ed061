// What stands between a point and a light: depth maps of the mesh, compared with bilinear weights.

uniform sampler2DShadow spot_maps;
uniform sampler2DShadow sun_maps;

// Whether the mesh leaves the way free from p to point s of the spot's emitter.
float spot_free(int s, vec4 p) {
    int at = SPOT + 5 * s;
    vec3 place = vec3(dot(row[at], p), dot(row[at + 1], p), dot(row[at + 2], p)) / dot(row[at + 3], p);
    return texture(spot_maps, vec3(place.xy, min(place.z, 1.0)));
}

// The same for a point anywhere, that the maps may not show.
float spot_free_beyond(int s, vec4 p) {
    int at = SPOT + 5 * s;
    vec2 place = vec2(dot(row[at], p), dot(row[at + 1], p)) / dot(row[at + 3], p);
    vec2 inside = abs(place - row[at + 4].xy) / row[at + 4].zw;
    return max(inside.x, inside.y) > 1.0 ? 1.0 : spot_free(s, p);
}

// Whether the mesh leaves the way free from p along sun tap k.
float sun_free(int k, vec4 p) {
    int at = SUN + 4 * k;
    return texture(sun_maps, vec3(dot(row[at], p), dot(row[at + 1], p), min(dot(row[at + 2], p), 1.0)));
}
