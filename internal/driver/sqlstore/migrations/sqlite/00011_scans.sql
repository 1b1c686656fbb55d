-- +goose Up

-- What scans of bundles found. source is cli or server; report is the whole
-- report, JSON compressed with gzip, digest the SHA-256 of that JSON; findings is
-- the list of its findings, compressed too. key_id names the app's key whose
-- signature was checked, empty for none.
CREATE TABLE scan_reports (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    bundle_id  BIGINT NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
    source     TEXT   NOT NULL,
    digest     BLOB   NOT NULL,
    tool       TEXT   NOT NULL,
    rules      TEXT   NOT NULL,
    blocks     BIGINT NOT NULL,
    warns      BIGINT NOT NULL,
    infos      BIGINT NOT NULL,
    key_id     TEXT   NOT NULL,
    signature  TEXT   NOT NULL,
    findings   BLOB   NOT NULL,
    report     BLOB   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);
CREATE INDEX scan_reports_bundle ON scan_reports (bundle_id, id);

-- What the server has to scan. state is waiting or failed; what was done is gone.
CREATE TABLE scan_jobs (
    bundle_id BIGINT PRIMARY KEY REFERENCES bundles (id) ON DELETE CASCADE,
    state     TEXT   NOT NULL,
    asked_at  BIGINT NOT NULL,
    asked_by  TEXT   NOT NULL,
    attempts  BIGINT NOT NULL DEFAULT 0,
    next_at   BIGINT NOT NULL DEFAULT 0,
    error     TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX scan_jobs_next ON scan_jobs (state, next_at);

-- channel_id 0 is the app's own policy; policy is JSON.
CREATE TABLE scan_policies (
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    channel_id BIGINT NOT NULL,
    policy     TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT   NOT NULL,
    PRIMARY KEY (app, channel_id)
);

-- authors is a JSON list of user ids: the people behind the request.
CREATE TABLE suppressions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    app          TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    rule         TEXT   NOT NULL,
    path         TEXT   NOT NULL,
    fingerprint  TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    authors      TEXT   NOT NULL,
    requested_by TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    decided_by   TEXT   NOT NULL DEFAULT '',
    decided_at   BIGINT NOT NULL DEFAULT 0,
    note         TEXT   NOT NULL DEFAULT '',
    expires_at   BIGINT NOT NULL
);
CREATE INDEX suppressions_app ON suppressions (app, id);

-- +goose Down
DROP TABLE suppressions;
DROP TABLE scan_policies;
DROP TABLE scan_jobs;
DROP TABLE scan_reports;
