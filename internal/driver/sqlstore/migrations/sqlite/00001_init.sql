-- +goose Up

-- Times are Unix milliseconds; 0 means "not set". Digests are 32 raw bytes, an
-- empty BLOB means "none". Device ids are their 16 raw bytes.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- Who may call the API. Only a hash of the secret is kept.
CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE,
    prefix     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    last_used  BIGINT  NOT NULL DEFAULT 0
);

-- The record of changes: one row per administrative write, in its transaction.
-- It outlives what it tells of, so it references nothing.
CREATE TABLE changes (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    app    TEXT   NOT NULL,
    object TEXT   NOT NULL,
    detail TEXT   NOT NULL
);
CREATE INDEX changes_app ON changes (app, id);

-- +goose StatementBegin
CREATE TRIGGER changes_keep_rows BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'the record of changes is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER changes_keep_text BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the record of changes is append-only'); END;
-- +goose StatementEnd

CREATE TABLE apps (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    expose_metadata BOOLEAN NOT NULL,
    allow_custom_id BOOLEAN NOT NULL,
    allow_plain     BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL
);

CREATE TABLE app_keys (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    id         TEXT   NOT NULL,
    public_pem TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (app, id)
);

-- tree is the digest of files, the encoded list of path, hash and size; both
-- are empty for a bundle another tool made. A deleted bundle keeps its row, so
-- that its version name stays taken.
CREATE TABLE bundles (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    app             TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    version         TEXT   NOT NULL,
    tree            BLOB   NOT NULL,
    files           BLOB   NOT NULL,
    file_count      BIGINT NOT NULL,
    size            BIGINT NOT NULL,
    min_native      TEXT   NOT NULL,
    link            TEXT   NOT NULL,
    comment         TEXT   NOT NULL,
    native_packages TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    deleted_at      BIGINT NOT NULL DEFAULT 0,
    UNIQUE (app, version)
);
CREATE INDEX bundles_app ON bundles (app, id);

-- An encoding is one way an app's files are stored: a session key of a signing
-- key, or plain (both empty).
CREATE TABLE encodings (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    app         TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    key_id      TEXT NOT NULL,
    session_key TEXT NOT NULL,
    UNIQUE (app, key_id, session_key)
);

-- A stored file is shared by all bundles that hold its content in its encoding.
-- A row never changes. wire_hash is empty where it is the hash itself.
CREATE TABLE stored_files (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    encoding_id BIGINT  NOT NULL REFERENCES encodings (id) ON DELETE CASCADE,
    hash        BLOB    NOT NULL,
    brotli      BOOLEAN NOT NULL,
    blob        BLOB    NOT NULL,
    wire_hash   TEXT    NOT NULL,
    size        BIGINT  NOT NULL,
    stored_size BIGINT  NOT NULL,
    UNIQUE (encoding_id, hash, brotli, blob)
);
CREATE INDEX stored_files_blob ON stored_files (blob);

-- files is the encoded list of stored_files ids, one for each file of the
-- bundle's tree; entries the encoded list of an imported bundle's own entries.
CREATE TABLE variants (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    bundle_id    BIGINT NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
    key_id       TEXT   NOT NULL,
    session_key  TEXT   NOT NULL,
    checksum     TEXT   NOT NULL,
    checksum_v2  TEXT   NOT NULL,
    external_url TEXT   NOT NULL,
    zip          BLOB   NOT NULL,
    zip_size     BIGINT NOT NULL,
    files        BLOB   NOT NULL,
    entries      BLOB   NOT NULL,
    UNIQUE (bundle_id, key_id)
);
CREATE INDEX variants_zip ON variants (zip);

-- release_id is the current release, 0 before the first; rollout is JSON, empty
-- for none; policy is JSON.
CREATE TABLE channels (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    app        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    policy     TEXT   NOT NULL,
    release_id BIGINT NOT NULL DEFAULT 0,
    rollout    TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    UNIQUE (app, name)
);

-- bundle_id NULL is the bundle inside the native app.
CREATE TABLE releases (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    bundle_id  BIGINT NULL REFERENCES bundles (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL,
    parent     BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);
CREATE INDEX releases_channel ON releases (channel_id, id);
CREATE INDEX releases_bundle ON releases (bundle_id);

-- Devices bound to a channel, by an operator or (self_set) by an old plugin.
CREATE TABLE device_overrides (
    app        TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    device     BLOB    NOT NULL,
    channel_id BIGINT  NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    self_set   BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (app, device)
) WITHOUT ROWID;
CREATE INDEX device_overrides_channel ON device_overrides (channel_id);

-- +goose Down
DROP TABLE device_overrides;
DROP TABLE releases;
DROP TABLE channels;
DROP TABLE variants;
DROP TABLE stored_files;
DROP TABLE encodings;
DROP TABLE bundles;
DROP TABLE app_keys;
DROP TABLE apps;
DROP TABLE changes;
DROP TABLE tokens;
DROP TABLE settings;
