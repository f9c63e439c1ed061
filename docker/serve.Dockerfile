# The data service: no OpenGL, no torch.
#   docker build -f docker/serve.Dockerfile -t turntable-serve .
#   docker run --rm -p 127.0.0.1:8765:8765 -v /data:/data:ro turntable-serve /data/my-set
FROM python:3.11.11-slim-bookworm AS build
COPY pyproject.toml README.md LICENSE /src/
COPY turntable /src/turntable
COPY docker/serve.txt /src/pins.txt
RUN python -m venv /opt/turntable
RUN /opt/turntable/bin/pip install --no-cache-dir --no-compile -c /src/pins.txt "/src[serve]"

FROM python:3.11.11-slim-bookworm
COPY --from=build /opt/turntable /opt/turntable
RUN useradd --uid 1000 --create-home turntable
USER turntable
WORKDIR /home/turntable
ENV PATH=/opt/turntable/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/healthz', timeout=2)"]
ENTRYPOINT ["turntable", "serve", "--host", "0.0.0.0"]
CMD ["/data"]
