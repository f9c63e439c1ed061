# The renderer: EGL on an NVIDIA GPU (docker run --gpus all), on Mesa in software without one; no torch.
#   docker build -f docker/render.Dockerfile -t turntable-render .
#   docker run --rm --gpus all -v /data:/data turntable-render zoo --out /data/my-set
FROM python:3.11.11-slim-bookworm AS build
COPY pyproject.toml README.md LICENSE /src/
COPY turntable /src/turntable
COPY docker/render.txt /src/pins.txt
RUN python -m venv /opt/turntable
RUN /opt/turntable/bin/pip install --no-cache-dir --no-compile -c /src/pins.txt "/src[render]"

FROM python:3.11.11-slim-bookworm
# libegl1 is the dispatcher: with the NVIDIA runtime it finds the GPU's driver, without it Mesa's.
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/turntable /opt/turntable
RUN useradd --uid 1000 --create-home turntable
USER turntable
WORKDIR /home/turntable
# "graphics" is what makes the runtime mount the EGL driver.
ENV PATH=/opt/turntable/bin:$PATH PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=graphics,compute,utility
HEALTHCHECK --interval=60s --timeout=30s --start-period=30s --retries=3 CMD ["turntable", "doctor"]
ENTRYPOINT ["turntable", "render"]
