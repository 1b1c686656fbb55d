package ota

// App is one mobile app, named by its reverse-domain id.
type App struct {
	ID             string `json:"id"`
	Org            string `json:"org"` // the organisation it belongs to
	Name           string `json:"name"`
	ExposeMetadata bool   `json:"expose_metadata"` // update answers carry link and comment
	AllowCustomID  bool   `json:"allow_custom_id"` // devices may name themselves
	AllowPlain     bool   `json:"allow_plain"`     // unencrypted variants may be published although keys are registered
	CreatedAt      int64  `json:"created_at"`
}

// CheckAppID accepts what the update plugins accept as an app id: labels of
// letters, digits, '_' and '-' between dots, two at least, the first without
// '_' and '-'. Every device request asks it, so it is no regular expression.
func CheckAppID(id string) error {
	if len(id) > 255 || !isAppID(id) {
		return Invalid("app_id_invalid", "app id %q is not a reverse-domain name such as com.example.app", id).WithField("id")
	}
	return nil
}

func isAppID(id string) bool {
	dots, label := 0, 0
	for i := range len(id) {
		switch c := id[i]; {
		case c == '.' && label > 0:
			dots, label = dots+1, 0
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', dots > 0 && (c == '_' || c == '-'):
			label++
		default:
			return false
		}
	}
	return dots > 0 && label > 0
}

// KeyState says whether new bundles must carry a variant for a key.
type KeyState string

// The key states. A retired key keeps opening old bundles but takes no new ones.
const (
	KeyActive  KeyState = "active"
	KeyRetired KeyState = "retired"
)

// Key is the public half of a publisher's signing key as devices embed it.
type Key struct {
	ID        string   `json:"id"` // first 20 base64 characters of the PKCS#1 body, as devices report it
	PublicPEM string   `json:"public_pem"`
	State     KeyState `json:"state"`
	CreatedAt int64    `json:"created_at"`
}
