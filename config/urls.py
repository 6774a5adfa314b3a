from django.contrib import admin
from django.urls import include, path

from accounts.sessions import SessionsView
from billing.landing import front

urlpatterns = [
    path("", front, name="home"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    # By allauth's name for it, to which its own pages lead.
    path("accounts/sessions/", SessionsView.as_view(), name="usersessions_list"),
    path("account/", include("accounts.urls")),
    path("", include("orgs.urls")),
    path("billing/", include("billing.urls")),
    path("stripe/", include("billing.webhook_urls")),
    path("impersonation/", include("accounts.impersonation_urls")),
    path("admin/", admin.site.urls),
]

handler500 = "config.errors.server_error"
