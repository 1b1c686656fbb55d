-- +goose Up

CREATE TABLE orgs (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO orgs (id, name, created_at) VALUES ('main', 'Main', 0);

ALTER TABLE apps ADD COLUMN org TEXT NOT NULL DEFAULT 'main';
CREATE INDEX apps_org ON apps (org, seq);

-- What a record of a change says besides: "before" and "after" are JSON.
ALTER TABLE changes ADD COLUMN org TEXT NOT NULL DEFAULT '';
ALTER TABLE changes ADD COLUMN before TEXT NOT NULL DEFAULT '';
ALTER TABLE changes ADD COLUMN after TEXT NOT NULL DEFAULT '';
ALTER TABLE changes ADD COLUMN request_id TEXT NOT NULL DEFAULT '';

-- email is stored in lower case.
CREATE TABLE users (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    email       TEXT   NOT NULL UNIQUE,
    name        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    invited_by  BIGINT NOT NULL DEFAULT 0,
    disabled_at BIGINT NOT NULL DEFAULT 0,
    last_seen   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE groups (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    org        TEXT   NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org, name)
);

CREATE TABLE group_members (
    group_id BIGINT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source   TEXT   NOT NULL, -- 'manual', or the single sign-on provider that keeps it
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id);

CREATE TABLE service_accounts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    org         TEXT   NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    disabled_at BIGINT NOT NULL DEFAULT 0,
    UNIQUE (org, name)
);

-- A role in a scope; app and channel are empty for a wider one.
CREATE TABLE grants (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subject_kind TEXT   NOT NULL, -- user, group or service
    subject_id   BIGINT NOT NULL,
    role         TEXT   NOT NULL,
    org          TEXT   NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    app          TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,
    UNIQUE (subject_kind, subject_id, role, org, app, channel)
);

-- +goose Down
DROP TABLE grants;
DROP TABLE service_accounts;
DROP TABLE group_members;
DROP TABLE groups;
DROP TABLE users;
DROP INDEX apps_org;
ALTER TABLE changes DROP COLUMN request_id;
ALTER TABLE changes DROP COLUMN after;
ALTER TABLE changes DROP COLUMN before;
ALTER TABLE changes DROP COLUMN org;
ALTER TABLE apps DROP COLUMN org;
DROP TABLE orgs;
