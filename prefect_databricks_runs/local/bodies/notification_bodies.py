"""The fields that say who is told of a run: the same for jobs, submitted runs and tasks."""

from __future__ import annotations

from .schema import BOOLEAN, INTEGER, STRING, Choice, ListOf, Object

EVENTS = (
    "on_start",
    "on_success",
    "on_failure",
    "on_duration_warning_threshold_exceeded",
    "on_streaming_backlog_exceeded",
    "on_maintenance_start",
    "on_maintenance_complete",
)

EMAIL_NOTIFICATIONS = Object(
    {"no_alert_for_skipped_runs": BOOLEAN, **dict.fromkeys(EVENTS, ListOf(STRING))},
)
WEBHOOK_NOTIFICATIONS = Object(dict.fromkeys(EVENTS, ListOf(Object({"id": STRING}, required=("id",)))))
NOTIFICATION_SETTINGS = Object({"no_alert_for_skipped_runs": BOOLEAN, "no_alert_for_canceled_runs": BOOLEAN})
TASK_NOTIFICATION_SETTINGS = Object({**NOTIFICATION_SETTINGS.fields, "alert_on_last_attempt": BOOLEAN})

_METRIC = Choice(
    (
        "RUN_DURATION_SECONDS",
        "STREAMING_BACKLOG_BYTES",
        "STREAMING_BACKLOG_RECORDS",
        "STREAMING_BACKLOG_SECONDS",
        "STREAMING_BACKLOG_FILES",
    )
)
HEALTH = Object(
    {
        "rules": ListOf(
            Object(
                {"metric": _METRIC, "op": Choice(("GREATER_THAN",)), "value": INTEGER},
                required=("metric", "op", "value"),
            )
        )
    }
)
