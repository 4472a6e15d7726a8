"""These tests drive the engine from outside, over HTTP."""

from tests.promises.conftest import *  # noqa: F403  # the same railway, people and stores
