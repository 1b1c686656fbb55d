package sealed

// Caps of what is read, in bytes. Readers stop one byte after the cap.
const (
	MaxTrust        = 64 << 10
	MaxManifest     = 4 << 20
	MaxDirector     = 8 << 10
	MaxCheck        = 8 << 10
	MaxAnswer       = 1 << 20
	MaxEnrol        = 64 << 10
	MaxCertificate  = 16 << 10
	MaxGrantRequest = 32 << 10
	MaxGrant        = 4 << 10
	MaxReport       = 8 << 10
)

// Caps of counts and sizes inside documents.
const (
	MaxInt        = 1<<53 - 1 // the largest integer that every reader of JSON has exactly
	MaxSignatures = 16        // of one envelope
	MaxFiles      = 5_000     // of one bundle
	MaxPatches    = 20_000    // of one manifest: a few earlier versions of each file
	MaxTotal      = 512 << 20 // bytes of all files of a bundle
	MaxKeys       = 8         // of one kind in trust.json
	MaxWitnesses  = 16
	MaxPlatforms  = 8
	MaxGroups     = 64
	MaxRoots      = 64 // root versions in one answer, and in one run of the client
	MaxHashes     = 64 // of one consistency proof
	maxText       = 16 << 10
)

// Ends of the times that documents may state.
const (
	MaxDirectorAge    = 10 * 60           // seconds between issued and expires of a director answer
	MaxCertificateAge = 30 * 24 * 60 * 60 // of a certificate
	MaxGrantAge       = 24 * 60 * 60      // between the grant request and not_after
	MaxPollAfter      = 7 * 24 * 60 * 60
)
