"""dj-stripe's URL, under its own name, with our view behind it."""

from django.urls import path

from billing.webhooks import WebhookView

app_name = "djstripe"

urlpatterns = [
    path("webhook/<uuid:uuid>/", WebhookView.as_view(), name="djstripe_webhook_by_uuid"),
]
