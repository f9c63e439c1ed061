// Computes the light on the object at every sample of the geometry pass.

#include view
#include light
#include shadow

uniform sampler2D color_buffer;
uniform sampler2D normal_buffer;
uniform sampler2D depth_buffer;
uniform usampler2D material_buffer;
uniform sampler2D material_table;
#ifdef EMISSIVE
uniform sampler2D emission_buffer;
#endif
uniform float lift;               // height, in radii of the object, from which points look for shadows: a point on the
                                  // surface would be shaded by the texels of its own surface
uniform ivec2 tile;               // first sample of the view
uniform ivec2 phase_start;        // place of that sample in a block of phases
uniform float border_px;          // width of the border around the picture, which the pixel filter reads
uniform float supersampling;

struct Surface { vec3 n; vec3 v; vec3 color; float specular; float roughness; };   // n normal, v towards the viewer

float fresnel(float f0, float x) {
    float k = 1.0 - x;
    float k2 = k * k;
    return f0 + (1.0 - f0) * k2 * k2 * k;
}

float fifth(float x) { return x * x * x * x * x; }

// The BRDF for light from l at cosine nl: Disney's diffuse term and GGX (Burley 2012). The cosine is not in it.
vec3 reflected(Surface s, vec3 l, float nl) {
    float nv = max(dot(s.n, s.v), 1e-4);
    vec3 h = normalize(l + s.v);
    float lh = max(dot(l, h), 0.0), nh = max(dot(s.n, h), 0.0);
    float retro = 0.5 + 2.0 * s.roughness * lh * lh;
    vec3 diffuse = s.color / PI * mix(1.0, retro, fifth(1.0 - nl)) * mix(1.0, retro, fifth(1.0 - nv));
    float alpha = s.roughness * s.roughness;
    float a2 = max(alpha * alpha, 1e-4), t = nh * nh * (a2 - 1.0) + 1.0;
    float g = 0.5 / mix(2.0 * nl * nv, nl + nv, sqrt(a2));
    return diffuse + a2 / (PI * t * t) * g * fresnel(0.08 * s.specular, lh) * step(1e-6, s.specular);
}

// Radiance from the sun. Few taps would make the unshadowed light uneven, so they only decide which share of it
// arrives and is reflected (reflected light / unshadowed light); the amount comes from the exact table.
vec3 sun_light(vec4 p, Surface s, int phase) {
    vec3 seen = vec3(0.0);
    float unshadowed = 1e-6;
    for (int j = 0; j < SUN_TAPS / PHASES; ++j) {
        int k = phase * (SUN_TAPS / PHASES) + j;
        vec3 tap = row[SUN + 4 * k + 3].xyz;   // its length is its weight
        vec3 l = tap / max(length(tap), 1e-6);
        float cosine = max(dot(s.n, tap), 0.0), nl = max(dot(s.n, l), 1e-4);
        unshadowed += cosine;
        seen += cosine * sun_free(k, p) * reflected(s, l, nl);
    }
    return sun_table(s.n.z) * seen / unshadowed;
}

// Radiance from the spot: the exact unshadowed light, times the share of this phase's points that are visible.
vec3 spot_light(vec3 p, vec4 lifted, Surface s, int phase) {
    vec3 l = normalize(row[LIGHT].xyz - p);
    float cosine = max(dot(s.n, l), 0.0);
    float irradiance = 0.0;
    for (int j = 0; j < SPOT_SAMPLES / SPOT_PHASES; ++j)
        irradiance += spot_free((phase % SPOT_PHASES) * (SPOT_SAMPLES / SPOT_PHASES) + j, lifted);
    irradiance *= cosine * spot_power(p) / float(SPOT_SAMPLES / SPOT_PHASES);
    return irradiance * row[LIGHT_COLOR].rgb * reflected(s, l, max(cosine, 1e-4));
}

// Radiance times alpha, and alpha: layers can then be added, and filtered, without dividing.
vec4 shade(ivec2 at) {
    float z = texelFetch(depth_buffer, at, 0).r;
    if (z <= 0.0) return vec4(0.0);
    ivec2 inside = at - tile;
    vec4 color = texelFetch(color_buffer, at, 0);
    vec3 n = texelFetch(normal_buffer, at, 0).xyz;
    vec3 ray = camera_ray((vec2(inside) + 0.5) / supersampling - border_px);
    vec3 p = camera_place() + z * ray;
    ivec2 material = ivec2(1, int(texelFetch(material_buffer, at, 0).r));
    vec4 parameters = texelFetch(material_table, material, 0);
    vec4 emission = texelFetch(material_table, material + ivec2(1, 0), 0);   // a: share of the light that counts
#ifdef EMISSIVE
    emission.rgb *= texelFetch(emission_buffer, at, 0).rgb;
#endif
    n = vec3(dot(row[TO_WORLD].xyz, n), dot(row[TO_WORLD + 1].xyz, n), dot(row[TO_WORLD + 2].xyz, n));
    // The geometry pass stores square roots of colors.
    Surface s = Surface(n, -normalize(ray), color.rgb * color.rgb, parameters.x, parameters.y);
    vec4 lifted = vec4(p + lift * row[SPHERE].w * n, 1.0);
    // Neighboring samples use different points of the lights: the phase selects them by the sample's place in a block
    // of PHASE_GRID x PHASE_GRID. The pixel filter takes the mean, which has the shadows of all points at the price of
    // a few.
    ivec2 place = (inside + phase_start) % PHASE_GRID;
    int phase = place.y * PHASE_GRID + place.x;
    // Light from the world arrives from the upper hemisphere, light that the floor reflects from the lower one.
    vec3 ambient = s.color * world_radiance * (0.5 + 0.5 * n.z);
    vec3 bounce = s.color * row[FLOOR].rgb * row[LIGHT_COLOR].w * (0.5 - 0.5 * n.z);
    vec3 light = sun_light(lifted, s, phase) + spot_light(p, lifted, s, phase) + ambient + bounce;
    return vec4((light * emission.a + emission.rgb) * color.a, color.a);
}
