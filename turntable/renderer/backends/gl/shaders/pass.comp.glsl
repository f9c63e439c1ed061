// Runs `shade` over a rectangle of a target, one invocation per texel.

layout(local_size_x = 8, local_size_y = 8) in;
uniform ivec4 rectangle;           // first texel, and last texel plus one
layout(TARGET_FORMAT, binding = 0) uniform image2D target_image;

void main() {
    ivec2 at = rectangle.xy + ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(at, rectangle.zw))) return;   // work groups reach beyond the rectangle
    vec4 value = shade(at);
#ifdef BEHIND
    // A surface behind others adds only as much as the nearer ones let through.
    vec4 before = imageLoad(target_image, at);
    value = before + (1.0 - before.a) * value;
#endif
    imageStore(target_image, at, value);
}
