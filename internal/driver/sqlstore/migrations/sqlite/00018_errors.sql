-- +goose Up

-- Errors that devices reported, in groups. sketch counts distinct devices
-- (core/errgroup); samples and sampled_at bound how often reports are kept whole.
CREATE TABLE error_groups (
    id            INTEGER PRIMARY KEY,
    app           TEXT    NOT NULL,
    fingerprint   BLOB    NOT NULL,
    kind          TEXT    NOT NULL,
    title         TEXT    NOT NULL,
    culprit       TEXT    NOT NULL,
    mapped        BOOLEAN NOT NULL,
    state         TEXT    NOT NULL,
    first_seen    BIGINT  NOT NULL,
    last_seen     BIGINT  NOT NULL,
    first_version TEXT    NOT NULL,
    last_version  TEXT    NOT NULL,
    count         BIGINT  NOT NULL,
    devices       BIGINT  NOT NULL,
    sketch        BLOB    NOT NULL,
    samples       BIGINT  NOT NULL,
    sampled_at    BIGINT  NOT NULL,
    resolved_in   TEXT    NOT NULL DEFAULT '',
    resolved_at   BIGINT  NOT NULL DEFAULT 0,
    resolved_by   TEXT    NOT NULL DEFAULT '',
    regressed_at  BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (app, fingerprint)
);
CREATE INDEX error_groups_seen ON error_groups (app, last_seen);
CREATE INDEX error_groups_last ON error_groups (last_seen);
CREATE INDEX error_groups_first ON error_groups (first_seen);
CREATE INDEX error_groups_regressed ON error_groups (regressed_at) WHERE regressed_at > 0;

CREATE TABLE error_versions (
    grp        BIGINT NOT NULL REFERENCES error_groups (id) ON DELETE CASCADE,
    version    TEXT   NOT NULL,
    platform   TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    PRIMARY KEY (grp, version, platform)
) WITHOUT ROWID;

CREATE TABLE error_hours (
    grp     BIGINT NOT NULL REFERENCES error_groups (id) ON DELETE CASCADE,
    hour    BIGINT NOT NULL, -- Unix ms of its start
    version TEXT   NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (grp, hour, version)
) WITHOUT ROWID;

CREATE TABLE error_samples (
    id             INTEGER PRIMARY KEY,
    grp            BIGINT NOT NULL REFERENCES error_groups (id) ON DELETE CASCADE,
    at             BIGINT NOT NULL,
    device         BLOB   NOT NULL,
    action         TEXT   NOT NULL,
    version        TEXT   NOT NULL,
    version_build  TEXT   NOT NULL,
    platform       TEXT   NOT NULL,
    plugin_version TEXT   NOT NULL,
    metadata       TEXT   NOT NULL
);
CREATE INDEX error_samples_group ON error_samples (grp, id);

-- Source maps of bundles: private documents, no part of what devices get.
CREATE TABLE source_maps (
    bundle_id  BIGINT NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
    path       TEXT   NOT NULL, -- of the script
    blob       BLOB   NOT NULL,
    size       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    PRIMARY KEY (bundle_id, path)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE source_maps;
DROP TABLE error_samples;
DROP TABLE error_hours;
DROP TABLE error_versions;
DROP TABLE error_groups;
