from django.urls import path

from billing import views

app_name = "billing"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("subscribe/", views.subscribe, name="subscribe"),
    path("portal/", views.portal, name="portal"),
    path("free/", views.choose_free, name="choose_free"),
    path("return/", views.checkout_return, name="checkout_return"),
]
