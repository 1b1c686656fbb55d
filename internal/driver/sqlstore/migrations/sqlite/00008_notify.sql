-- +goose Up

-- Subscriptions to events. address, secret and old_secret are sealed under the
-- server's own secret; shown is what may be seen of the address. cursor is the
-- id of the last change that was read for the subscription.
CREATE TABLE webhooks (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    org              TEXT    NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    app              TEXT    NULL REFERENCES apps (id) ON DELETE CASCADE,
    name             TEXT    NOT NULL,
    format           TEXT    NOT NULL,
    address          BLOB    NOT NULL,
    shown            TEXT    NOT NULL,
    recipients       TEXT    NOT NULL, -- JSON list of mail addresses
    events           TEXT    NOT NULL, -- JSON list of types
    signing          TEXT    NOT NULL,
    public_key       TEXT    NOT NULL,
    secret           BLOB    NOT NULL,
    old_secret       BLOB    NOT NULL,
    old_secret_until BIGINT  NOT NULL,
    enabled          BOOLEAN NOT NULL,
    failing_since    BIGINT  NOT NULL,
    disabled_reason  TEXT    NOT NULL,
    cursor           BIGINT  NOT NULL,
    created_at       BIGINT  NOT NULL,
    created_by       TEXT    NOT NULL,
    UNIQUE (org, name)
);
CREATE INDEX webhooks_app ON webhooks (app);

-- One event on its way to one subscription. change_id is 0 for what no single
-- change caused.
CREATE TABLE deliveries (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id BIGINT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    change_id  BIGINT NOT NULL,
    message_id TEXT   NOT NULL,
    type       TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- event, replay or test
    body       BLOB   NOT NULL,
    state      TEXT   NOT NULL, -- pending, delivered or failed
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (webhook_id, change_id) WHERE kind = 'event';
CREATE INDEX deliveries_list ON deliveries (webhook_id, id);
CREATE INDEX deliveries_due ON deliveries (webhook_id, next_at) WHERE state = 'pending';
CREATE INDEX deliveries_old ON deliveries (created_at);

CREATE TABLE delivery_attempts (
    delivery_id BIGINT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    n           BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    duration    BIGINT NOT NULL, -- ms
    error       TEXT   NOT NULL,
    response    TEXT   NOT NULL,
    PRIMARY KEY (delivery_id, n)
) WITHOUT ROWID;

-- The highest share of active devices, in percent, that a release was told to
-- have reached.
CREATE TABLE adoption_marks (
    release_id BIGINT PRIMARY KEY REFERENCES releases (id) ON DELETE CASCADE,
    threshold  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE adoption_marks;
DROP TABLE delivery_attempts;
DROP TABLE deliveries;
DROP TABLE webhooks;
