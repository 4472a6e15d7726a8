"""Rights on the staff board, and the roles that have them."""

from typing import Any

from django.db import migrations, models

from web.staff.rights import make_roles


def forwards(apps: Any, schema_editor: Any) -> None:
    del schema_editor
    make_roles(apps)


class Migration(migrations.Migration):
    initial = True

    dependencies = (
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("trains", "0006_withdrawn"),
        ("reservations", "0006_booking_became"),
    )

    operations = (
        migrations.CreateModel(
            name="BoardRight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "right on the staff board",
                "verbose_name_plural": "rights on the staff board",
                "permissions": (
                    ("see_figures", "See today, departures, demand, calls and health"),
                    ("see_people", "See holds, bookings and waitlists with their names"),
                    ("see_payments", "See payments and differences"),
                    ("release_holds", "Free the seats of a hold"),
                    ("cancel_bookings", "Give seats back by the rules"),
                    ("set_refunds", "Give back another amount than the rules"),
                    ("reseat_departures", "Plan and confirm another vehicle"),
                    ("cancel_departures", "Cancel a departure"),
                    ("settle_payments", "Settle differences, send refunds again"),
                    ("use_admin", "Come into the administration"),
                ),
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    )
