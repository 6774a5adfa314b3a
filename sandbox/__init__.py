"""Stripe on this machine: a stateful stand-in for the part of Stripe's API that Holdfast uses.

A process of its own, for development and tests. It imports nothing of the product, and
nothing of the product imports it: the product knows it only as STRIPE_API_HOST.
"""
