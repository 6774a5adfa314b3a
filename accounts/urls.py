from django.urls import path

from accounts.views import account, export, security

app_name = "accounts"

urlpatterns = [
    path("export/", export.export, name="export"),
    path("export/<str:token>/", export.export_from_outside, name="export_from_outside"),
    path("", account.account, name="account"),
    path("security/", security.security, name="security"),
    path("name/", account.rename, name="rename"),
]
