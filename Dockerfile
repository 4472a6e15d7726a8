# Web, live sockets, worker, beat and management commands: one image, the command says which. The stores are not
# in it (docker-compose.yml).
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin seatlock
WORKDIR /app

# Before the code, so that a change of code does not install anew.
COPY requirements.txt .
RUN pip install --require-hashes --requirement requirements.txt

COPY manage.py celery_app.py ./
COPY config config
COPY users users
COPY trains trains
COPY reservations reservations
COPY analytics analytics
COPY web web

# Settings are read at import. These name stores that are not asked while files are collected.
RUN SECRET_KEY=only-to-collect-static-files-at-build \
    DATABASE_URL=postgresql://none/none REDIS_URL=redis://none BROKER_URL=redis://none-too \
    CACHE_URL=redis://none-too MONGO_URL=mongodb://none \
    python -m config.embedded.commands collect-static \
    && install -d -o seatlock .data

USER seatlock
EXPOSE 8000 8001
CMD ["python", "-m", "config.embedded.commands", "web"]
