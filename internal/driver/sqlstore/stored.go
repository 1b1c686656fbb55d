package sqlstore

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// storedRow is a stored file with its row id; Name is empty.
type storedRow struct {
	id int64
	ota.VariantFile
}

const storedColumns = `s.id, s.hash, s.brotli, s.blob, s.wire_hash, s.size, s.stored_size`

func scanStored(r scanner) (f storedRow, err error) {
	var hash, blob []byte
	if err := r.Scan(&f.id, &hash, &f.Brotli, &blob, &f.WireHash, &f.Size, &f.StoredSize); err != nil {
		return f, err
	}
	copy(f.Hash[:], hash)
	copy(f.Blob[:], blob)
	if f.WireHash == "" {
		f.WireHash = f.Hash.String()
	}
	return f, nil
}

// StoredFiles implements [control.Reader].
func (s reads) StoredFiles(ctx context.Context, app string, enc ota.Encoding, hashes []ota.Digest) ([]ota.VariantFile, error) {
	var out []ota.VariantFile
	err := inChunks(hashes, func(chunk []ota.Digest) error {
		args := []any{app, enc.KeyID, enc.SessionKey}
		for i := range chunk {
			args = append(args, chunk[i][:])
		}
		rows, err := selectAll(ctx, s.q, scanStored, `SELECT `+storedColumns+` FROM stored_files s
			JOIN encodings e ON e.id = s.encoding_id
			WHERE e.app = $1 AND e.key_id = $2 AND e.session_key = $3 AND s.hash IN (`+placeholders(4, len(chunk))+`)
			ORDER BY s.id DESC`, args...)
		for _, r := range rows {
			out = append(out, r.VariantFile)
		}
		return err
	})
	return out, err
}

// storedByID adds the rows to out.
func (s reads) storedByID(ctx context.Context, ids []int64, out map[int64]ota.VariantFile) error {
	return inChunks(ids, func(chunk []int64) error {
		rows, err := selectAll(ctx, s.q, scanStored,
			`SELECT `+storedColumns+` FROM stored_files s WHERE s.id IN (`+placeholders(1, len(chunk))+`)`, anys(chunk)...)
		for _, r := range rows {
			out[r.id] = r.VariantFile
		}
		return err
	})
}

// OwnsBlob implements [control.Reader].
func (s reads) OwnsBlob(ctx context.Context, app string, d ota.Digest) (bool, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT
		EXISTS (SELECT 1 FROM stored_files s JOIN encodings e ON e.id = s.encoding_id WHERE s.blob = $1 AND e.app = $2)
		OR EXISTS (SELECT 1 FROM variants v JOIN bundles b ON b.id = v.bundle_id WHERE v.zip = $1 AND b.app = $2)
		OR EXISTS (SELECT 1 FROM bundles WHERE app = $2 AND (sbom = $1 OR provenance = $1))
		OR EXISTS (SELECT 1 FROM sealed_manifests m WHERE m.app = $2 AND (m.digest = $1
			OR EXISTS (SELECT 1 FROM sealed_refs f WHERE f.manifest_id = m.id AND f.blob = $1)))`, d[:], app)
	if n != 0 || err != nil {
		return n != 0, err
	}
	// Imported bundles are few and keep their own lists.
	lists, err := selectAll(ctx, s.q, func(r scanner) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT v.entries FROM variants v JOIN bundles b ON b.id = v.bundle_id WHERE b.app = $1 AND length(v.entries) > 0`, app)
	if err != nil {
		return false, err
	}
	for _, raw := range lists {
		files, err := decodeEntries(raw)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(files, func(f ota.VariantFile) bool { return f.Blob == d }) {
			return true, nil
		}
	}
	return false, nil
}

// storeFiles returns the row ids of the files in an encoding and adds rows for
// those that are new.
func (t *txn) storeFiles(ctx context.Context, app string, enc ota.Encoding, files []ota.VariantFile) ([]int64, error) {
	if _, err := t.exec(ctx, `INSERT INTO encodings (app, key_id, session_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		app, enc.KeyID, enc.SessionKey); err != nil {
		return nil, err
	}
	encID, err := selectOne(ctx, t.q, nil, scanInt, `SELECT id FROM encodings WHERE app = $1 AND key_id = $2 AND session_key = $3`,
		app, enc.KeyID, enc.SessionKey)
	if err != nil {
		return nil, err
	}
	have, err := t.storedIDs(ctx, encID, files)
	if err != nil {
		return nil, err
	}
	st, err := t.tx.PrepareContext(ctx, `INSERT INTO stored_files (encoding_id, hash, brotli, blob, wire_hash, size, stored_size)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`)
	if err != nil {
		return nil, storeError("prepare", err)
	}
	defer func() { _ = st.Close() }() // it only frees memory
	ids := make([]int64, len(files))
	for i := range files {
		f := &files[i]
		key := storedKey{f.Hash, f.Blob, f.Brotli}
		if id, ok := have[key]; ok {
			ids[i] = id
			continue
		}
		wire := f.WireHash
		if wire == f.Hash.String() {
			wire = ""
		}
		if err := st.QueryRowContext(ctx, encID, f.Hash[:], f.Brotli, f.Blob[:], wire, f.Size, f.StoredSize).Scan(&ids[i]); err != nil {
			return nil, storeError("insert", err)
		}
		have[key] = ids[i]
	}
	return ids, nil
}

type storedKey struct {
	hash, blob ota.Digest
	brotli     bool
}

func (t *txn) storedIDs(ctx context.Context, encID int64, files []ota.VariantFile) (map[storedKey]int64, error) {
	have := make(map[storedKey]int64, len(files))
	return have, inChunks(files, func(chunk []ota.VariantFile) error {
		args := []any{encID}
		for i := range chunk {
			args = append(args, chunk[i].Hash[:])
		}
		rows, err := selectAll(ctx, t.q, scanStored, `SELECT `+storedColumns+` FROM stored_files s
			WHERE s.encoding_id = $1 AND s.hash IN (`+placeholders(2, len(chunk))+`)`, args...)
		for _, r := range rows {
			have[storedKey{r.Hash, r.Blob, r.Brotli}] = r.id
		}
		return err
	})
}
