package ota

import "encoding/json"

// Act names what needs the approval of further people.
type Act string

// The acts.
const (
	ActRelease       Act = "release.publish"
	ActRolloutStart  Act = "rollout.start"
	ActRolloutUpdate Act = "rollout.update" // widens a rollout whose content was not approved for the channel
	ActPromote       Act = "rollout.promote"
	ActChannelCreate Act = "channel.create" // public in place of a protected channel
	ActChannelUpdate Act = "channel.update"
	ActChannelDelete Act = "channel.delete"
	ActAppDelete     Act = "app.delete"
	ActKeyCreate     Act = "key.create"
	ActKeyState      Act = "key.state"
	ActScanPolicy    Act = "scan_policy.update" // lets more pass onto a protected channel
	ActBundleUpdate  Act = "bundle.update"      // its lowest native version: who gets it
)

// ApprovalState says where a request stands. All states but the first are final.
type ApprovalState string

// The states. An approved request is executed in the very transaction of the
// last vote, so "approved" is never stored.
const (
	ApprovalRequested  ApprovalState = "requested"
	ApprovalExecuted   ApprovalState = "executed"
	ApprovalRejected   ApprovalState = "rejected"
	ApprovalExpired    ApprovalState = "expired"
	ApprovalSuperseded ApprovalState = "superseded" // what it was about is not as it was when it was requested
	ApprovalCancelled  ApprovalState = "cancelled"
)

// Approval is a request to let something through that one person may not do
// alone. What is approved is Digest: the SHA-256 of Document, which says exactly
// what will be done to exactly what is there.
type Approval struct {
	ID        int64           `json:"id"`
	Org       string          `json:"org"`
	App       string          `json:"app"`
	Channel   string          `json:"channel"` // "" = the whole app
	Act       Act             `json:"act"`
	Object    string          `json:"object"` // what it is about: a version, a channel, a key
	State     ApprovalState   `json:"state"`
	Digest    Digest          `json:"digest"`
	Document  json.RawMessage `json:"document"`                 // canonical JSON (RFC 8785)
	Need      int             `json:"need"`                     // distinct people who must approve
	Have      int             `json:"have"`                     // who did, and count
	Actor     Actor           `json:"actor"`                    // who asked
	Authors   []int64         `json:"authors" nullable:"false"` // users behind the request; they cannot approve it
	Votes     []ApprovalVote  `json:"votes" nullable:"false"`
	CreatedAt int64           `json:"created_at"`
	ExpiresAt int64           `json:"expires_at"`
	ClosedAt  int64           `json:"closed_at"` // 0 = open
	ClosedBy  Actor           `json:"closed_by"`
	Reason    string          `json:"reason"` // of a rejection, of breaking the glass, or of superseding
	// BrokeGlass says that it was done without the approvals.
	BrokeGlass bool `json:"broke_glass"`
	// Link is where people look at it: an address, or a path of the server.
	Link string `json:"link"`

	// Independent says that people related by invitation do not count.
	Independent bool `json:"independent_approvers"`

	// Params is the request to be carried out, Content the digest of the bundle
	// it would put on devices, Required what the policy asked for.
	Params   json.RawMessage `json:"-"`
	Content  Digest          `json:"-"`
	Required int             `json:"-"`
}

// ApprovalVote is one person's approval of a request.
type ApprovalVote struct {
	Person   int64 `json:"person"`
	Actor    Actor `json:"actor"`
	At       int64 `json:"at"`
	Asserted bool  `json:"asserted"` // a passkey signed the digest
	// Related says how an invitation ties the person to the author or to another
	// approver, such as "invited by the author"; "" = not that anybody knows.
	Related string `json:"related"`
	// Counts is known of an open request that is shown alone: the person may still
	// approve, and nothing that was found out since ties them to the others.
	Counts bool `json:"counts"`
}

// ApprovalDetail is a request with what it changes for people to read.
type ApprovalDetail struct {
	Approval
	Diff *TreeDiff         `json:"diff"` // against what the channel serves; nil = no content is concerned
	You  *ApprovalStanding `json:"you"`  // how the caller stands to it; nil = it is closed
}

// ApprovalStanding says whether the caller's approval of an open request would count.
type ApprovalStanding struct {
	MayApprove   bool   `json:"may_approve"`
	Code         string `json:"code,omitempty"` // of the error they would get
	Reason       string `json:"reason,omitempty"`
	Hint         string `json:"hint,omitempty"`
	Related      string `json:"related,omitempty"` // how an invitation ties them to others, if it would count
	NeedsPasskey bool   `json:"needs_passkey"`     // they must sign the digest with a passkey
	Yours        bool   `json:"yours"`             // they are behind it and may take it back
}

// ApprovalFilter narrows a list of requests; the zero value is all.
type ApprovalFilter struct {
	App     string
	Channel string
	State   ApprovalState
	Within  Reach // only what is there
	Voter   int64 // only what waits for this person, who could approve it now; 0 = all
}

// TreeDiff says how the files of two bundles differ. Lists are sorted by path
// and hold the first files only; the counts are of all.
type TreeDiff struct {
	From      string     `json:"from"` // version; "builtin" = nothing is known to compare with
	To        string     `json:"to"`
	Known     bool       `json:"known"` // both have a list of files; bundles of other tools have none
	Added     int        `json:"added"`
	Changed   int        `json:"changed"`
	Removed   int        `json:"removed"`
	Bytes     int64      `json:"bytes"` // plain bytes of what is added or changed
	Files     []FileDiff `json:"files" nullable:"false"`
	Truncated bool       `json:"truncated"` // there are more files than listed
}

// FileDiff is one file that differs.
type FileDiff struct {
	Path   string `json:"path"`
	Change string `json:"change"` // added, changed or removed
	Before int64  `json:"before"` // bytes
	After  int64  `json:"after"`
}

// ApprovalVoteRequest approves a request. Digest is what the person saw;
// Assertion the answer of a passkey over it, needed from people who have one.
type ApprovalVoteRequest struct {
	Digest    Digest          `json:"digest"`
	Assertion json.RawMessage `json:"assertion,omitempty"`
}

// ApprovalReason says why somebody rejects a request or breaks the glass.
type ApprovalReason struct {
	Reason string `json:"reason"`
}
