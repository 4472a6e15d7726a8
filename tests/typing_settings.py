"""Settings for the type checker's plugin, which imports Django's settings but opens no store."""

import os

os.environ.setdefault("SECRET_KEY", "type-checking-needs-no-secret-but-a-long-one")
os.environ.setdefault("DATABASE_URL", "postgresql://localhost/seatlock")
os.environ.setdefault("REDIS_URL", "redis://localhost:6379/0")
os.environ.setdefault("CACHE_URL", "redis://localhost:6380/0")
os.environ.setdefault("BROKER_URL", "redis://localhost:6380/1")
os.environ.setdefault("MONGO_URL", "mongodb://localhost:27017/")

from config.settings import *  # noqa: F403
