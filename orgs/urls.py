from django.urls import path

from orgs.views import (
    account,
    activity,
    exports,
    home,
    invitations,
    leaving,
    organization,
    roles,
    team,
    transfers,
)

app_name = "orgs"

urlpatterns = [
    path("organization/", organization.organization, name="organization"),
    path("organization/details/", organization.change_details, name="change_details"),
    path("organization/activity/", activity.activity, name="activity"),
    path("organization/activity/export/", activity.export_activity, name="export_activity"),
    path("account/delete/", account.delete_account, name="delete_account"),
    path(
        "account/delete/<str:token>/",
        account.delete_from_outside,
        name="delete_from_outside",
    ),
    path("account/come-back/<str:token>/", account.come_back, name="come_back"),
    path("organization/export/", exports.export_organization, name="export_organization"),
    path("organization/found/", home.found, name="found"),
    path("organization/leave/", leaving.leave, name="leave"),
    path(
        "organization/leave/<str:token>/",
        leaving.leave_from_outside,
        name="leave_from_outside",
    ),
    path("organization/transfer/", transfers.request_transfer, name="request_transfer"),
    path(
        "organization/transfer/withdraw/",
        transfers.withdraw_transfer_request,
        name="withdraw_transfer_request",
    ),
    path("team/", team.team, name="team"),
    path("team/invite/", team.invite, name="invite"),
    path(
        "team/invitations/<int:invitation_id>/resend/",
        team.resend_invitation,
        name="resend_invitation",
    ),
    path(
        "team/invitations/<int:invitation_id>/revoke/",
        team.revoke_invitation,
        name="revoke_invitation",
    ),
    path("team/members/<int:user_id>/remove/", team.remove_member, name="remove_member"),
    path("team/roles/", roles.roles, name="roles"),
    path("team/roles/new/", roles.create_role, name="create_role"),
    path("team/roles/<int:role_id>/", roles.change_role, name="change_role"),
    path("team/roles/<int:role_id>/delete/", roles.delete_role, name="delete_role"),
    path("team/roles/assign/", team.assign_role, name="assign_role"),
    path("team/roles/revoke/", team.revoke_role, name="revoke_role"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
]
