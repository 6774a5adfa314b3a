"""When the next thing happens to an object by itself. Pure."""

from sandbox.kinds import JSON

DAY = 86_400
HOUR = 3_600

# An unpaid first invoice ends the subscription after 23 hours, as Stripe documents.
INCOMPLETE_FOR = 23 * HOUR
TRIAL_NOTICE = 3 * DAY
# Stripe's usual custom retry schedule: days after the attempt before.
RETRY_AFTER = (3 * DAY, 5 * DAY, 7 * DAY)

RENEWING = ("active", "past_due", "unpaid")


def due_moment(data: JSON, hidden: JSON) -> int | None:
    """Return when an object next changes by itself, if it does."""
    if data.get("deleted"):
        return None
    if data["object"] == "subscription":
        moments = subscription_moments(data, hidden).values()
        return min(moments, default=None)
    if data["object"] == "invoice" and data["status"] == "open":
        moment: int | None = data["next_payment_attempt"]
        return moment
    if data["object"] == "checkout.session" and data["status"] == "open":
        expires_at: int = data["expires_at"]
        return expires_at
    return None


def subscription_moments(data: JSON, hidden: JSON) -> dict[str, int]:
    """Name what lies ahead of a subscription, and when.

    The order of the keys decides between things due at the same moment: a subscription that is to
    end is not renewed first.
    """
    moments: dict[str, int] = {}
    status = data["status"]
    if status in ("canceled", "incomplete_expired"):
        return moments
    if status == "incomplete":
        return {"expire": data["created"] + INCOMPLETE_FOR}
    if data["cancel_at"] is not None:
        moments["cancel"] = data["cancel_at"]
    pause = data["pause_collection"]
    if pause and pause["resumes_at"]:
        moments["resume_collection"] = pause["resumes_at"]
    if status == "trialing":
        if not hidden.get("trial_notice_sent"):
            moments["trial_notice"] = max(data["trial_end"] - TRIAL_NOTICE, data["created"])
        moments["end_trial"] = data["trial_end"]
    if status in RENEWING:
        moments["renew"] = period_end(data)
    return moments


def period_end(subscription: JSON) -> int:
    ends: list[int] = [item["current_period_end"] for item in subscription["items"]["data"]]
    return min(ends)


def period_start(subscription: JSON) -> int:
    starts: list[int] = [item["current_period_start"] for item in subscription["items"]["data"]]
    return max(starts)
