// Unshadowed irradiance at a point, from tables.

uniform sampler2D spot_pool;        // irradiance, by distance from the spot's axis (x) and depth along it (y)
uniform vec3 pool_range;            // largest distance; smallest and largest depth
uniform sampler2D sun_irradiance;   // by z of the normal, from -1 to 1
uniform float world_radiance;

// Irradiance from the spot of a surface that faces it, per unit of light color, at the strength of the table.
// Beyond the table's depths the light only spreads: a point there is moved towards the spot, to the largest depth,
// and the irradiance scaled by the square of the ratio of the depths.
float spot_power(vec3 p) {
    vec3 light = row[LIGHT].xyz;
    vec3 axis = -normalize(light);
    vec3 d = p - light;
    float depth = dot(d, axis);
    float radius = length(d - depth * axis);
    float shrink = depth > pool_range.z ? pool_range.z / depth : 1.0;
    radius *= shrink;
    depth *= shrink;
    vec2 size = vec2(textureSize(spot_pool, 0));
    vec2 at = vec2(radius / pool_range.x, (depth - pool_range.y) / (pool_range.z - pool_range.y));
    if (at.x > 1.0 || at.y < 0.0) return 0.0;
    // A table's first and last values stand at the centers of the first and last texel: hence size - 1 and 0.5.
    return shrink * shrink * texture(spot_pool, (at * (size - 1.0) + 0.5) / size).r;
}

// Irradiance from the view's sun.
float sun_table(float n_z) {
    float size = float(textureSize(sun_irradiance, 0).x);
    return row[FLOOR].w * texture(sun_irradiance, vec2(((0.5 * n_z + 0.5) * (size - 1.0) + 0.5) / size, 0.5)).r;
}
