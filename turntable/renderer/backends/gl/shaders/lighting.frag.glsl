// Light on the object, at every sample of the geometry pass.

#include common
#include light

uniform sampler2D color_buffer;
uniform sampler2D normal_buffer;
uniform usampler2D material_buffer;
uniform sampler2D depth_buffer;
uniform sampler2D material_table;
uniform vec4 camera[3];
uniform float focal;
uniform vec2 depth_range;
uniform int columns;
uniform int tile_px;
uniform float unlit_floor;        // radiance of the floor outside the pool, over its albedo

flat in int view;
out vec4 out_light;               // radiance times alpha; alpha

struct Surface { vec3 n; vec3 v; vec3 color; float specular; float roughness; };

float fresnel(float f0, float x) {
    float k = 1.0 - x;
    float k2 = k * k;
    return f0 + (1.0 - f0) * k2 * k2 * k;
}

// Disney diffuse and GGX (Burley 2012), for light from l, without the cosine.
vec3 reflect_light(Surface s, vec3 l) {
    vec3 h = normalize(l + s.v);
    float nl = max(dot(s.n, l), 1e-4), nv = max(dot(s.n, s.v), 1e-4), lh = max(dot(l, h), 0.0), nh = max(dot(s.n, h), 0.0);
    float retro = 0.5 + 2.0 * s.roughness * lh * lh;
    vec3 diffuse = s.color / PI * mix(1.0, retro, pow(1.0 - nl, 5.0)) * mix(1.0, retro, pow(1.0 - nv, 5.0));
    float a2 = max(pow(s.roughness, 4.0), 1e-4);
    float d = a2 / (PI * pow(nh * nh * (a2 - 1.0) + 1.0, 2.0));
    float g = 0.5 / mix(2.0 * nl * nv, nl + nv, sqrt(a2));
    return diffuse + vec3(d * g * fresnel(0.08 * s.specular, lh)) * step(1e-6, s.specular);
}

vec3 sun_light(int view, vec3 p, Surface s) {
    vec4 sphere = of_view(view, ROW_SPHERE);
    vec3 q = to_object(view, p);
    vec3 seen = vec3(0.0);
    float plain = 1e-6;
    for (int k = 0; k < sun_taps; ++k) {
        vec4 tap = of_view(view, ROW_SUN + k);
        float weight = length(tap.xyz);
        float cosine = dot(s.n, tap.xyz);
        if (cosine <= 0.0) continue;
        plain += cosine;
        seen += cosine * free_way(int(tap.w), q, sphere.w) * reflect_light(s, tap.xyz / weight);
    }
    return sun_table(s.n.z) * seen / plain;
}

vec3 spot_light(int view, vec3 p, vec3 biased, Surface s) {
    vec3 light = of_view(view, ROW_LIGHT).xyz;
    vec3 l = normalize(light - p);
    float cosine = dot(s.n, l);
    if (cosine <= 0.0) return vec3(0.0);
    float power = cosine * spot_power(p, light);
    if (power <= 0.0) return vec3(0.0);
    return power * spot_visibility(view, biased) * of_view(view, ROW_LIGHT_COLOR).rgb * reflect_light(s, l);
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec4 normal = texelFetch(normal_buffer, at, 0);
    if (normal.w < 0.5) discard;
    vec4 color = texelFetch(color_buffer, at, 0);
    float near = depth_range.x, far = depth_range.y;
    float ndc = 2.0 * texelFetch(depth_buffer, at, 0).r - 1.0;
    float z = 2.0 * far * near / (far + near - ndc * (far - near));
    vec2 inside = (gl_FragCoord.xy - vec2(tile_of(view, columns) * tile_px)) / float(tile_px) * 2.0 - 1.0;
    vec3 eye = vec3(inside / focal, 1.0) * z;
    vec3 translation = vec3(camera[0].w, camera[1].w, camera[2].w);
    vec3 d = eye - translation;
    vec3 p = camera[0].xyz * d.x + camera[1].xyz * d.y + camera[2].xyz * d.z;
    vec3 origin = -(camera[0].xyz * translation.x + camera[1].xyz * translation.y + camera[2].xyz * translation.z);

    ivec2 row = ivec2(1, int(texelFetch(material_buffer, at, 0).r));
    vec4 parameters = texelFetch(material_table, row, 0);
    vec3 emission = texelFetch(material_table, row + ivec2(1, 0), 0).rgb;
    Surface s = Surface(normal.xyz, normalize(origin - p), color.rgb * color.rgb, parameters.x, parameters.y);
    // Shadow maps have texels: a point looks from a little above its surface.
    vec3 biased = p + s.n * (1.2 * of_view(view, ROW_SPHERE).w / 64.0);

    vec3 ambient = s.color * world_radiance * (0.5 + 0.5 * s.n.z);
    vec3 bounce = s.color * of_view(view, ROW_FLOOR).rgb * unlit_floor * (0.5 - 0.5 * s.n.z);
    vec3 light = sun_light(view, biased, s) + spot_light(view, p, biased, s) + ambient + bounce + emission;
    out_light = vec4(light * color.a, color.a);
}
