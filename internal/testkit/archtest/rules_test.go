package archtest

// module is the path of the main module.
const module = "github.com/waxwing-ota/waxwing"

// importRule bounds what packages may import. Patterns are paths below the
// module's internal folder, whole paths of other modules, or paths of the
// standard library; "x/..." is x and all below it, "std" any other package of
// the standard library.
type importRule struct {
	from string   // the packages it is about
	only []string // they may import these of ours and of other modules; nil = no bound
	not  []string // and never these
	why  string
}

// importRules is the table of the design: the first rule whose from matches a
// package bounds it, further rules that match add their not.
var importRules = []importRule{
	{
		from: "core/scan/...",
		only: []string{
			"core/...",
			"github.com/BurntSushi/toml", "github.com/evanw/esbuild/pkg/api", "github.com/tdewolff/parse/v2/...", "golang.org/x/net/html",
		},
		not: []string{"net", "net/http/...", "database/sql/...", "os/...", "math/rand/...", "log"},
		why: "the scan reads hostile files with parsers of its own and touches nothing else",
	},
	{
		from: "core/canon",
		only: []string{"core/ota", "github.com/go-json-experiment/json/jsontext"},
		why:  "the form of signed documents is below all of them",
	},
	{
		from: "core/cobblestone",
		only: []string{"core/ota"},
		why:  "the encryption of files needs the standard library's ciphers and nothing else, so it can be read whole",
	},
	{
		from: "core/grant",
		only: []string{"core/cobblestone", "core/ota"},
		why:  "handing a content key to a device's key needs both keys, not who asked or why",
	},
	{
		from: "core/delta",
		only: []string{"core/ota", "github.com/klauspost/compress/zstd"},
		why:  "the decoder of patches reads hostile bytes with one library and nothing else",
	},
	{
		from: "core/p256",
		only: []string{"core/canon", "core/ota", "golang.org/x/crypto/cryptobyte/..."},
		why:  "the one signature devices verify needs curve, hash and the form of keys, nothing of what is signed",
	},
	{
		from: "core/tuf",
		only: []string{"core/canon", "core/ota", "core/p256"},
		why:  "what devices trust is decided from documents and signatures alone, so that it can be written again in other languages",
	},
	{
		from: "core/...",
		only: []string{
			"core/...",
			"filippo.io/age/...",
			"github.com/andybalholm/brotli/...",
			"github.com/CycloneDX/cyclonedx-go",
			"github.com/go-json-experiment/json/jsontext",
			"github.com/klauspost/compress/...",
			"golang.org/x/crypto/...",
			"golang.org/x/mod/...",
			"golang.org/x/sync/...",
			"golang.org/x/text/...",
		},
		not: []string{"net", "net/http/...", "database/sql/...", "os/...", "math/rand/...", "log"},
		why: "the core is pure: no network, database, files, randomness or log of its own, so it can be tested and shown anywhere",
	},
	{
		from: "core/ota",
		not:  []string{"core/..."},
		why:  "the nouns are at the bottom: everything may use them, they use nothing",
	},
	{
		from: "core/decide",
		not:  []string{"core/seal/...", "core/pack/...", "core/guard/..."},
		why:  "the decision needs the nouns and version numbers only",
	},
	{
		from: "plane/snap",
		only: []string{"core/...", "golang.org/x/sync/..."},
		why:  "what devices are answered from must not know who changes or serves it",
	},
	{
		from: "plane/edge",
		only: []string{"core/...", "plane/snap", "driver/blob", "secret", "github.com/go-json-experiment/json/..."},
		why:  "the data plane sees the snapshot and stored files, nothing else",
	},
	{
		from: "plane/identity",
		only: []string{
			"core/...", "secret", "golang.org/x/crypto/...", "golang.org/x/text/...",
			"github.com/go-webauthn/webauthn/protocol", "github.com/go-webauthn/webauthn/webauthn", "github.com/pquerna/otp/...",
		},
		why: "who somebody is has nothing to do with what they may do: other planes come in as functions",
	},
	{
		from: "plane/authz",
		only: []string{"core/...", "github.com/cedar-policy/cedar-go/..."},
		why:  "who may do what is decided from the policies and the caller alone, so that it can be read, tested and explained by itself",
	},
	{
		from: "plane/...",
		only: []string{
			"core/...", "plane/snap", "driver/blob", "secret",
			"github.com/go-json-experiment/json/...", "golang.org/x/mod/...", "golang.org/x/sync/...", "golang.org/x/crypto/...",
		},
		not: []string{"database/sql/...", "net/http"},
		why: "use cases speak core and declare the storage they need; SQL and HTTP are for the rings around them",
	},
	{
		from: "surface/deviceapi/...",
		only: []string{
			"core/...", "plane/edge", "plane/snap", "plane/ingest", "driver/blob", "secret",
			"surface/deviceapi/...", "surface/httpx",
			"github.com/go-json-experiment/json/...",
		},
		not: []string{"github.com/danielgtaylor/huma/v2/..."},
		why: "device requests are parsed, answered by the data plane and rendered; a framework costs a third of the throughput",
	},
	{
		from: "surface/sealedapi",
		only: []string{"core/...", "plane/trust", "plane/enrol", "surface/httpx"},
		not:  []string{"database/sql/...", "github.com/danielgtaylor/huma/v2/..."},
		why:  "checks of sealed updates are answered by one plane, from memory, and enrolled devices by another",
	},
	{
		from: "surface/adminapi",
		only: []string{
			"core/...", "plane/...", "secret", "surface/httpx",
			"github.com/danielgtaylor/huma/v2/...", "github.com/go-json-experiment/json/...",
		},
		not: []string{"database/sql/..."},
		why: "the API for people calls the planes and never storage",
	},
	{
		from: "surface/httpx",
		only: []string{"core/ota"},
		why:  "what surfaces say alike knows none of them",
	},
	{
		from: "surface/metrics",
		only: []string{"core/ota", "github.com/prometheus/client_golang/...", "github.com/prometheus/common/..."},
		not:  []string{"database/sql/..."},
		why:  "what is shown to monitoring is handed to it; it reaches for nothing itself",
	},
	{
		from: "surface/logapi",
		only: []string{"core/...", "golang.org/x/mod/..."},
		not:  []string{"database/sql/...", "github.com/danielgtaylor/huma/v2/..."},
		why:  "the log's tiles are public bytes; who may read what is asked through a function",
	},
	{
		from: "surface/console",
		only: []string{"core/ota", "core/scan/rules", "client", "secret", "surface/httpx"}, // what rules say is data of the program
		not:  []string{"database/sql/..."},
		why:  "the console is a client of the API, inside the process: nothing exists in it only, and nothing goes round the API's door",
	},
	{
		from: "surface/cli/...",
		only: []string{
			"core/...", "client", "citoken", "secret", "keyfile", "signer", "trustdir", "capconfig", "device", "sealeddevice", "publish", "supply", "demo", "drill", "monitor", "sim", "planfile", "run", "run/config", "surface/cli/...",
			"core/...", "client", "citoken", "secret", "keyfile", "signer", "trustdir", "capconfig", "device", "publish", "supply", "demo", "drill", "monitor", "sim", "planfile", "broker", "run", "run/config", "surface/cli/...",
			"github.com/spf13/cobra/...", "github.com/spf13/pflag", "golang.org/x/term", "golang.org/x/sync/...", "golang.org/x/text/...",
			"github.com/andybalholm/brotli/...", "github.com/klauspost/compress/...",
		},
		not: []string{"database/sql/...", "plane/...", "driver/..."},
		why: "the command line is a client of the API; only serve and demo start a server, through run",
	},
	{
		from: "monitor",
		only: []string{"core/...", "golang.org/x/mod/..."},
		not:  []string{"database/sql/...", "os/..."},
		why:  "who watches a log from outside must not know the server that he watches",
	},
	{
		from: "driver/hook",
		only: []string{"core/ota", "plane/notify"},
		not:  []string{"database/sql/..."},
		why:  "what sends requests to addresses of others knows nothing of what is worth stealing here",
	},
	{
		from: "driver/mail",
		only: []string{"core/ota", "plane/notify", "secret", "github.com/wneessen/go-mail/..."},
		not:  []string{"net/http/...", "database/sql/..."},
		why:  "what sends mails knows nothing but mails",
	},
	{
		from: "surface/auth",
		only: []string{"core/...", "plane/identity", "secret", "surface/httpx", "github.com/go-json-experiment/json/..."},
		why:  "the browser's ceremonies are parsed and handed to plane/identity; nothing else of the product is in reach",
	},
	{
		from: "driver/sso",
		only: []string{"core/...", "plane/identity", "secret", "github.com/coreos/go-oidc/v3/oidc", "golang.org/x/oauth2"},
		why:  "OpenID Connect is spoken in one place, by libraries made for it",
	},
	{
		from: "driver/idtoken",
		only: []string{"core/ota", "plane/token", "github.com/coreos/go-oidc/v3/..."},
		not:  []string{"database/sql/..."},
		why:  "what asks issuers for their keys knows nothing of what is worth stealing here",
	},
	{
		from: "driver/custody",
		only: []string{"core/...", "keyfile", "plane/enrol"},
		not:  []string{"database/sql/...", "net/http/..."},
		why:  "what holds the key that opens content keys reaches nothing that could carry it away",
	},
	{
		from: "driver/...",
		only: []string{
			"core/...", "plane/...", "driver/blob", "driver/blob/...", "driver/sqlstore/...", "secret",
			"modernc.org/sqlite/...", "github.com/pressly/goose/v3/...", "github.com/google/go-cmp/...",
			"github.com/go-json-experiment/json/...", "golang.org/x/mod/...", "golang.org/x/sync/...", "golang.org/x/sys/...",
		},
		why: "drivers satisfy what the planes declare and know no surface",
	},
	{
		from: "driver/sqlstore/...",
		not:  []string{"net/http/..."},
		why:  "storage makes no requests; driver/hook is the one that does",
	},
	{
		from: "driver/blob/...",
		not:  []string{"net/http/..."},
		why:  "storage makes no requests; driver/hook is the one that does",
	},
	{
		from: "client",
		only: []string{"core/ota", "secret"},
		why:  "the client speaks the nouns and HTTP, so that it can be used anywhere",
	},
	{
		from: "citoken",
		only: []string{"core/ota", "secret"},
		why:  "what fetches a CI run's ID token knows neither the server nor what the token is for",
	},
	{
		from: "secret",
		only: []string{},
		why:  "a leaf: everything may use it",
	},
	{
		from: "sealeddevice",
		only: []string{"core/..."},
		not:  []string{"database/sql/...", "plane/..."},
		why:  "the reference device is what native plug-ins are written after: nothing of the server is in it",
	},
	{
		from: "device",
		only: []string{
			"core/...", "secret",
			"github.com/andybalholm/brotli/...", "github.com/go-json-experiment/json/...", "golang.org/x/sync/...", "golang.org/x/text/...",
		},
		not: []string{"database/sql/..."},
		why: "the device in Go knows the wire and the keys, not the server",
	},
	{
		from: "sim",
		only: []string{"core/...", "device", "sealeddevice", "plane/snap", "go.yaml.in/yaml/v3", "golang.org/x/sync/..."},
		not:  []string{"database/sql/...", "crypto/rand"},
		why:  "the simulated fleet runs the code of decisions and devices, and nothing that stores or that chance comes into",
	},
	{
		from: "publish",
		only: []string{"core/...", "client", "golang.org/x/sync/..."},
		not:  []string{"database/sql/..."},
		why:  "publishing happens on the publisher's machine, over the API; private keys never reach the server",
	},
	{
		from: "supply",
		only: []string{"core/..."},
		not:  []string{"net/http/...", "database/sql/..."},
		why:  "what a build is made of is read on the publisher's machine, from files and git, and never from the network",
	},
	{
		from: "planfile",
		only: []string{"core/ota", "go.yaml.in/yaml/v3"},
		not:  []string{"net/http/...", "database/sql/..."},
		why:  "a file of a plan is parsed where it lies; the server says whether it makes sense",
	},
	{
		from: "trustdir",
		only: []string{"core/..."},
		not:  []string{"net/...", "net/http/...", "database/sql/..."},
		why:  "holders of keys read drafts on machines without a network, from the bytes that they sign",
	},
	{
		from: "signer",
		only: []string{"core/...", "keyfile", "secret", "golang.org/x/oauth2/..."},
		not:  []string{"database/sql/..."},
		why:  "what signs with keys of people knows files, tokens and key services, and nothing of the server",
	},
	{
		from: "broker",
		only: []string{"core/...", "client", "secret", "surface/httpx", "github.com/go-json-experiment/json"},
		not:  []string{"database/sql/...", "plane/...", "driver/..."},
		why:  "a key broker stands apart from the server: it shares the decision and the documents with it, and nothing that stores",
	},
	{
		from: "keyfile",
		only: []string{"core/...", "secret", "filippo.io/age/..."},
		why:  "key files hold keys; nothing of the server",
	},
}

// neverReach says which packages must not be reached, not even through others.
var neverReach = []struct {
	from, to, why string
}{
	// core/pack is not here: the Brotli library brings net/http along.
	{"core/ota", "net/http", "the core is pure"},
	{"core/semver", "net/http", "the core is pure"},
	{"core/decide", "net/http", "the core is pure"},
	{"plane/trust", "database/sql", "a check never waits for SQL"},
	{"surface/sealedapi", "database/sql", "a check never waits for SQL"},
	{"core/guard", "net/http", "the core is pure"},
	{"core/lifecycle", "net/http", "the core is pure"},
	{"core/seal", "net/http", "the core is pure"},
	{"core/...", "database/sql", "the core is pure"},
	{"plane/edge", "database/sql", "a device check never waits for SQL"},
	{"surface/deviceapi/...", "database/sql", "a device check never waits for SQL"},
	{"client", "database/sql", "a client has no database"},
	{"publish", "database/sql", "publishing happens on the publisher's machine"},
	{"device", "database/sql", "a device has no database"},
}

// onlyIn says which packages a thing of another module may be imported by.
var onlyIn = []struct {
	what string
	by   []string
	why  string
}{
	{"github.com/CycloneDX/cyclonedx-go", []string{"core/sbom"}, "one package knows the format"},
	{"os/exec", []string{"supply", "signer", "testkit/..."}, "only the command line asks other programs: git, and the one that speaks to tokens"},
	{"github.com/danielgtaylor/huma/v2/...", []string{"surface/adminapi"}, "the API framework can be swapped in one place"},
	{"github.com/cedar-policy/cedar-go/...", []string{"plane/authz"}, "one package asks the policies"},
	{"github.com/go-webauthn/webauthn/...", []string{"plane/identity"}, "passkeys are checked in one place"},
	{"github.com/pquerna/otp/...", []string{"plane/identity"}, "codes are checked in one place"},
	{"github.com/coreos/go-oidc/...", []string{"driver/sso", "driver/idtoken"}, "issuers of people are talked to in one place, those of CI runs in another"},
	{"github.com/prometheus/...", []string{"surface/metrics"}, "one package knows the format"},
	{"github.com/spf13/cobra/...", []string{"surface/cli/..."}, "commands are the command line's"},
	{"github.com/wneessen/go-mail/...", []string{"driver/mail"}, "mail leaves through one door"},
	{"github.com/chromedp/...", []string{"testkit/browser"}, "a browser is for tests"},
	{"modernc.org/sqlite/...", []string{"driver/sqlstore/..."}, "one package holds all SQL"},
	{"github.com/pressly/goose/v3/...", []string{"driver/sqlstore/..."}, "one package holds all SQL"},
	{"database/sql/...", []string{"driver/sqlstore/..."}, "one package holds all SQL"},
	{"driver/...", []string{"run/...", "driver/...", "plane/...", "surface/deviceapi/...", "testkit/..."}, "run is the composition root; planes and surfaces see the blob interface only"},
	{"run", []string{"run/...", "surface/cli/...", "demo/...", "testkit/..."}, "nothing but commands starts a server"},
	{"github.com/evanw/esbuild/...", []string{"core/scan/jsast", "testkit/verifierts"}, "a compiler without limits of its own is kept behind one that has them; tests compile sources of ours"},
	{"testing/...", []string{"testkit/...", "driver/blob/blobtest", "driver/sqlstore/storetest"}, "production code does not carry the test framework"},
}

// startsServer lists the files of the command line that may use package run: those
// that start a server, and those that look after the folder of one.
var startsServer = []string{"serve.go", "demo.go", "drill.go", "backup.go", "fsck.go"}

// maxLines is the most a file may have.
const maxLines = 600
