package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	Apps(ctx context.Context, p ota.Page) ([]ota.App, string, error)
	AppsIn(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.App, string, error)
	Keys(ctx context.Context, app string) ([]ota.Key, error) // newest first

	Channels(ctx context.Context, app string) ([]ota.Channel, error) // by name
	Channel(ctx context.Context, app, name string) (ota.Channel, error)
	Releases(ctx context.Context, channelID int64, p ota.Page) ([]ota.Release, string, error)
	History(ctx context.Context, channelID int64) ([]PastRelease, error) // newest first, all of it

	Bundles(ctx context.Context, app string, p ota.Page) ([]ota.Bundle, string, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	BundleTree(ctx context.Context, bundleID int64) ([]ota.TreeFile, error)
	VariantFiles(ctx context.Context, bundleID int64, keyID string) ([]ota.VariantFile, error)

	// StoredFiles returns the stored forms of the contents in an encoding of the
	// app, newest first; their Name is empty.
	StoredFiles(ctx context.Context, app string, enc ota.Encoding, hashes []ota.Digest) ([]ota.VariantFile, error)
	// OwnsBlob reports whether a bundle of the app refers to the blob.
	OwnsBlob(ctx context.Context, app string, d ota.Digest) (bool, error)

	NativeBuilds(ctx context.Context, app string) ([]ota.NativeBuild, error) // latest registered first

	Cohorts(ctx context.Context, app string) ([]ota.Cohort, error)     // by name
	CohortNames(ctx context.Context, app string) ([]ota.Cohort, error) // by name, without their lists
	Cohort(ctx context.Context, app, name string) (ota.Cohort, error)

	Override(ctx context.Context, app string, id ota.DeviceID) (Override, error)

	Org(ctx context.Context, id string) (ota.Org, error)

	Token(ctx context.Context, id int64) (ota.Token, error)
	// OtherWayIn reports whether somebody could still act as an owner at the
	// time without the token.
	OtherWayIn(ctx context.Context, withoutToken, at int64) (bool, error)

	Approval(ctx context.Context, id int64) (ota.Approval, error)
	Approvals(ctx context.Context, f ota.ApprovalFilter, p ota.Page) ([]ota.Approval, string, error) // newest first
	// OpenApprovals lists the requests of an app ("" = all) that wait, oldest first.
	OpenApprovals(ctx context.Context, app string) ([]ota.Approval, error)
	// ApprovedContent reports whether content was put on a channel by a request
	// that was approved when at least that many people were required, and if need
	// be independent ones.
	ApprovedContent(ctx context.Context, channelID int64, content ota.Digest, required int, independent bool) (bool, error)
	// BindsSince counts how often operators bound devices of the app.
	BindsSince(ctx context.Context, app string, since int64) (int, error)
	// UserMakers says who is behind a user, Makers what is behind an actor,
	// TokenMakers who made a token.
	UserMakers(ctx context.Context, id int64) (UserMakers, error)
	Makers(ctx context.Context, a ota.Actor) (Makers, error)
	TokenMakers(ctx context.Context, id int64) ([]ota.Actor, error)
	Changes(ctx context.Context, app string, p ota.Page) ([]ota.Change, string, error)

	// ScanPolicy returns what was set for a channel (0 = for the app), if anything was.
	ScanPolicy(ctx context.Context, app string, channelID int64) (p ota.ScanPolicyInfo, set bool, err error)
	// LatestScans returns the latest reports of a bundle, signed or not, from each
	// source, newest first.
	LatestScans(ctx context.Context, bundleID int64) ([]scanpolicy.Report, error)
	ScanJob(ctx context.Context, bundleID int64) (*ota.ScanJob, error)
	// LiveSuppressions lists those that are not rejected and hold at a time.
	LiveSuppressions(ctx context.Context, app string, at int64) ([]ota.Suppression, error)
}

// PastRelease is a release of a channel's history.
type PastRelease struct {
	ota.Release
	Deleted bool     // its bundle was
	Held    ota.Hold // on its bundle
}

// Makers are who could be behind an account. Unknown says that somebody is whom
// nobody can name any more.
type Makers struct {
	People  []int64
	Actors  []ota.Actor
	Unknown bool
}

// UserMakers are who could be behind a user. Held are those who could act as the
// user: they reset how the user signs in, or made the account as a machine.
// Invited are those who invited the user and were shown the link, or made the
// account.
type UserMakers struct {
	Held, Invited Makers
}

// Override is a device bound to a channel.
type Override struct {
	ChannelID int64
	SelfSet   bool
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader

	InsertApp(ctx context.Context, a ota.App) error
	UpdateApp(ctx context.Context, a ota.App) error
	// DeleteApp removes the app with everything but what its devices reported.
	DeleteApp(ctx context.Context, id string) error

	InsertKey(ctx context.Context, app string, k ota.Key) error
	SetKeyState(ctx context.Context, app, id string, st ota.KeyState) error

	InsertChannel(ctx context.Context, c ota.Channel) (ota.Channel, error)
	// UpdateChannel writes policy, current release and rollout.
	UpdateChannel(ctx context.Context, c ota.Channel) error
	// DeleteChannel removes the channel, its history and the overrides to it,
	// and returns the devices that had one.
	DeleteChannel(ctx context.Context, id int64) ([]ota.DeviceID, error)
	InsertRelease(ctx context.Context, channelID int64, r ota.Release) (ota.Release, error)

	// InsertBundle stores a bundle with its variants. The files of a variant
	// align with tree; with no tree they are kept as they are.
	InsertBundle(ctx context.Context, b ota.Bundle, tree []ota.TreeFile) (ota.Bundle, error)
	// UpdateBundle writes what is not content, and DeletedAt.
	UpdateBundle(ctx context.Context, b ota.Bundle) error
	// SetHeld takes a bundle out of service, or with nil back into it.
	SetHeld(ctx context.Context, bundleID int64, h *ota.Held) error
	// SetFrozen freezes a channel, or with nil thaws it.
	SetFrozen(ctx context.Context, channelID int64, f *ota.Frozen) error
	DeleteToken(ctx context.Context, id int64) error
	IncidentTx
	SealedTx

	InsertNative(ctx context.Context, n ota.NativeBuild) error
	DeleteNative(ctx context.Context, app, platform, version string) error

	SetCohort(ctx context.Context, c ota.Cohort) error
	DeleteCohort(ctx context.Context, app, name string) error

	SetOverride(ctx context.Context, app string, id ota.DeviceID, o Override, at int64) error
	ClearOverride(ctx context.Context, app string, id ota.DeviceID) error
	// ClearFailures forgets the failures of a version ("" = all) on a device
	// (nil = all) and returns the devices it was remembered of.
	ClearFailures(ctx context.Context, app string, id *ota.DeviceID, version string) ([]ota.DeviceID, error)

	InsertApproval(ctx context.Context, a ota.Approval, channelID int64) (ota.Approval, error)
	// UpdateApproval writes the count of votes and how the request was closed.
	UpdateApproval(ctx context.Context, a ota.Approval) error
	// InsertVote stores a vote in place of one the person gave before.
	InsertVote(ctx context.Context, id int64, v ota.ApprovalVote) error
	MarkBrokenGlass(ctx context.Context, channelID, at int64) error

	// SetScanPolicy sets the policy of a channel (0 = of the app); nil removes it.
	SetScanPolicy(ctx context.Context, app string, channelID int64, p *ota.ScanPolicy, at int64, by ota.Actor) error
	SetScanJob(ctx context.Context, j ota.ScanJob) error

	// RetireBundles marks bundles that retention lets go as deleted and returns
	// them: those that were made before since, are no channel's current release
	// nor the one before it, are no rollout's target, and served no channel since.
	RetireBundles(ctx context.Context, since, at int64) ([]ota.Bundle, error)
	// Forget removes rows about content that no bundle needs.
	Forget(ctx context.Context, u BlobUse) error
}

// BlobUse says what content is needed. Of bundles that are not deleted, or only
// lately, all is.
type BlobUse struct {
	Blobs    map[ota.Digest]struct{} // needed
	Files    []int64                 // ids of stored files that no bundle needs
	Variants []int64                 // ids of variants of deleted bundles that still list content
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns, stamped with actor and at. A Change without an
	// action means that nothing is to be changed: the transaction is rolled back.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error

	// BlobUse finds out what content is needed; bundles deleted at deletedSince
	// or later still count.
	BlobUse(ctx context.Context, deletedSince int64) (BlobUse, error)

	// PurgeEvents removes up to limit rows of what devices reported before the
	// time, or of apps that are gone, and says how many.
	PurgeEvents(ctx context.Context, before int64, limit int) (int64, error)
	// PurgeRollups does the same with sums that are older at now (Unix ms) than
	// their kind is kept.
	PurgeRollups(ctx context.Context, now int64, limit int) (int64, error)

	// NativeDevices counts the devices on a channel that were seen at since or
	// later, by platform and native version. Devices that name no channel count
	// if it is public.
	NativeDevices(ctx context.Context, app, channel string, public bool, since int64) ([]NativeCount, error)

	Devices(ctx context.Context, app string, f ota.DeviceFilter, p ota.Page) ([]ota.Device, string, error)
	Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error)
	Events(ctx context.Context, app string, f ota.EventFilter, p ota.Page) ([]ota.Event, string, error)

	// Traffic lists what was downloaded per day, latest first, by a device (nil
	// = all), on the day of since (Unix ms) and later.
	Traffic(ctx context.Context, app string, device *ota.DeviceID, since int64) ([]ota.Traffic, error)
}
