"""Where trains stop, and the feeds that said so."""

from django.db import models


class Feed(models.Model):
    """A GTFS feed that was imported.

    `digest` is the SHA-256 of the contents last imported; `revision` counts the imports that
    changed something.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, blank=True)
    imported_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.code


class Station(models.Model):
    """A place where travellers board; the platforms of one station are one row.

    `timezone` (IANA name) is the zone its clock shows; coordinates are WGS 84 degrees.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    timezone = models.CharField(max_length=64)
    feed = models.ForeignKey(Feed, null=True, on_delete=models.PROTECT, related_name="stations")

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class FeedStop(models.Model):
    """Which station a feed's `stop_id` became, so that a second import finds it again."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="feed_stops")
    stop_id = models.CharField(max_length=200)
    station = models.ForeignKey(Station, on_delete=models.PROTECT, related_name="feed_stops")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["feed", "stop_id"], name="feed_stop_unique"),
        )

    def __str__(self) -> str:
        return f"{self.feed_id}:{self.stop_id}"
