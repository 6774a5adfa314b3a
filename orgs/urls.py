from django.urls import path

from orgs import views

app_name = "orgs"

urlpatterns = [
    path("organization/found/", views.found, name="found"),
    path("team/", views.team, name="team"),
    path("team/invite/", views.invite, name="invite"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
]
