-- +goose Up

-- Tokens have owners. A token of nobody holds roles by itself (grants, JSON),
-- and so does one of a CI run (owner_kind publisher). limits and ip_ranges are
-- JSON. previous_hash is empty unless a rotation left the old secret valid.
CREATE TABLE tokens_owned (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT   NOT NULL,
    owner_kind     TEXT   NOT NULL, -- nobody, user, service or publisher
    owner_id       BIGINT NOT NULL, -- 0 = nobody
    hash           BLOB   NOT NULL UNIQUE,
    previous_hash  BLOB   NOT NULL,
    previous_until BIGINT NOT NULL DEFAULT 0,
    prefix         TEXT   NOT NULL,
    grants         TEXT   NOT NULL,
    limits         TEXT   NOT NULL,
    ip_ranges      TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    expires_at     BIGINT NOT NULL DEFAULT 0, -- 0 = never
    rotated_at     BIGINT NOT NULL DEFAULT 0,
    last_used      BIGINT NOT NULL DEFAULT 0,
    last_from      TEXT   NOT NULL DEFAULT '',
    UNIQUE (owner_kind, owner_id, name)
);
INSERT INTO tokens_owned (id, name, owner_kind, owner_id, hash, previous_hash, prefix, grants, limits, ip_ranges, created_at, created_by, last_used)
    SELECT id, name, 'nobody', 0, hash, x'', prefix, '[{"role":"owner","scope":{"org":"main"}}]', '{}', '[]', created_at, '', last_used FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_owned RENAME TO tokens;
CREATE INDEX tokens_previous ON tokens (previous_hash);
CREATE INDEX tokens_expiry ON tokens (owner_kind, expires_at);

-- CI runs that may exchange their ID token for one of ours. actions is JSON.
CREATE TABLE trusted_publishers (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    org           TEXT    NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    provider      TEXT    NOT NULL, -- github or gitlab
    issuer        TEXT    NOT NULL,
    repository_id TEXT    NOT NULL,
    owner_id      TEXT    NOT NULL,
    repository    TEXT    NOT NULL,
    workflow      TEXT    NOT NULL,
    ref           TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    pull_requests BOOLEAN NOT NULL,
    role          TEXT    NOT NULL,
    app           TEXT    NOT NULL,
    channel       TEXT    NOT NULL,
    actions       TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL,
    created_by    TEXT    NOT NULL,
    last_used     BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (org, name)
);
CREATE INDEX trusted_publishers_repository ON trusted_publishers (issuer, repository_id);

-- ID tokens that were exchanged: digest of issuer and jti, kept until the ID
-- token cannot be valid any more.
CREATE TABLE exchanged_jtis (
    digest     BLOB   PRIMARY KEY,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX exchanged_jtis_expiry ON exchanged_jtis (expires_at);

-- +goose Down
DROP TABLE exchanged_jtis;
DROP TABLE trusted_publishers;
DELETE FROM tokens WHERE owner_kind <> 'nobody';
CREATE TABLE tokens_before (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE,
    prefix     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    last_used  BIGINT  NOT NULL DEFAULT 0
);
-- What is limited or expires would become an owner's: it goes.
INSERT INTO tokens_before (id, name, role, hash, prefix, created_at, last_used)
    SELECT id, name, 'owner', hash, prefix, created_at, last_used FROM tokens
    WHERE grants = '[{"role":"owner","scope":{"org":"main"}}]' AND limits = '{}' AND ip_ranges = '[]' AND expires_at = 0;
DROP TABLE tokens;
ALTER TABLE tokens_before RENAME TO tokens;
