-- +goose Up

-- The entries of the log of sealed updates, from 0 without gaps. What the digest
-- is of is somewhere else, or in sealedlog_documents.
CREATE TABLE sealedlog_leaves (
    leaf   INTEGER PRIMARY KEY,
    kind   TEXT   NOT NULL,
    digest BLOB   NOT NULL,
    at     BIGINT NOT NULL,
    UNIQUE (kind, digest)
);

-- The stored hashes of the log, numbered as golang.org/x/mod/sumdb/tlog does.
CREATE TABLE sealedlog_hashes (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

-- What salted digests are of: SHA-256(salt and document). A row may be deleted,
-- which leaves an entry that tells nobody anything.
CREATE TABLE sealedlog_documents (
    leaf     INTEGER PRIMARY KEY REFERENCES sealedlog_leaves (leaf),
    kind     TEXT NOT NULL,
    app      TEXT NOT NULL,
    what     TEXT NOT NULL,
    name     TEXT NOT NULL,
    salt     BLOB NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX sealedlog_documents_about ON sealedlog_documents (app, what, name, kind, leaf);

-- Every checkpoint that was ever signed. Those that are not published wait for witnesses.
CREATE TABLE sealedlog_checkpoints (
    size      INTEGER PRIMARY KEY,
    note      TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    published BOOLEAN NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER sealedlog_leaves_keep_rows BEFORE DELETE ON sealedlog_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_leaves_keep_text BEFORE UPDATE ON sealedlog_leaves
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_hashes_keep_rows BEFORE DELETE ON sealedlog_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_hashes_keep_text BEFORE UPDATE ON sealedlog_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_checkpoints_keep_rows BEFORE DELETE ON sealedlog_checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints never go back'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_checkpoints_grow BEFORE INSERT ON sealedlog_checkpoints
WHEN NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM sealedlog_checkpoints)
BEGIN SELECT RAISE(ABORT, 'checkpoints never go back'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sealedlog_checkpoints_keep_text BEFORE UPDATE ON sealedlog_checkpoints
WHEN NEW.size <> OLD.size OR OLD.published AND NOT NEW.published
BEGIN SELECT RAISE(ABORT, 'checkpoints never go back'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE sealedlog_checkpoints;
DROP TABLE sealedlog_documents;
DROP TABLE sealedlog_hashes;
DROP TABLE sealedlog_leaves;
