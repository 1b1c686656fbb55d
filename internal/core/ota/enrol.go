package ota

import "slices"

// Assurance says how well a device's keys are kept, as far as its platform's
// statement can tell. It is a signal and no proof.
type Assurance string

// The levels, in rising order.
const (
	AssuranceNone      Assurance = "none"      // nothing is known
	AssuranceSoftware  Assurance = "software"  // in software, or nobody vouches for more
	AssuranceTEE       Assurance = "tee"       // in the processor's secure part
	AssuranceStrongBox Assurance = "strongbox" // in a chip of their own
)

// Assurances lists the levels in rising order.
func Assurances() []Assurance {
	return []Assurance{AssuranceNone, AssuranceSoftware, AssuranceTEE, AssuranceStrongBox}
}

// Valid reports whether a is one of the levels.
func (a Assurance) Valid() bool { return slices.Contains(Assurances(), a) }

// AtLeast reports whether a is a level, and not below least.
func (a Assurance) AtLeast(least Assurance) bool {
	all := Assurances()
	have, want := slices.Index(all, a), slices.Index(all, least)
	return have >= 0 && want >= 0 && have >= want
}

// Enrolment says who may enrol devices of an app.
type Enrolment string

// The kinds of enrolment.
const (
	EnrolClosed  Enrolment = "closed"   // nobody
	EnrolIDToken Enrolment = "id_token" // whoever the app's identity provider vouches for
	EnrolOpen    Enrolment = "open"     // anybody
)

// GrantMode says who decides on keys of an app's content.
type GrantMode string

// The modes of grants.
const (
	GrantsByServer GrantMode = "server" // this server keeps the keys
	GrantsByBroker GrantMode = "broker" // a key broker does; this server passes requests on
)

// SealedPolicy says which devices of an app get certificates and keys.
type SealedPolicy struct {
	App          string    `json:"app"`
	Enrolment    Enrolment `json:"enrolment"`
	Groups       []string  `json:"groups"`        // a device must be in one of them; none = any device
	MinAssurance Assurance `json:"min_assurance"` // of devices that get keys

	CertificateDays int  `json:"certificate_days"` // 1 to 30
	GrantHours      int  `json:"grant_hours"`      // 1 to 24
	SignedReports   bool `json:"signed_reports"`   // of sealed releases, only signed reports count

	Issuer  SealedIssuer  `json:"issuer"`
	Android SealedAndroid `json:"android"`
	Apple   SealedApple   `json:"apple"`
	Roots   []string      `json:"attestation_roots"` // PEM certificates that attestations must lead to

	Grants GrantMode `json:"grants"`
	Broker string    `json:"broker_url"` // "" unless grants are by broker; then "" = devices ask it themselves

	UpdatedAt int64 `json:"updated_at"` // Unix ms; 0 = nobody set it
	UpdatedBy Actor `json:"updated_by"`
}

// SealedIssuer is the identity provider of an app's users.
type SealedIssuer struct {
	URL        string `json:"url"`
	Audience   string `json:"audience"`    // the client id that tokens are made out to
	GroupClaim string `json:"group_claim"` // that lists the user's groups; "" = none does
	AnyNonce   bool   `json:"any_nonce"`   // tokens need not be made for the enrolment; a stolen one then enrols
}

// SealedAndroid is the app as Android's key attestation knows it.
type SealedAndroid struct {
	Package string   `json:"package"`
	Digests []string `json:"digests"` // SHA-256 of the certificates it is signed with, lower hex
}

// SealedApple is the app as App Attest knows it.
type SealedApple struct {
	AppID string `json:"app_id"` // TEAMID.bundle.id
}

// SealedPolicyPatch changes an app's policy; nil leaves as is.
type SealedPolicyPatch struct {
	Enrolment       *Enrolment     `json:"enrolment,omitempty"`
	Groups          *[]string      `json:"groups,omitempty"`
	MinAssurance    *Assurance     `json:"min_assurance,omitempty"`
	CertificateDays *int           `json:"certificate_days,omitempty"`
	GrantHours      *int           `json:"grant_hours,omitempty"`
	SignedReports   *bool          `json:"signed_reports,omitempty"`
	Issuer          *SealedIssuer  `json:"issuer,omitempty"`
	Android         *SealedAndroid `json:"android,omitempty"`
	Apple           *SealedApple   `json:"apple,omitempty"`
	Roots           *[]string      `json:"attestation_roots,omitempty"`
	Grants          *GrantMode     `json:"grants,omitempty"`
	Broker          *string        `json:"broker_url,omitempty"`
}

// SealedDevice is an enrolled device: one pair of keys with its newest certificate.
type SealedDevice struct {
	ID         int64     `json:"id"` // of this enrolment; pages run by it
	App        string    `json:"app"`
	Device     string    `json:"device"`
	Thumbprint string    `json:"thumbprint"` // of the signing key, lower hex
	Subject    string    `json:"subject"`    // of the identity provider; "" = nobody signed in
	Groups     []string  `json:"groups"`
	Platform   string    `json:"platform"`
	Assurance  Assurance `json:"assurance"`
	Signals    []string  `json:"signals"` // why the assurance is not higher
	Serial     int64     `json:"serial"`  // of its newest certificate
	EnrolledAt int64     `json:"enrolled_at"`
	IssuedAt   int64     `json:"issued_at"`
	ExpiresAt  int64     `json:"expires_at"`

	GrantedAt int64 `json:"granted_at"` // when it got a key last; 0 = never
	Grants    int64 `json:"grants"`     // keys it got
	Reports   int64 `json:"reports"`    // number of its last signed report; 0 = none
	Lost      int64 `json:"lost"`       // numbers that it left out

	Revoked   bool   `json:"revoked"`
	RevokedAt int64  `json:"revoked_at"` // 0 = it is not
	Reason    string `json:"reason"`     // of the revocation
}

// SealedDeviceFilter narrows a list of devices; empty fields do not.
type SealedDeviceFilter struct {
	Device  string
	Subject string
	Revoked *bool
}

// RevokeKind says what a revocation is about.
type RevokeKind string

// The kinds of revocations.
const (
	RevokeDevice  RevokeKind = "device"
	RevokeSubject RevokeKind = "subject"
	RevokeSerials RevokeKind = "serials"
)

// NewSealedRevocation asks that devices get no more keys. Exactly one of
// Device, Subject and a range of serials is given.
type NewSealedRevocation struct {
	Device  string `json:"device,omitempty"`
	Subject string `json:"subject,omitempty"`
	From    int64  `json:"from_serial,omitempty"`
	To      int64  `json:"to_serial,omitempty"` // inclusive
	Reason  string `json:"reason"`
}

// SealedRevocation is one that holds.
type SealedRevocation struct {
	ID      int64      `json:"id"`
	App     string     `json:"app"`
	Kind    RevokeKind `json:"kind"`
	Device  string     `json:"device"`
	Subject string     `json:"subject"`
	From    int64      `json:"from_serial"`
	To      int64      `json:"to_serial"`
	Reason  string     `json:"reason"`
	At      int64      `json:"at"` // Unix ms
	By      Actor      `json:"by"`
}

// SealedRecipient is whom the content keys of an app are sealed to: this server,
// or a key broker. Publishers seal the key of each new epoch to it.
type SealedRecipient struct {
	App     string `json:"app"`
	Custody string `json:"custody"` // server or broker
	Kept    string `json:"kept"`    // how this server keeps its half: server or age; "" for a broker
	Name    string `json:"name"`    // of the broker in trust.json; "" for the server
	HPKE    string `json:"hpke"`    // lower hex, an uncompressed P-256 point
}

// SealedUse counts what devices asked of an app in an hour.
type SealedUse struct {
	App   string `json:"app"`
	Hour  int64  `json:"hour"` // Unix ms of its start
	What  string `json:"what"` // enrol, grant or report
	Code  string `json:"code"` // of the refusal; "" = done
	Count int64  `json:"count"`
}
