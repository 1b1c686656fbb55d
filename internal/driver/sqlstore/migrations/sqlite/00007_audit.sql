-- +goose Up

-- The record of changes becomes a Merkle log: leaf is a row's position in it,
-- from 0 without gaps. kept is false once the text is past retention.
DROP TRIGGER changes_keep_text;
ALTER TABLE changes ADD COLUMN leaf BIGINT NOT NULL DEFAULT -1;
ALTER TABLE changes ADD COLUMN kept BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE changes SET leaf = r.n FROM (SELECT id AS rid, ROW_NUMBER() OVER (ORDER BY id) - 1 AS n FROM changes) r WHERE r.rid = changes.id;
CREATE UNIQUE INDEX changes_leaf ON changes (leaf);

-- The stored hashes of the log, numbered as golang.org/x/mod/sumdb/tlog does.
-- Those of rows from before this table are added when the database is opened.
CREATE TABLE audit_hashes (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

-- One row: the entries below this leaf may lose their text, as a record of the
-- change that moved it says.
CREATE TABLE audit_retention (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    upto BIGINT NOT NULL
);
INSERT INTO audit_retention (one, upto) VALUES (1, 0);

-- How far those who read the log on and on have come.
CREATE TABLE audit_cursors (
    reader TEXT   PRIMARY KEY,
    leaf   BIGINT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER changes_keep_text BEFORE UPDATE ON changes
WHEN NOT (NEW.id = OLD.id AND NEW.leaf = OLD.leaf AND NEW.at = OLD.at AND NEW.action = OLD.action AND NEW.app = OLD.app
    AND NEW.org = OLD.org AND NEW.actor = '' AND NEW.object = '' AND NEW.detail = '' AND NEW.before = '' AND NEW.after = ''
    AND NEW.request_id = '' AND NOT NEW.kept AND OLD.leaf < (SELECT upto FROM audit_retention))
BEGIN SELECT RAISE(ABORT, 'the record of changes is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hashes_keep_rows BEFORE DELETE ON audit_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_hashes_keep_text BEFORE UPDATE ON audit_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_cursors;
DROP TABLE audit_retention;
DROP TABLE audit_hashes;
DROP INDEX changes_leaf;
DROP TRIGGER changes_keep_text;
ALTER TABLE changes DROP COLUMN kept;
ALTER TABLE changes DROP COLUMN leaf;
-- +goose StatementBegin
CREATE TRIGGER changes_keep_text BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the record of changes is append-only'); END;
-- +goose StatementEnd
