"""The product's settings, with dj-stripe's own webhook view in the place of ours."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.webhooks_stock_urls"
