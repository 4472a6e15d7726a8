"""Every setting the operator may turn, read from the environment once, typed and bounded.

A wrong value stops the process at start with the setting's name (`load_environment`). Durations
carry their unit in the name. `.env.example` lists the same names; a test holds the two together.
"""

import re
from datetime import time
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.stores.urls import BROKER, MONGO, POSTGRES, REDIS, checked, redis_server

Switch = Literal["on", "off"]
OptionalApp = Literal["payments", "tickets", "waitlist", "webhooks"]
TICKET_KEY = re.compile(r"[A-Za-z0-9._-]{1,16}:[A-Za-z0-9_-]{43}")

_PROVIDER_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "sandbox": (),
    "stripe": ("stripe_secret_key", "stripe_webhook_secret"),
    "razorpay": ("razorpay_key_id", "razorpay_key_secret", "razorpay_webhook_secret"),
}
"""The settings each payment gateway cannot do without."""


class Environment(BaseSettings):
    """The settings, by the names an operator writes them with (upper case)."""

    # Django's lazy settings ask each value they hand out for this name, and pydantic takes long
    # to say that there is none (`settings.ENV` is read some ten times a request).
    _mask_wrapped: ClassVar[bool] = True

    # The embedded stores that run here say where they are in live.env; `.env` goes before it.
    model_config = SettingsConfigDict(
        env_file=(".data/live.env", ".env"),
        env_ignore_empty=True,
        extra="ignore",
        str_strip_whitespace=True,
    )

    # The process
    secret_key: str = Field(min_length=32)
    debug: Switch = "off"
    allowed_hosts: Annotated[list[str], NoDecode] = ["127.0.0.1", "localhost", "[::1]"]
    port: int = Field(default=8000, ge=1, le=65535)
    live_port: int | None = Field(default=None, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    cors_allowed_origins: Annotated[list[str], NoDecode] = []
    trusted_proxies: int = Field(default=0, ge=0, le=10)

    # The stores
    database_url: str
    redis_url: str
    cache_url: str
    broker_url: str
    mongo_url: str
    mongo_database: str = Field(default="seatlock", pattern=r"^[A-Za-z0-9_-]{1,38}$")
    database_pool_size: int = Field(default=8, ge=1, le=200)
    database_prepare: Switch = "on"
    database_timeout_seconds: float = Field(default=3.0, gt=0, le=300)
    database_breaker_seconds: float = Field(default=1.0, gt=0, le=60)
    redis_needs_aof: Switch = "on"
    redis_timeout_seconds: float = Field(default=0.25, gt=0, le=30)
    redis_patience_seconds: float = Field(default=5.0, gt=0, le=60)
    redis_breaker_failures: int = Field(default=3, ge=1, le=1000)
    redis_breaker_seconds: float = Field(default=1.0, gt=0, le=60)
    mongo_timeout_seconds: float = Field(default=2.0, gt=0, le=60)
    seatlock_embedded: Literal["0", "1"] = "0"
    seatlock_feeds: str = ""

    # Holds
    hold_ttl_seconds: int = Field(default=180, ge=1, le=3600)
    hold_max_total_seconds: int = Field(default=600, ge=1, le=7200)
    hold_max_seats: int = Field(default=6, ge=1, le=60)
    group_max_seats: int = Field(default=60, ge=1, le=60)
    hold_max_per_user: int = Field(default=3, ge=1, le=100)
    pin_seconds: int = Field(default=30, ge=1, le=300)

    # Sale
    sale_window_days: int = Field(default=60, ge=1, le=400)
    sale_opens_at: time = time(8, 0)
    currency: str = Field(default="INR", pattern=r"^[A-Z]{3}$")
    time_zone: str = "Asia/Kolkata"

    # Live sockets
    live_url: str = Field(default="", pattern=r"^(wss?://[^/?#\s]+)?$")
    live_max_sockets: int = Field(default=10_000, ge=1, le=1_000_000)
    live_max_per_address: int = Field(default=200, ge=1, le=1_000_000)
    live_max_per_user: int = Field(default=20, ge=1, le=10_000)
    live_heartbeat_seconds: float = Field(default=15.0, gt=0, le=300)
    live_slow_seconds: float = Field(default=10.0, gt=0, le=300)

    # Payments
    require_payment: Switch = "off"
    payment_window_seconds: int = Field(default=600, ge=30, le=3600)
    payment_providers: Annotated[list[str], NoDecode] = ["sandbox"]
    public_url: str = ""
    gateway_timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    sandbox_webhook_secret: str = ""
    stripe_secret_key: str = ""
    stripe_publishable_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_base_url: str = ""
    razorpay_key_id: str = ""
    razorpay_key_secret: str = ""
    razorpay_webhook_secret: str = ""
    razorpay_base_url: str = ""

    # Waitlist
    waitlist_offer_seconds: int = Field(default=900, ge=30, le=86_400)
    waitlist_max_per_user: int = Field(default=2, ge=1, le=100)
    waitlist_every_seconds: float = Field(default=1.0, gt=0, le=60)
    chart_hours: int = Field(default=4, ge=0, le=72)

    # Limits and people
    throttles: Switch = "on"
    access_token_seconds: int = Field(default=900, ge=30, le=86_400)
    refresh_token_seconds: int = Field(default=14 * 86_400, ge=60, le=90 * 86_400)
    max_body_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)

    # Tickets and mail
    apps_left_out: Annotated[list[OptionalApp], NoDecode] = []
    ticket_signing_key: str = ""
    email_host: str = ""
    email_port: int = Field(default=587, ge=1, le=65535)
    email_host_user: str = ""
    email_host_password: str = ""
    email_use_tls: Switch = "on"
    email_timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    email_from: str = "Seatlock <tickets@localhost>"
    mail_every_seconds: float = Field(default=2.0, gt=0, le=3600)

    # Outbound webhooks
    webhooks_every_seconds: float = Field(default=1.0, gt=0, le=60)
    webhook_timeout_seconds: float = Field(default=15.0, gt=0, le=60)
    webhook_disable_after_hours: int = Field(default=120, ge=1, le=720)
    webhook_retention_days: int = Field(default=30, ge=1, le=400)
    webhook_private_targets: Switch = "off"

    # How it serves, and background work
    web_pin: Switch = "on"
    sweep_every_seconds: float = Field(default=2.0, gt=0, le=60)
    ship_every_seconds: float = Field(default=1.0, gt=0, le=60)
    reconcile_every_seconds: float = Field(default=60.0, gt=0, le=3600)
    request_log_cap: int = Field(default=100_000, ge=100, le=10_000_000)
    audit_retention_days: int = Field(default=730, ge=1)
    request_retention_days: int = Field(default=30, ge=1)

    @property
    def longest_hold_seconds(self) -> int:
        """How long any hold may live from when it was taken: paid for last thing, or an offer's."""
        total = self.hold_max_total_seconds
        return max(total + self.payment_window_seconds, self.waitlist_offer_seconds)

    @field_validator("ticket_signing_key")
    @classmethod
    def _ticket_keys(cls, value: str) -> str:
        keys = [part.strip() for part in value.split(",")] if value else []
        names = [key.partition(":")[0] for key in keys]
        if not all(TICKET_KEY.fullmatch(key) for key in keys) or len(set(names)) < len(names):
            raise ValueError(
                "must be <name>:<32 bytes in URL-safe base64>, several with commas between, "
                "each with a name of its own"
            )
        return value

    @field_validator(
        "allowed_hosts",
        "cors_allowed_origins",
        "apps_left_out",
        "payment_providers",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        return checked(value, POSTGRES)

    @field_validator("redis_url", "cache_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        return checked(value, REDIS)

    @field_validator("broker_url")
    @classmethod
    def _broker(cls, value: str) -> str:
        return checked(value, BROKER)

    @field_validator("mongo_url")
    @classmethod
    def _mongo(cls, value: str) -> str:
        return checked(value, MONGO)

    @field_validator("payment_providers")
    @classmethod
    def _known_providers(cls, value: list[str]) -> list[str]:
        return _among(value, set(_PROVIDER_NEEDS))

    @model_validator(mode="after")
    def _providers_have_their_keys(self) -> "Environment":
        """Runs after `port` is known: without PUBLIC_URL this process is where we are reached."""
        self.public_url = (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")
        for provider in self.payment_providers:
            for name in _PROVIDER_NEEDS[provider]:
                if not getattr(self, name):
                    raise ValueError(f"{name.upper()} is needed by {provider} (PAYMENT_PROVIDERS)")
        if self.require_payment == "on" and "payments" in self.apps_left_out:
            raise ValueError("REQUIRE_PAYMENT needs payments, which APPS_LEFT_OUT leaves out")
        return self

    @property
    def public_origin(self) -> str:
        """What a browser calls us: scheme and host of PUBLIC_URL."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us encrypted, be it by a proxy."""
        return self.public_url.startswith("https://")

    @model_validator(mode="after")
    def _limits_relate(self) -> "Environment":
        if self.hold_max_total_seconds < self.hold_ttl_seconds:
            raise ValueError("HOLD_MAX_TOTAL_SECONDS must be at least HOLD_TTL_SECONDS")
        if self.group_max_seats < self.hold_max_seats:
            raise ValueError("GROUP_MAX_SEATS must be at least HOLD_MAX_SEATS")
        if self.redis_patience_seconds < self.redis_timeout_seconds:
            raise ValueError("REDIS_PATIENCE_SECONDS must be at least REDIS_TIMEOUT_SECONDS")
        others = {redis_server(url) for url in (self.cache_url, self.broker_url)}
        if redis_server(self.redis_url) in others:
            raise ValueError(
                "REDIS_URL must not be the server of CACHE_URL or BROKER_URL: "
                "cache and queue may not share the memory limit of the holds"
            )
        return self


def _among(value: list[str], known: set[str]) -> list[str]:
    if unknown := set(value) - known:
        names = ", ".join(sorted(known))
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; known are {names}")
    return value


class WrongSettingError(SystemExit):
    """The environment does not describe a Seatlock; the message names each wrong setting."""


def load_environment() -> Environment:
    """Read the environment, or stop the process with the names of the wrong settings."""
    try:
        return Environment()
    except ValidationError as wrong:
        lines = [_explain(error["loc"], error["msg"]) for error in wrong.errors()]
        message = "Seatlock cannot start, wrong settings:\n  " + "\n  ".join(lines)
        raise WrongSettingError(message) from None


def _explain(location: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part) for part in location).upper()
    return f"{name}: {message}" if name else message
