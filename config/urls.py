from django.contrib import admin
from django.urls import include, path

from billing.webhooks import WebhookView
from orgs import views as orgs_views

urlpatterns = [
    path("", orgs_views.home, name="home"),
    path("accounts/", include("allauth.account.urls")),
    path("", include("orgs.urls")),
    path("billing/", include("billing.urls")),
    path(
        "stripe/",
        include(
            (
                [
                    path(
                        "webhook/<uuid:uuid>/",
                        WebhookView.as_view(),
                        name="djstripe_webhook_by_uuid",
                    ),
                ],
                "djstripe",
            )
        ),
    ),
    path("admin/", admin.site.urls),
]
