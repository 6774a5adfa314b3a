from django.urls import path

from orgs import views

app_name = "orgs"

urlpatterns = [
    path("organization/found/", views.found, name="found"),
    path("organization/transfer/", views.request_transfer, name="request_transfer"),
    path(
        "organization/transfer/withdraw/",
        views.withdraw_transfer_request,
        name="withdraw_transfer_request",
    ),
    path("team/", views.team, name="team"),
    path("team/invite/", views.invite, name="invite"),
    path("team/roles/assign/", views.assign_role, name="assign_role"),
    path("team/roles/revoke/", views.revoke_role, name="revoke_role"),
    path("invitations/<str:token>/", views.invitation, name="invitation"),
]
