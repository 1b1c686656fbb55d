package scan

import "time"

// Options say what a bundle is compared with and what is allowed. The zero value
// is a scan of the bundle alone.
type Options struct {
	Native   *Native   // the native build; nil = unknown (ST-006 and part of WB-012 are silent)
	Baseline *Report   // of the bundle to compare with; nil = none (ST-007, ST-008 and part of ST-015 are silent)
	Metadata *Metadata // of the release; nil = unknown (ST-019 is silent)
	Advisory []Advisory
	Packages []Library // what the bundle was made of, as the lock file or SBOM in Path says

	Off      []string // rules that are not asked
	Allowed  Allowed
	Limits   Limits
	NewShare float64 // ST-008: share of new texts that is a large change; 0 = 0.6
	Now      int64   // Unix seconds, for tokens and dates; 0 = unknown
	Workers  int     // files that are read at once; 0 = 2
	Memo     *Memo   // of earlier scans; nil = every file is looked at
}

// Native is what the native build declares.
type Native struct {
	Plugins []string // names that plug-ins register under; nil = unknown
	// Guessed says that the names were made from those of packages. They are
	// compared loosely then, and what is missing warns.
	Guessed bool
	// Config is the text of the native build's capacitor.config.json, and Path
	// what it is called in findings.
	Config []byte
	Path   string
}

// Metadata is what a release says of itself.
type Metadata struct {
	Bundle, Version      string
	MinNative, MaxNative string
	Notes                string // for reviewers
}

// Advisory is a known hole of a library.
type Advisory struct {
	ID      string
	Package string // npm name
	Summary string
	// A version is affected from Introduced on ("" or "0" = the first) and
	// before Fixed ("" = all later ones); or if Versions lists it.
	Introduced, Fixed string
	LastAffected      string // the last affected version; "" = Fixed says it
	Versions          []string
	Score             float64 // CVSS, 0 = unknown
}

// Allowed is what the app declares.
type Allowed struct {
	Wasm     []string // SHA-256 of WebAssembly modules, hex
	Hosts    []string // hosts that need no mention (ST-015)
	Trackers []string // declared analytics and advertising hosts (ST-014)
	Payments bool     // an exemption for payments is declared (ST-010)
	AI       bool     // the use of AI services is declared (ST-022)
	Catalog  bool     // the app is a host of mini apps by design (ST-009)
}

// Limits bound a scan. Zero fields get the default.
type Limits struct {
	Files    int           // 20 000
	File     int64         // bytes of one file: 64 MiB
	Total    int64         // bytes of all files: 512 MiB
	Script   int           // bytes of a script that is parsed: 16 MiB
	Depth    int           // of archives in archives: 3
	Unpacked int64         // bytes unpacked from archives, of one file: 128 MiB
	Members  int           // of one archive: 5 000
	FileTime time.Duration // spent on one file: 20 s
	PerRule  int           // findings of one rule in one file: 20
	Findings int           // of all: 5 000
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Files, 20_000)
	def64(&l.File, 64<<20)
	def64(&l.Total, 512<<20)
	def(&l.Script, 16<<20)
	def(&l.Depth, 3)
	def64(&l.Unpacked, 128<<20)
	def(&l.Members, 5_000)
	def(&l.PerRule, 20)
	def(&l.Findings, 5_000)
	if l.FileTime <= 0 {
		l.FileTime = 20 * time.Second
	}
	return l
}
