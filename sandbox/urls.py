"""The sandbox's addresses: the API, the hosted pages, the control calls and the index."""

from django.urls import path, re_path

from sandbox import api, control
from sandbox.hosted import actions, checkout, confirm, index, invoice, objects, portal

urlpatterns = [
    path("", index.view, name="index"),
    path("objects/<str:id>", objects.view, name="object"),
    path("clock", actions.move_clock, name="move-clock"),
    path("weather", actions.change_weather, name="change-weather"),
    path("settings", actions.change_settings, name="change-settings"),
    path("deliveries/<int:seq>/again", actions.send_again, name="send-again"),
    path("c/pay/<str:id>", checkout.view, name="checkout"),
    path("confirm/<str:id>", confirm.view, name="confirm"),
    path("i/<str:id>", invoice.view, name="invoice"),
    path("p/session/<str:id>", portal.view, name="portal"),
    path("p/session/<str:id>/<str:action>", portal.act, name="portal-action"),
    path("_sandbox/reset", control.reset),
    path("_sandbox/keep", control.keep),
    path("_sandbox/weather", control.change_weather),
    path("_sandbox/requests", control.list_requests),
    path("_sandbox/settings", control.change_settings),
    path("_sandbox/deliveries", control.list_deliveries),
    path("_sandbox/deliveries/flush", control.flush_deliveries),
    re_path(r"^v[12]/", api.view),
]

handler500 = api.server_error
