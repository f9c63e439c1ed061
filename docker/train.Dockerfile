# Training and evaluation: torch, no OpenGL. PyPI's torch brings its CUDA libraries; a GPU needs no more.
#   docker build -f docker/train.Dockerfile -t turntable-train .
#   docker run --rm --gpus all -v /runs:/runs turntable-train train http://serve:8765/datasets/zoo --method sie --out /runs/sie
FROM python:3.11.11-slim-bookworm AS build
COPY pyproject.toml README.md LICENSE /src/
COPY turntable /src/turntable
COPY docker/train.txt /src/pins.txt
RUN python -m venv /opt/turntable
RUN /opt/turntable/bin/pip install --no-cache-dir --no-compile -c /src/pins.txt "/src[train]"

FROM python:3.11.11-slim-bookworm
COPY --from=build /opt/turntable /opt/turntable
RUN useradd --uid 1000 --create-home turntable && mkdir -p /runs && chown turntable /runs
USER turntable
WORKDIR /home/turntable
ENV PATH=/opt/turntable/bin:$PATH PYTHONUNBUFFERED=1 TURNTABLE_CACHE=/home/turntable/cache
HEALTHCHECK --interval=60s --timeout=30s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import torch, turntable.training"]
ENTRYPOINT ["turntable"]
