"""Every URL, everybody who might open it, in every standing: one table of what they meet.

`login`: asked to log in; `home`, `done`: led on; `LOCK`, `CLOSED`: the lock screen; `owner's`: only
the owner may; `stripe`: led to Stripe; a number: that status; another word: the leg of the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from orgs.models import Organization
from tests import matrix
from tests.cast import lock
from tests.kept import put_back
from tests.matrix import PAGES, Scene, log_in_and_delete, make_scene, names_of, outcome, undone
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

KINDS = {
    "visitor": "visitor",
    "of none": "of none",
    "outsider": "outsider",
    "no role": "member",
    "member": "role member",
    "viewer": "role billing_viewer",
    "admin": "role admin",
    "owner": "owner",
    "developer": "developer",
    "staff": "staff",
    "deleted": "deleted",
}

FREE = """
                                    visitor   of none   outsider  no role   member    viewer    admin     owner     developer staff     deleted
GET home                            ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:activity                   login     home      ok        no_role   tier      no_role   tier      tier      home      home      login
POST orgs:export_activity           login     home      ok        no_role   no_role   no_role   tier      tier      home      home      login
GET accounts:account                login     ok        ok        ok        ok        ok        ok        ok        ok        ok        login
GET accounts:security               login     ok        ok        ok        ok        ok        ok        ok        ok        ok        login
POST accounts:rename                login     done      done      done      done      done      done      done      done      done      login
POST orgs:found                     login     home      home      home      home      home      home      home      home      home      login
GET orgs:organization               login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:change_details            login     home      done      no_role   no_role   no_role   done      done      home      home      login
GET orgs:team                       login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:invite                    login     home      done      no_role   no_role   no_role   done      done      home      home      login
POST orgs:resend_invitation         login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:revoke_invitation         login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:remove_member              login     home      404       no_role   no_role   no_role   ok        ok        home      home      login
POST orgs:remove_member             login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:assign_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:revoke_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:roles                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
GET orgs:create_role                login     home      ok        no_role   no_role   no_role   tier      tier      home      home      login
POST orgs:create_role               login     home      done      no_role   no_role   no_role   tier      tier      home      home      login
GET orgs:change_role                login     home      404       no_role   no_role   no_role   tier      tier      home      home      login
POST orgs:change_role               login     home      404       no_role   no_role   no_role   tier      tier      home      home      login
GET orgs:delete_role                login     home      404       no_role   no_role   no_role   tier      tier      home      home      login
POST orgs:delete_role               login     home      404       no_role   no_role   no_role   tier      tier      home      home      login
GET orgs:invitation                 ok        409       409       409       409       409       409       409       409       409       ok
GET orgs:leave                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:leave                     login     home      409       home      home      home      home      409       home      home      login
GET orgs:leave_from_outside         ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET accounts:export                 login     done      done      done      done      done      done      done      done      done      login
POST accounts:export                login     done      done      done      done      done      done      done      done      done      login
GET accounts:export_from_outside    ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
POST accounts:export_from_outside   ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:delete_account             login     done      done      done      done      done      done      done      403       403       login
POST orgs:delete_account            login     done      done      done      done      done      done      done      403       403       login
GET orgs:delete_from_outside        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:come_back                  ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:export_organization        login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST orgs:export_organization       login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET orgs:request_transfer           login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:request_transfer          login     home      422       422       422       422       422       done      home      home      login
POST orgs:withdraw_transfer_request login     home      done      done      done      done      done      done      home      home      login
GET billing:overview                login     home      ok        no_role   no_role   ok        ok        ok        home      home      login
POST billing:subscribe              login     home      stripe    owner's   owner's   owner's   owner's   stripe    home      home      login
GET billing:change_plan             login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:cancel                 login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:resume                 login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET billing:confirm_payment         login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:portal                 login     home      stripe    owner's   owner's   owner's   owner's   stripe    home      home      login
POST billing:choose_free            login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET billing:close_organization      login     home      ok        owner's   owner's   owner's   owner's   ok        home      home      login
POST billing:close_organization     login     home      422       owner's   owner's   owner's   owner's   home      home      home      login
POST billing:reopen_organization    login     home      home      owner's   owner's   owner's   owner's   home      home      home      login
GET billing:checkout_return         login     home      done      done      done      done      done      done      home      home      login
POST impersonation:stop             home      home      home      home      home      home      home      home      home      home      home
"""
PAID = """
                                    visitor   of none   outsider  no role   member    viewer    admin     owner     developer staff     deleted
GET home                            ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:activity                   login     home      ok        no_role   ok        no_role   ok        ok        home      home      login
POST orgs:export_activity           login     home      ok        no_role   no_role   no_role   ok        ok        home      home      login
GET accounts:account                login     ok        ok        ok        ok        ok        ok        ok        ok        ok        login
GET accounts:security               login     ok        ok        ok        ok        ok        ok        ok        ok        ok        login
POST accounts:rename                login     done      done      done      done      done      done      done      done      done      login
POST orgs:found                     login     home      home      home      home      home      home      home      home      home      login
GET orgs:organization               login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:change_details            login     home      done      no_role   no_role   no_role   done      done      home      home      login
GET orgs:team                       login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:invite                    login     home      done      no_role   no_role   no_role   done      done      home      home      login
POST orgs:resend_invitation         login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:revoke_invitation         login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:remove_member              login     home      404       no_role   no_role   no_role   ok        ok        home      home      login
POST orgs:remove_member             login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:assign_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
POST orgs:revoke_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:roles                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
GET orgs:create_role                login     home      ok        no_role   no_role   no_role   ok        ok        home      home      login
POST orgs:create_role               login     home      done      no_role   no_role   no_role   done      done      home      home      login
GET orgs:change_role                login     home      404       no_role   no_role   no_role   ok        ok        home      home      login
POST orgs:change_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:delete_role                login     home      404       no_role   no_role   no_role   ok        ok        home      home      login
POST orgs:delete_role               login     home      404       no_role   no_role   no_role   done      done      home      home      login
GET orgs:invitation                 ok        409       409       409       409       409       409       409       409       409       ok
GET orgs:leave                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:leave                     login     home      409       home      home      home      home      409       home      home      login
GET orgs:leave_from_outside         ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET accounts:export                 login     done      done      done      done      done      done      done      done      done      login
POST accounts:export                login     done      done      done      done      done      done      done      done      done      login
GET accounts:export_from_outside    ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
POST accounts:export_from_outside   ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:delete_account             login     done      done      done      done      done      done      done      403       403       login
POST orgs:delete_account            login     done      done      done      done      done      done      done      403       403       login
GET orgs:delete_from_outside        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:come_back                  ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:export_organization        login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST orgs:export_organization       login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET orgs:request_transfer           login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:request_transfer          login     home      422       422       422       422       422       done      home      home      login
POST orgs:withdraw_transfer_request login     home      done      done      done      done      done      done      home      home      login
GET billing:overview                login     home      ok        no_role   no_role   ok        ok        ok        home      home      login
POST billing:subscribe              login     home      stripe    owner's   owner's   owner's   owner's   stripe    home      home      login
GET billing:change_plan             login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:cancel                 login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:resume                 login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET billing:confirm_payment         login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
POST billing:portal                 login     home      stripe    owner's   owner's   owner's   owner's   stripe    home      home      login
POST billing:choose_free            login     home      done      owner's   owner's   owner's   owner's   done      home      home      login
GET billing:close_organization      login     home      ok        owner's   owner's   owner's   owner's   ok        home      home      login
POST billing:close_organization     login     home      422       owner's   owner's   owner's   owner's   home      home      home      login
POST billing:reopen_organization    login     home      home      owner's   owner's   owner's   owner's   home      home      home      login
GET billing:checkout_return         login     home      done      done      done      done      done      done      home      home      login
POST impersonation:stop             home      home      home      home      home      home      home      home      home      home      home
"""
LOCKED = """
                                    visitor   of none   outsider  no role   member    viewer    admin     owner     developer staff     deleted
GET home                            ok        ok        ok        LOCK      LOCK      LOCK      LOCK      ok        ok        ok        ok
GET orgs:activity                   login     home      ok        LOCK      LOCK      LOCK      LOCK      locked    home      home      login
POST orgs:export_activity           login     home      ok        LOCK      LOCK      LOCK      LOCK      locked    home      home      login
GET accounts:account                login     ok        ok        LOCK      LOCK      LOCK      LOCK      ok        ok        ok        login
GET accounts:security               login     ok        ok        LOCK      LOCK      LOCK      LOCK      ok        ok        ok        login
POST accounts:rename                login     done      done      LOCK      LOCK      LOCK      LOCK      done      done      done      login
POST orgs:found                     login     home      home      LOCK      LOCK      LOCK      LOCK      home      home      home      login
GET orgs:organization               login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST orgs:change_details            login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET orgs:team                       login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST orgs:invite                    login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:resend_invitation         login     home      404       LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:revoke_invitation         login     home      404       LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET orgs:remove_member              login     home      404       LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST orgs:remove_member             login     home      404       LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:assign_role               login     home      404       LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:revoke_role               login     home      404       LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET orgs:roles                      login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
GET orgs:create_role                login     home      ok        LOCK      LOCK      LOCK      LOCK      locked    home      home      login
POST orgs:create_role               login     home      done      LOCK      LOCK      LOCK      LOCK      locked    home      home      login
GET orgs:change_role                login     home      404       LOCK      LOCK      LOCK      LOCK      locked    home      home      login
POST orgs:change_role               login     home      404       LOCK      LOCK      LOCK      LOCK      locked    home      home      login
GET orgs:delete_role                login     home      404       LOCK      LOCK      LOCK      LOCK      locked    home      home      login
POST orgs:delete_role               login     home      404       LOCK      LOCK      LOCK      LOCK      locked    home      home      login
GET orgs:invitation                 409       409       409       LOCK      LOCK      LOCK      LOCK      409       409       409       409
GET orgs:leave                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:leave                     login     home      409       home      home      home      home      409       home      home      login
GET orgs:leave_from_outside         ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET accounts:export                 login     done      done      done      done      done      done      done      done      done      login
POST accounts:export                login     done      done      done      done      done      done      done      done      done      login
GET accounts:export_from_outside    ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
POST accounts:export_from_outside   ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:delete_account             login     done      done      done      done      done      done      done      403       403       login
POST orgs:delete_account            login     done      done      done      done      done      done      done      403       403       login
GET orgs:delete_from_outside        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:come_back                  ok        ok        ok        LOCK      LOCK      LOCK      LOCK      ok        ok        ok        ok
GET orgs:export_organization        login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:export_organization       login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET orgs:request_transfer           login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST orgs:request_transfer          login     home      422       LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST orgs:withdraw_transfer_request login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET billing:overview                login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST billing:subscribe              login     home      stripe    LOCK      LOCK      LOCK      LOCK      stripe    home      home      login
GET billing:change_plan             login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST billing:cancel                 login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST billing:resume                 login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET billing:confirm_payment         login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST billing:portal                 login     home      stripe    LOCK      LOCK      LOCK      LOCK      stripe    home      home      login
POST billing:choose_free            login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
GET billing:close_organization      login     home      ok        LOCK      LOCK      LOCK      LOCK      ok        home      home      login
POST billing:close_organization     login     home      422       LOCK      LOCK      LOCK      LOCK      home      home      home      login
POST billing:reopen_organization    login     home      home      LOCK      LOCK      LOCK      LOCK      home      home      home      login
GET billing:checkout_return         login     home      done      LOCK      LOCK      LOCK      LOCK      done      home      home      login
POST impersonation:stop             home      home      home      LOCK      LOCK      LOCK      LOCK      home      home      home      home
"""
CLOSED = """
                                    visitor   of none   outsider  no role   member    viewer    admin     owner     developer staff     deleted
GET home                            ok        ok        ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        ok        ok        ok
GET orgs:activity                   login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:export_activity           login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET accounts:account                login     ok        ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        ok        ok        login
GET accounts:security               login     ok        ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        ok        ok        login
POST accounts:rename                login     done      done      CLOSED    CLOSED    CLOSED    CLOSED    done      done      done      login
POST orgs:found                     login     home      home      CLOSED    CLOSED    CLOSED    CLOSED    home      home      home      login
GET orgs:organization               login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        home      home      login
POST orgs:change_details            login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:team                       login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        home      home      login
POST orgs:invite                    login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:resend_invitation         login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:revoke_invitation         login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:remove_member              login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:remove_member             login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:assign_role               login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:revoke_role               login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:roles                      login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        home      home      login
GET orgs:create_role                login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:create_role               login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:change_role                login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:change_role               login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:delete_role                login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
POST orgs:delete_role               login     home      404       CLOSED    CLOSED    CLOSED    CLOSED    closed    home      home      login
GET orgs:invitation                 409       409       409       CLOSED    CLOSED    CLOSED    CLOSED    409       409       409       409
GET orgs:leave                      login     home      ok        ok        ok        ok        ok        ok        home      home      login
POST orgs:leave                     login     home      409       home      home      home      home      409       home      home      login
GET orgs:leave_from_outside         ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET accounts:export                 login     done      done      done      done      done      done      done      done      done      login
POST accounts:export                login     done      done      done      done      done      done      done      done      done      login
GET accounts:export_from_outside    ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
POST accounts:export_from_outside   ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:delete_account             login     done      done      done      done      done      done      done      403       403       login
POST orgs:delete_account            login     done      done      done      done      done      done      done      403       403       login
GET orgs:delete_from_outside        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok        ok
GET orgs:come_back                  ok        ok        ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        ok        ok        ok
GET orgs:export_organization        login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
POST orgs:export_organization       login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
GET orgs:request_transfer           login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        home      home      login
POST orgs:request_transfer          login     home      422       CLOSED    CLOSED    CLOSED    CLOSED    422       home      home      login
POST orgs:withdraw_transfer_request login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
GET billing:overview                login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    ok        home      home      login
POST billing:subscribe              login     home      stripe    CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
GET billing:change_plan             login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
POST billing:cancel                 login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
POST billing:resume                 login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
GET billing:confirm_payment         login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
POST billing:portal                 login     home      stripe    CLOSED    CLOSED    CLOSED    CLOSED    stripe    home      home      login
POST billing:choose_free            login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
GET billing:close_organization      login     home      ok        CLOSED    CLOSED    CLOSED    CLOSED    home      home      home      login
POST billing:close_organization     login     home      422       CLOSED    CLOSED    CLOSED    CLOSED    home      home      home      login
POST billing:reopen_organization    login     home      home      CLOSED    CLOSED    CLOSED    CLOSED    home      home      home      login
GET billing:checkout_return         login     home      done      CLOSED    CLOSED    CLOSED    CLOSED    done      home      home      login
POST impersonation:stop             home      home      home      CLOSED    CLOSED    CLOSED    CLOSED    home      home      home      home
"""

THIRD_PARTY = """
                                      visitor   of none   locked    owner     staff     deleted
account_change_password               login     ok        LOCK      ok        ok        login
account_confirm_login_code            login     home      LOCK      home      home      login
account_email                         login     ok        LOCK      ok        ok        login
account_email_verification_sent       login     done      LOCK      done      done      login
account_inactive                      ok        ok        LOCK      ok        ok        ok
account_login                         ok        home      LOCK      home      home      ok
account_logout                        login     ok        ok        ok        ok        login
account_reauthenticate                login     ok        ok        ok        ok        login
account_reset_password                ok        ok        LOCK      ok        ok        ok
account_reset_password_done           ok        ok        LOCK      ok        ok        ok
account_reset_password_from_key       ok        ok        LOCK      ok        ok        ok
account_reset_password_from_key_done  ok        ok        LOCK      ok        ok        ok
account_set_password                  login     done      LOCK      done      done      login
account_signup                        ok        home      LOCK      home      home      ok
mfa_activate_totp                     login     done      LOCK      done      done      login
mfa_add_webauthn                      login     done      LOCK      done      done      login
mfa_authenticate                      login     home      LOCK      home      home      login
mfa_deactivate_totp                   login     404       LOCK      404       404       login
mfa_download_recovery_codes           login     404       LOCK      404       404       login
mfa_edit_webauthn                     login     done      LOCK      done      done      login
mfa_generate_recovery_codes           login     done      LOCK      done      done      login
mfa_index                             login     ok        LOCK      ok        ok        login
mfa_list_webauthn                     login     ok        LOCK      ok        ok        login
mfa_login_webauthn                    login     home      LOCK      home      home      login
mfa_reauthenticate                    login     done      done      done      done      login
mfa_reauthenticate_webauthn           login     done      done      done      done      login
mfa_remove_webauthn                   login     done      LOCK      done      done      login
mfa_view_recovery_codes               login     404       LOCK      404       404       login
usersessions_list                     login     ok        LOCK      ok        ok        login
"""

STANDINGS: dict[str, tuple[Callable[[Organization], None], str]] = {
    "free": (matrix.free, FREE),
    "current": (matrix.current, PAID),
    "in grace": (matrix.in_grace, PAID),
    "past due": (matrix.past_due, LOCKED),
    "lapsed": (matrix.lapsed, LOCKED),
    "closed": (matrix.closed, CLOSED),
}
# Those that stand as another does, which `make test` has anyway.
ALIKE = {"in grace", "lapsed"}
# What has a table of its own above, or is no page: Stripe's endpoint.
OURS = ("home", "accounts:", "orgs:", "billing:", "impersonation:")
NO_STAFF = ("visitor", "of none", "outsider", "member", "owner", "developer", "deleted")
NOT_A_PAGE = {"djstripe:djstripe_webhook_by_uuid"}


def read(table: str) -> dict[str, dict[str, str]]:
    """Return what each kind of person meets, by the first column."""
    head, *lines = [line for line in table.split("\n") if line.strip()]
    start = len(head) - len(head.lstrip())
    kinds = [each for each in KINDS | {"locked": ""} if each in head]
    kinds.sort(key=head.index)
    return {
        line[:start].strip(): dict(zip(kinds, line[start:].split(), strict=True)) for line in lines
    }


@pytest.fixture
def scene(stripe_account: SandboxProcess) -> Scene:
    return put_back(make_scene)


@pytest.mark.parametrize(
    "standing",
    [pytest.param(each, marks=[pytest.mark.thorough] * (each in ALIKE)) for each in STANDINGS],
)
def test_each_page_answers_each_person_as_the_table_says(scene: Scene, standing: str) -> None:
    write, table = STANDINGS[standing]
    expected, clients = read(table), log_in_and_delete(scene)
    write(scene.cast.acme)
    found = {page.key: dict[str, str]() for page in PAGES}
    for page in PAGES:
        for short, kind in KINDS.items():
            with undone(clients[kind]):
                found[page.key][short] = outcome(page.open(clients[kind], scene))
    assert found == expected


@pytest.mark.parametrize("table", [FREE, PAID, LOCKED, CLOSED])
def test_in_every_cell_the_owner_reaches_the_payment_page(table: str) -> None:
    rows = read(table)
    assert rows["GET billing:overview"]["owner"] == "ok"
    assert rows["POST billing:portal"]["owner"] == "stripe"


def test_every_url_has_a_row() -> None:
    """A new URL fails here until somebody has said who may open it."""
    named = {page.name for page in PAGES} | set(read(THIRD_PARTY)) | NOT_A_PAGE
    assert {name for name in names_of() if not name.startswith("admin:")} == named
    for table in (FREE, PAID, LOCKED, CLOSED):
        assert set(read(table)) == {page.key for page in PAGES}


@cache
def address(name: str) -> str:
    """An address of this name, with whatever arguments it takes."""
    for arguments in ([], ["x"], ["x", "y"], [1], [1, 1], ["orgs"]):
        with suppress(NoReverseMatch):
            return reverse(name, args=arguments)
    raise AssertionError(f"{name} takes other arguments")


def opened(client: Client, name: str) -> str:
    with undone(client):
        return outcome(client.get(address(name)))


def test_third_partys_pages_answer_each_person_as_the_table_says(scene: Scene) -> None:
    clients = log_in_and_delete(scene)
    lock(scene.cast.acme)
    kinds = KINDS | {"locked": "member"}
    expected = read(THIRD_PARTY)
    found = {
        name: {short: opened(clients[kinds[short]], name) for short in row}
        for name, row in expected.items()
    }
    assert found == expected


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(("visitor", "owner", "developer"), id="some"),
        pytest.param(NO_STAFF, id="all", marks=pytest.mark.thorough),
    ],
)
def test_no_page_of_the_admin_is_for_anybody_but_staff(
    scene: Scene, kinds: tuple[str, ...]
) -> None:
    clients = log_in_and_delete(scene)
    names = {name for name in names_of() if name.startswith("admin:")} - {"admin:login"}
    assert len(names) > 100
    for kind in kinds:
        # To the admin's own log-in, which tells those who are no staff so.
        assert {opened(clients[kind], name) for name in names} == {"done"}, kind
        assert opened(clients[kind], "admin:login") in {"login", "403"}
    met = {opened(clients["staff"], name) for name in names}
    assert met <= {"ok", "done", "403", "404", "405"}


def test_whatever_the_lapse_the_owner_finds_the_way_to_pay(scene: Scene) -> None:
    client = log_in_and_delete(scene)["owner"]
    for reason in ("unpaid", "paused", "payment_failed", "no_subscription", "customer_deleted"):
        lock(scene.cast.acme, reason=reason)
        page = client.get(reverse("billing:overview")).content.decode()
        assert reverse("billing:portal") in page or reverse("billing:subscribe") in page, reason
