// Light that arrives at a point, but for what stands in its way.

uniform sampler2D spot_pool;        // irradiance by distance from the axis and depth along it
uniform vec3 pool_range;            // largest distance; least and largest depth: beyond, the pool only widens
uniform sampler2D sun_irradiance;   // by n_z
uniform float world_radiance;

// Irradiance face on from the spot, without shadow and colour, at the strength of its table.
float spot_power(vec3 p) {
    vec3 light = row[LIGHT].xyz;
    vec3 axis = -normalize(light);
    vec3 d = p - light;
    float depth = dot(d, axis);
    float radius = length(d - depth * axis);
    float nearer = depth > pool_range.z ? pool_range.z / depth : 1.0;
    radius *= nearer;
    depth *= nearer;
    vec2 size = vec2(textureSize(spot_pool, 0));
    vec2 at = vec2(radius / pool_range.x, (depth - pool_range.y) / (pool_range.z - pool_range.y));
    if (at.x > 1.0 || at.y < 0.0) return 0.0;
    return nearer * nearer * texture(spot_pool, (at * (size - 1.0) + 0.5) / size).r;
}

// Irradiance from the sun, without shadow.
float sun_table(float n_z) {
    float size = float(textureSize(sun_irradiance, 0).x);
    return row[FLOOR].w * texture(sun_irradiance, vec2(((0.5 * n_z + 0.5) * (size - 1.0) + 0.5) / size, 0.5)).r;
}
