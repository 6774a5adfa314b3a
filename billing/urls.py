from django.urls import path

from billing import views

app_name = "billing"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("subscribe/", views.subscribe, name="subscribe"),
    path("change/", views.change_plan, name="change_plan"),
    path("cancel/", views.cancel, name="cancel"),
    path("resume/", views.resume, name="resume"),
    path("confirm/", views.confirm_payment, name="confirm_payment"),
    path("portal/", views.portal, name="portal"),
    path("free/", views.choose_free, name="choose_free"),
    path("close-organization/", views.close_organization, name="close_organization"),
    path("reopen-organization/", views.reopen_organization, name="reopen_organization"),
    path("return/", views.checkout_return, name="checkout_return"),
]
