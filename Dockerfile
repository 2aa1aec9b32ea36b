# The page and the HTTP API in a container:
#   docker build -t instcolor .
#   docker run --rm --read-only --tmpfs /tmp:size=2g --cap-drop ALL --security-opt no-new-privileges \
#     -p 127.0.0.1:8000:8000 instcolor
# Under another name than localhost add, after the image's name: serve --host 0.0.0.0 --allow-others --allowed-host NAME

FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
COPY integrations ./integrations
RUN python -m venv /opt/instcolor && /opt/instcolor/bin/pip install --no-cache-dir ".[serve]"

FROM python:3.12-slim
COPY --from=build /opt/instcolor /opt/instcolor
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin instcolor
USER 10001
# Photos are kept in /tmp only, and only while the server runs.
ENV PATH=/opt/instcolor/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TMPDIR=/tmp HOME=/tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["instcolor"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--allow-others"]
