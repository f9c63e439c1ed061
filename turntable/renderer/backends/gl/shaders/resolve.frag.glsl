// The picture: the floor behind, the object through the pixel filter before it, then the tone curve.

#include common
#include light
#include floor

uniform sampler2D light_buffer;
uniform sampler2D tone_curve;
uniform vec2 tone_stops;
uniform vec4 camera[3];
uniform float focal;
uniform int columns;
uniform int image_px;
uniform int supersampling;
uniform float filter_weights[12];   // of the samples along one axis, as far as 1.5 pixels from the centre
uniform int filter_taps;

out vec4 out_color;

vec3 floor_light(int view, vec2 inside) {
    vec3 ray = camera[0].xyz * (inside.x / focal) + camera[1].xyz * (inside.y / focal) + camera[2].xyz;
    vec3 translation = vec3(camera[0].w, camera[1].w, camera[2].w);
    vec3 origin = -(camera[0].xyz * translation.x + camera[1].xyz * translation.y + camera[2].xyz * translation.z);
    vec3 p = origin + ray * ((floor_z - origin.z) / ray.z);
    vec4 sphere = of_view(view, ROW_SPHERE);
    vec3 light = of_view(view, ROW_LIGHT).xyz;
    vec3 l = normalize(light - p);
    float power = max(l.z, 0.0) * spot_power(p, light);
    // Only rays that pass near the object's sphere can be stopped by it.
    vec3 to_centre = sphere.xyz - p;
    if (power > 0.0 && length(to_centre - dot(to_centre, l) * l) < sphere.w + 0.25) power *= spot_visibility(view, p);
    return of_view(view, ROW_FLOOR).rgb * (
        of_view(view, ROW_LIGHT_COLOR).rgb * power / PI + floor_sun(view, p, sphere) / PI + world_radiance);
}

vec3 tone(vec3 linear) {
    vec3 stops = log2(max(linear, vec3(1e-6)));
    float size = float(textureSize(tone_curve, 0).x);
    vec3 at = (clamp((stops - tone_stops.x) / (tone_stops.y - tone_stops.x), 0.0, 1.0) * (size - 1.0) + 0.5) / size;
    return vec3(texture(tone_curve, vec2(at.r, 0.5)).r, texture(tone_curve, vec2(at.g, 0.5)).r, texture(tone_curve, vec2(at.b, 0.5)).r);
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    ivec2 tile = at / image_px;
    int view = tile.y * columns + tile.x;
    ivec2 pixel = at - tile * image_px;
    vec3 color = floor_light(view, (vec2(pixel) + 0.5) / float(image_px) * 2.0 - 1.0);
    vec4 bounds = of_view(view, ROW_BOUNDS);
    if (all(greaterThanEqual(vec2(pixel), bounds.xy)) && all(lessThan(vec2(pixel), bounds.zw))) {
        int low = -(filter_taps - supersampling) / 2, size = image_px * supersampling;
        vec4 object = vec4(0.0);
        for (int j = 0; j < filter_taps; ++j) {
            vec4 line = vec4(0.0);
            for (int i = 0; i < filter_taps; ++i) {
                ivec2 s = clamp(pixel * supersampling + low + ivec2(i, j), ivec2(0), ivec2(size - 1));
                line += filter_weights[i] * texelFetch(light_buffer, tile * size + s, 0);
            }
            object += filter_weights[j] * line;
        }
        color = object.rgb + (1.0 - object.a) * color;
    }
    out_color = vec4(tone(color), 1.0);
}
