// Makes the picture: the floor up to the horizon, in front of it the object through the pixel filter, and then the tone
// curve.

uniform sampler2D floor_buffer;
uniform sampler2D tone_curve;      // display values by the square root of linear light, up to `tone_end`
uniform float tone_end;
uniform ivec2 tile;                // first pixel of the view
uniform ivec2 floor_tile;
uniform float floor_texels;        // width of a view's tile in the floor buffer
uniform float step_px;
uniform vec2 floor_start;          // pixel at which the first of them begins
uniform vec3 horizon;              // of a pixel at (x, y), dot(horizon, vec3(x, y, 1)) is its distance below the horizon
uniform float filter_px;           // width of the pixel filter
uniform float world_radiance;

#ifdef OBJECT
uniform sampler2D light_buffer;
uniform ivec2 light_tile;
uniform float supersampling;
uniform float border_px;
uniform vec2 filter_taps[FILTER_TAPS];   // along one axis: position in samples from the pixel's center; weight

// The light of a pixel: its samples, weighted by the pixel filter. Every tap lies between two samples, where the texture
// unit interpolates: one read gives the weighted sum of up to four samples (two along each axis).
vec4 object_light(vec2 pixel) {
    vec2 size = vec2(textureSize(light_buffer, 0));
    vec2 center = vec2(light_tile) + (pixel + border_px) * supersampling;
    vec4 light = vec4(0.0);
    for (int j = 0; j < FILTER_TAPS; ++j) {
        vec4 line = vec4(0.0);
        for (int i = 0; i < FILTER_TAPS; ++i)
            line += filter_taps[i].y * textureLod(light_buffer, (center + vec2(filter_taps[i].x, filter_taps[j].x)) / size, 0.0);
        light += filter_taps[j].y * line;
    }
    return light;
}
#endif

// The share of a pixel's filter that lies below the horizon, for a pixel whose center is that far below it: the integral
// of the filter in `pixel_filter.py`. Sampling the edge would show steps along a straight horizon. Across a horizon that
// is not level the filter is nearly the same, since its product along x and y is nearly round.
float below_horizon(float distance) {
    float x = clamp(distance / filter_px + 0.5, 0.0, 1.0), turn = 6.28318530717959 * x;
    return x + (-0.48829 * sin(turn) + 0.14128 / 2.0 * sin(2.0 * turn) - 0.01168 / 3.0 * sin(3.0 * turn)) / (0.35875 * 6.28318530717959);
}

// The display value of linear light. The table is over square roots, which gives it finer steps in the dark.
float display(float linear) {
    float size = float(textureSize(tone_curve, 0).x);
    return textureLod(tone_curve, vec2((sqrt(linear) / tone_end * (size - 1.0) + 0.5) / size, 0.5), 0.0).r;
}

vec4 shade(ivec2 at) {
    vec2 pixel = vec2(at - tile) + 0.5;
    // Half a texel from the tile's edges, so that interpolation does not read from the neighboring views.
    vec2 place = vec2(floor_tile) + clamp((pixel - floor_start) / step_px, 0.5, floor_texels - 0.5);
    vec3 color = textureLod(floor_buffer, place / vec2(textureSize(floor_buffer, 0)), 0.0).rgb;
    float below = dot(horizon, vec3(pixel, 1.0));
    if (below < 0.5 * filter_px) color = mix(vec3(world_radiance), color, below_horizon(below));
#ifdef OBJECT
    vec4 object = object_light(pixel);
    color = object.rgb + (1.0 - object.a) * color;
#endif
    return vec4(display(color.r), display(color.g), display(color.b), 1.0);
}
