"""What is on the dashboard: rows of panels, each with a title, a description, a unit, and its queries.

A query's legend follows it. Sizes are columns of 24 and rows of 30 pixels. `warn` and `bad` are where
a value becomes orange and red; they are those of the alerts, where there is one.
"""

M = "alertmanager_webex_"
JOB = 'namespace=~"$namespace", job=~"$job"'
RECEIVER = JOB + ', receiver=~"$receiver"'
BOT = JOB + ', bot=~"$bot"'

FOR_GOOD = "partial|room_refused|message_refused|token_refused|room_not_allowed|foreign_namespace|given_up|internal"
REJECTED = "bad_payload|unauthorized|locked_out|bad_query|unknown_receiver|method_not_allowed|too_slow|too_large|unsupported_media_type"
PER_MINUTE = "suffix: /min"

# Of each label all values by default; `.*` as well, so that a label that is missing does no harm.
VARIABLES = [
    ("namespace", "Namespace", "Where alertmanager-webex runs", f"label_values({M}build_info, namespace)"),
    ("job", "Job", "What Prometheus calls the service", f'label_values({M}build_info{{namespace=~"$namespace"}}, job)'),
    ("receiver", "Receiver", "Receivers of the configuration", f"label_values({M}notifications_total{{{JOB}}}, receiver)"),
    ("bot", "Bot", "Bots and incoming webhooks", f"label_values({M}webex_requests_total{{{JOB}}}, bot)"),
]


def stat(title, description, query, unit="short", legend="", **more):
    return {"form": "stat", "title": title, "description": description, "queries": [(query, legend)],
            "unit": unit, "size": (3, 4), **more}


def graph(title, description, queries, unit, size=(12, 8), **more):
    return {"form": "timeseries", "title": title, "description": description, "queries": queries,
            "unit": unit, "size": size, **more}


def table(title, description, query, unit, columns, size=(12, 8), **more):
    return {"form": "table", "title": title, "description": description, "queries": [(query, "")],
            "unit": unit, "columns": columns, "size": size, **more}


def per_minute(by, metric, selector):
    return f"sum by ({by}) (rate({M}{metric}{{{selector}}}[$__rate_interval])) * 60"


def quantiles(by, metric, selector, legend):
    buckets = f"sum by ({', '.join([*by, 'le'])}) (rate({M}{metric}_bucket{{{selector}}}[$__rate_interval]))"
    return [(f"histogram_quantile({q}, {buckets})", f"{legend}p{round(q * 100)}".strip()) for q in (0.5, 0.95, 0.99)]


GLANCE = [
    stat("Delivered, last hour", "Notifications of which Webex has every message, or those of the rooms that do not refuse.",
         f'sum(increase({M}notifications_total{{{RECEIVER}, outcome=~"delivered|partial"}}[1h]))', decimals=0),
    stat("Refused for good, last hour", "Trying again changes nothing: somebody has to mend something. The table below says where.",
         f'sum(increase({M}notifications_total{{{RECEIVER}, outcome=~"{FOR_GOOD}"}}[1h]))', decimals=0, bad=1),
    stat("Turned away, last hour", "Requests that are no notification to be delivered: a wrong URL, wrong credentials.",
         f'sum(increase({M}notifications_total{{{RECEIVER}, outcome=~"{REJECTED}"}}[1h]))', decimals=0, warn=1),
    stat("Waiting", "Notifications that Webex does not have yet.",
         f"sum({M}waiting_notifications{{{RECEIVER}}})", decimals=0, warn=100, bad=1000),
    stat("Oldest waiting", "How long the notification has waited that has waited longest. So late do people learn of it.",
         f"max({M}oldest_waiting_seconds{{{RECEIVER}}})", unit="s", decimals=0, warn=30, bad=120),
    stat("Gates closed", "Bots that may not post now, because Webex answered 429.",
         f"count({M}bot_gate_closed_seconds{{{BOT}}} > 0) or vector(0)", decimals=0, warn=1),
    stat("Configuration", "Whether the configuration that was read last counts. Refused: the one before it still does, but a restart would fail.",
         f"min({M}config_last_reload_successful{{{JOB}}})", unit="none", words={1: ("loaded", "green"), 0: ("refused", "red")}),
    stat("Version", "What runs. Two at a time: a new version is being rolled out.",
         f"count by (version) ({M}build_info{{{JOB}}})", unit="none", legend="{{version}}", name=True),
]

NOTIFICATIONS = [
    graph("Delivered", "Notifications that Webex has, by receiver.",
          [(per_minute("receiver", "notifications_total", f'{RECEIVER}, outcome=~"delivered|partial"'), "{{receiver}}")],
          PER_MINUTE, stack=True),
    graph("Answered otherwise", "By reason. What is not refused for good, Alertmanager tries again, and the delivery goes on meanwhile.",
          [(per_minute("outcome", "notifications_total", f'{RECEIVER}, outcome!~"delivered|partial|duplicate|dry_run"') + " > 0", "{{outcome}}")],
          PER_MINUTE, stack=True),
    table("Refused for good or turned away", "By receiver and reason, in the time shown. docs/runbooks says what to do about each.",
          f'sum by (receiver, outcome) (increase({M}notifications_total{{{RECEIVER}, outcome=~"{FOR_GOOD}|{REJECTED}"}}[$__range])) > 0.5',
          "short", {"receiver": "Receiver", "outcome": "Reason", "Value": "Notifications"}, decimals=0, bad=0),
    graph("From request to answer", "Time until Alertmanager is told that Webex has the message. It is told 503 after delivery.answer_within, 9 s unless set.",
          quantiles([], "notification_duration_seconds", f'{JOB}, outcome="delivered"', ""), "s"),
]

WAITING = [
    graph("Waiting by receiver", "Notifications that Webex does not have yet, by receiver.",
          [(f"sum by (receiver) ({M}waiting_notifications{{{RECEIVER}}})", "{{receiver}}")], "short", size=(8, 8), stack=True),
    graph("Oldest waiting by receiver", "How long the oldest one of each receiver has waited. An alert tells of two minutes.",
          [(f"max by (receiver) ({M}oldest_waiting_seconds{{{RECEIVER}}})", "{{receiver}}")], "s", size=(8, 8), bad=120),
    table("Last delivered", "How long ago a notification of each receiver was last delivered. Long is no fault where nothing fires.",
          f"time() - max by (receiver) ({M}last_success_timestamp_seconds{{{RECEIVER}}} > 0)",
          "s", {"receiver": "Receiver", "Value": "Ago"}, size=(8, 8), decimals=0),
]

WEBEX = [
    graph("Requests by answer", "By status, or by what happened instead: connect, timeout, interrupted, not_webex.",
          [(per_minute("bot, code", "webex_requests_total", BOT) + " > 0", "{{bot}} {{code}}")], PER_MINUTE, stack=True),
    graph("Time of a request", "From a request to Webex to its answer.",
          quantiles(["bot"], "webex_request_duration_seconds", BOT, "{{bot}} "), "s"),
    graph("Pace", "What each bot may send: the configured ceiling, or what Webex taught. And what it does send.",
          [(f"max by (bot) ({M}bot_pace_messages_per_second{{{BOT}}}) * 60", "{{bot}} may"),
           (per_minute("bot", "webex_requests_total", f'{BOT}, code="200"'), "{{bot}} does")], PER_MINUTE, size=(6, 8)),
    graph("Gate closed for", "How long each bot still waits because Webex answered 429.",
          [(f"max by (bot) ({M}bot_gate_closed_seconds{{{BOT}}})", "{{bot}}")], "s", size=(6, 8)),
    graph("May stand twice", "Posts whose answer was lost, so that they were sent again.",
          [(per_minute("bot", "ambiguous_posts_total", BOT), "{{bot}}")], PER_MINUTE, size=(6, 8)),
    graph("Access tokens", "Of service apps: how long each may still be used. It is renewed before. Bots have tokens that last, and are not here.",
          [(f"min by (bot) ({M}bot_token_valid_seconds{{{BOT}}})", "{{bot}}")], "s", size=(6, 8)),
]

MESSAGES = [
    graph("Messages by kind", "What Webex accepted: new messages, replies, edits, digests of several notifications, and plainer forms.",
          [(per_minute("kind", "messages_total", RECEIVER), "{{kind}}")], PER_MINUTE, size=(6, 8), stack=True),
    graph("Duplicates suppressed", "Notifications that were not posted, because the same one had just been accepted: Alertmanager's retries and peers.",
          [(per_minute("receiver", "duplicates_suppressed_total", RECEIVER), "{{receiver}}")], PER_MINUTE, size=(6, 8), stack=True),
    graph("Plainer than meant", "Messages in a plainer form: the template failed, or Webex refused Markdown or card.",
          [(per_minute("receiver, reason", "fallbacks_total", RECEIVER) + " > 0", "{{receiver}} {{reason}}")], PER_MINUTE, size=(6, 8), stack=True),
    graph("Alerts kept from where they do not belong", "Withheld: not of the receiver's namespaces. In its own rooms: they ask for a room that they may not have.",
          [(per_minute("receiver", "withheld_alerts_total", RECEIVER), "{{receiver}} withheld"),
           (per_minute("receiver", "room_fallback_alerts_total", RECEIVER), "{{receiver}} in its own rooms")], PER_MINUTE, size=(6, 8), stack=True),
]

PROCESS = [
    graph("CPU", "Seconds of CPU time a second: 1 is a whole core.",
          [(f"rate(process_cpu_seconds_total{{{JOB}}}[$__rate_interval]) and on (namespace, job, instance) {M}build_info", "{{instance}}")], "none", size=(6, 8)),
    graph("Memory", "Resident memory of the process.",
          [(f"process_resident_memory_bytes{{{JOB}}} and on (namespace, job, instance) {M}build_info", "{{instance}}")], "bytes", size=(6, 8)),
    graph("Open files", "Connections of callers and to Webex. More than process_max_fds there cannot be.",
          [(f"process_open_fds{{{JOB}}} and on (namespace, job, instance) {M}build_info", "{{instance}}")], "short", size=(6, 8)),
    graph("Runtime", "How busy the threads are that deliver, of 100 % for all of them.",
          [(f"rate(tokio_workers_busy_seconds_total{{{JOB}}}[$__rate_interval]) / tokio_workers{{{JOB}}}", "{{instance}}")], "percentunit", size=(6, 8)),
]

ROWS = [
    ("At a glance", "Is anything wrong?", GLANCE),
    ("Notifications", "What Alertmanager sent, and what it was told.", NOTIFICATIONS),
    ("Waiting", "What Webex does not have yet.", WAITING),
    ("Webex", "What was asked of Webex, and what it said.", WEBEX),
    ("Messages", "What people see.", MESSAGES),
    ("Process", "What the service itself takes.", PROCESS),
]
