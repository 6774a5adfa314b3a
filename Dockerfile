# The product in an image: only what runs, by a person without rights, on a file system that nobody
# writes. compose.yaml shows what runs beside it. tests/deploy checks what can be checked here.
FROM python:3.11.14-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ["python", "-m", "venv", "/venv"]
COPY requirements.txt /requirements.txt
RUN ["/venv/bin/pip", "install", "--require-hashes", "--requirement", "/requirements.txt"]

FROM python:3.11.14-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000 \
    STATIC_ROOT=/srv/static
COPY --from=packages /venv /venv
WORKDIR /srv/holdfast
COPY . .
# Files are collected without a secret: what is here signs nothing, and is in no layer's environment.
RUN SECRET_KEY=for-collectstatic-alone ENCRYPTION_KEY=as-well PROMETHEUS_MULTIPROC_DIR=/tmp/metrics \
    python manage.py collectstatic --no-input --verbosity=0 \
    && python -m compileall -q . /venv/lib \
    && rm -rf /tmp/metrics
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "deploy/healthcheck.py"]
# Without a shell in between: SIGTERM reaches gunicorn, which ends what it has in hand.
CMD ["gunicorn", "config.wsgi"]
