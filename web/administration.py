"""Which site Django's admin is: named in the settings, before any model is there."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "web.administration_site.Administration"
