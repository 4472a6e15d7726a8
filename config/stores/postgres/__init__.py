"""Our way to PostgreSQL: Django's engine (`base`) and prepared statements (`prepared`)."""
