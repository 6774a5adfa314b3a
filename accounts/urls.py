from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("export/", views.export, name="export"),
    path("export/<str:token>/", views.export_from_outside, name="export_from_outside"),
]
