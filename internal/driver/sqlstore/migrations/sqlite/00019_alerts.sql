-- +goose Up

-- Rules that an operator changed; the others are as the program has them. rule
-- is JSON.
CREATE TABLE alert_rules (
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL,
    rule       TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL,
    PRIMARY KEY (app, kind)
) WITHOUT ROWID;

-- One row for each time that something was wrong. Open rows are looked at again;
-- there is one of a rule and a subject. heard says that receivers believe it fires.
CREATE TABLE alerts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    app         TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    open        BOOLEAN NOT NULL,
    state       TEXT    NOT NULL,
    severity    TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    value       DOUBLE PRECISION NOT NULL,
    threshold   DOUBLE PRECISION NOT NULL,
    since       BIGINT  NOT NULL,
    fired_at    BIGINT  NOT NULL,
    well_since  BIGINT  NOT NULL,
    resolved_at BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    heard       BOOLEAN NOT NULL,
    told        BIGINT  NOT NULL,
    notified_at BIGINT  NOT NULL,
    acked_at    BIGINT  NOT NULL DEFAULT 0,
    acked_by    TEXT    NOT NULL DEFAULT '',
    ack_note    TEXT    NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alerts_open ON alerts (app, kind, subject) WHERE open;
CREATE INDEX alerts_app ON alerts (app, id);

CREATE TABLE alert_silences (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    until      BIGINT NOT NULL
);
CREATE INDEX alert_silences_app ON alert_silences (app, id);

-- What alerts compare with: counts of past quarters of an hour, Unix ms of their start.
CREATE TABLE alert_series (
    app     TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    series  TEXT   NOT NULL,
    quarter BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (app, series, quarter)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE alert_series;
DROP TABLE alert_silences;
DROP TABLE alerts;
DROP TABLE alert_rules;
