"""How surfaces reflect: Disney's diffuse term under a GGX coat (Burley 2012)."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.traced import Surface, dot

FloatArray = NDArray[np.floating]


def reflected(surface: Surface, light: FloatArray, cosine: FloatArray) -> FloatArray:
    """The share [H, 3] of light from unit directions [H, 3] that is seen, without its cosine [H]."""
    nl = np.maximum(cosine, 1e-4)
    nv = np.maximum(dot(surface.normal, surface.towards), 1e-4)
    half = light + surface.towards
    half /= np.maximum(np.linalg.norm(half, axis=-1, keepdims=True), np.float32(1e-20))
    lh, nh = np.maximum(dot(light, half), 0), np.maximum(dot(surface.normal, half), 0)
    retro = 0.5 + 2 * surface.roughness * lh * lh
    diffuse = (1 + (retro - 1) * _fifth(1 - nl)) * (1 + (retro - 1) * _fifth(1 - nv)) / np.pi
    return surface.color * diffuse[:, None] + _gloss(surface, nl, nv, nh, lh)[:, None]


def _gloss(surface: Surface, nl: FloatArray, nv: FloatArray, nh: FloatArray, lh: FloatArray) -> FloatArray:
    a2 = np.maximum(surface.roughness**4, 1e-4)
    lobe = a2 / (np.pi * (nh * nh * (a2 - 1) + 1) ** 2)
    alpha = np.sqrt(a2)
    hidden = 0.5 / (2 * nl * nv * (1 - alpha) + (nl + nv) * alpha)
    f0 = 0.08 * surface.specular
    fresnel = f0 + (1 - f0) * _fifth(1 - lh)
    return np.where(surface.specular > 1e-6, lobe * hidden * fresnel, 0)


def _fifth(x: FloatArray) -> FloatArray:
    square = x * x
    return square * square * x
