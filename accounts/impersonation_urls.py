from django.urls import path

from accounts import impersonation_views

app_name = "impersonation"

urlpatterns = [
    path("stop/", impersonation_views.stop, name="stop"),
]
