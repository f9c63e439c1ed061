// The picture: the floor, and before it the object through the pixel filter; then the tone curve.

uniform sampler2D floor_buffer;
uniform sampler2D tone_curve;      // by the square root of linear light, up to `tone_end`
uniform float tone_end;
uniform ivec2 tile;                // first pixel of the view
uniform ivec2 floor_tile;
uniform float floor_texels;        // along a side of the view
uniform float step_px;

#ifdef OBJECT
uniform sampler2D light_buffer;
uniform ivec2 light_tile;
uniform float supersampling;
uniform float border_px;
uniform vec2 filter_taps[FILTER_TAPS];   // along one axis: place in samples from the pixel's centre; weight

vec4 object_light(vec2 pixel) {
    vec2 size = vec2(textureSize(light_buffer, 0));
    vec2 centre = vec2(light_tile) + (pixel + border_px) * supersampling;
    vec4 light = vec4(0.0);
    for (int j = 0; j < FILTER_TAPS; ++j) {
        vec4 line = vec4(0.0);
        for (int i = 0; i < FILTER_TAPS; ++i)
            line += filter_taps[i].y * textureLod(light_buffer, (centre + vec2(filter_taps[i].x, filter_taps[j].x)) / size, 0.0);
        light += filter_taps[j].y * line;
    }
    return light;
}
#endif

float display(float linear) {
    float size = float(textureSize(tone_curve, 0).x);
    return textureLod(tone_curve, vec2((sqrt(linear) / tone_end * (size - 1.0) + 0.5) / size, 0.5), 0.0).r;
}

vec4 shade(ivec2 at) {
    vec2 pixel = vec2(at - tile) + 0.5;
    vec2 place = vec2(floor_tile) + clamp(pixel / step_px, 0.5, floor_texels - 0.5);
    vec3 color = textureLod(floor_buffer, place / vec2(textureSize(floor_buffer, 0)), 0.0).rgb;
#ifdef OBJECT
    vec4 object = object_light(pixel);
    color = object.rgb + (1.0 - object.a) * color;
#endif
    return vec4(display(color.r), display(color.g), display(color.b), 1.0);
}
