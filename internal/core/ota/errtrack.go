package ota

// ErrorState says what people decided about a group of errors.
type ErrorState string

// The states. A resolved group that is seen again in a newer version is open
// again and has RegressedAt; an ignored one stays ignored.
const (
	ErrorOpen     ErrorState = "open"
	ErrorResolved ErrorState = "resolved"
	ErrorIgnored  ErrorState = "ignored"
)

// ErrorPrint names a group of errors within an app: equal ones have the same.
type ErrorPrint [16]byte

// Fault is what ingestion hands on about one reported error.
type Fault struct {
	Print   ErrorPrint
	Kind    string // the action that reported it, such as webview_javascript_error
	Title   string // type and message, as the device said it, cut
	Culprit string // the first frame of the app's own code; "" = unknown
	Version string // the version it is counted under: a published one, builtin or other
	Mapped  bool   // it was grouped by source positions
}

// ErrorGroup is a group of errors that are taken for the same.
type ErrorGroup struct {
	ID           int64      `json:"id"`
	App          string     `json:"app"`
	Kind         string     `json:"kind"`    // the action that reported it, such as webview_javascript_error
	Title        string     `json:"title"`   // said by a device
	Culprit      string     `json:"culprit"` // said by a device; "" = unknown
	State        ErrorState `json:"state"`
	Count        int64      `json:"count"`
	Devices      int64      `json:"devices"` // distinct; exact up to 2,048, then an estimate
	FirstSeen    int64      `json:"first_seen"`
	LastSeen     int64      `json:"last_seen"`
	FirstVersion string     `json:"first_version"`
	LastVersion  string     `json:"last_version"`
	Symbolicated bool       `json:"symbolicated"` // grouped by positions in the sources
	// ResolvedIn is the last version that may still have it; "" = it was seen in
	// none that has an order.
	ResolvedIn  string `json:"resolved_in"`
	ResolvedAt  int64  `json:"resolved_at"` // 0 = it never was
	ResolvedBy  Actor  `json:"resolved_by"`
	RegressedAt int64  `json:"regressed_at"` // 0 = it never came back
}

// ErrorFrame is a call on the stack of an error, innermost first.
type ErrorFrame struct {
	Func   string `json:"func"`
	File   string `json:"file"`
	Line   int    `json:"line"` // 1-based; 0 = unknown
	Col    int    `json:"col"`  // 1-based; 0 = unknown
	InApp  bool   `json:"in_app"`
	Mapped bool   `json:"mapped"` // File, Line and Col are in the sources
	Raw    string `json:"raw"`    // file, line and column as reported, when mapped
	// Context are lines of the source around Line; empty = not known.
	Context []ErrorLine `json:"context,omitempty"`
}

// ErrorLine is a line of source.
type ErrorLine struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

// ErrorVersion counts a group in a version on a platform.
type ErrorVersion struct {
	Version   string `json:"version"`
	Platform  string `json:"platform"`
	Count     int64  `json:"count"`
	FirstSeen int64  `json:"first_seen"`
	LastSeen  int64  `json:"last_seen"`
}

// ErrorHour counts a group in a version in an hour.
type ErrorHour struct {
	At      int64  `json:"at"` // start of the hour, Unix ms
	Version string `json:"version"`
	Count   int64  `json:"count"`
}

// ErrorSample is one report of a group, whole but for cut metadata.
type ErrorSample struct {
	ID            int64             `json:"id"`
	At            int64             `json:"at"`
	Device        DeviceID          `json:"device_id"`
	Action        string            `json:"action"`
	Version       string            `json:"version"`
	VersionBuild  string            `json:"version_build"`
	Platform      string            `json:"platform"`
	PluginVersion string            `json:"plugin_version"`
	Metadata      map[string]string `json:"metadata"`
}

// ErrorGroupDetail is a group with all that is kept of it.
type ErrorGroupDetail struct {
	ErrorGroup
	Versions []ErrorVersion `json:"versions"` // most reports first
	Hours    []ErrorHour    `json:"hours"`    // of the last seven days, oldest first
	Samples  []ErrorSample  `json:"samples"`  // newest first
	// Frames is the stack of Sample, symbolicated if the maps are there.
	Frames []ErrorFrame `json:"frames"`
	Sample int64        `json:"sample"` // 0 = no sample is kept
}

// ErrorFilter narrows a list of groups. Empty fields match all.
type ErrorFilter struct {
	State    ErrorState
	Kind     string
	Version  string // seen in it
	Platform string // seen on it
	Text     string // in title or culprit, whatever the case
	Since    int64  // seen then or later, Unix ms
	Sort     ErrorSort
}

// ErrorSort is an order of groups.
type ErrorSort string

// The orders; each with the largest first.
const (
	ErrorsByLastSeen  ErrorSort = "last_seen"
	ErrorsByFirstSeen ErrorSort = "first_seen"
	ErrorsByCount     ErrorSort = "count"
	ErrorsByDevices   ErrorSort = "devices"
)

// ResolveError says how a group was resolved.
type ResolveError struct {
	// Version is the last one that may still have the error; "" = the newest it
	// was seen in.
	Version string `json:"version,omitempty"`
}

// SourceMap is a source map of a bundle. Devices never get it.
type SourceMap struct {
	Path string `json:"path"` // of the script that it is about, in the bundle
	Blob Digest `json:"blob"`
	Size int64  `json:"size"`
	At   int64  `json:"at"`
	By   Actor  `json:"by"`
}

// NewSourceMaps adds source maps whose blobs were uploaded to a bundle.
type NewSourceMaps struct {
	Maps []NewSourceMap `json:"maps"`
}

// NewSourceMap is one of them.
type NewSourceMap struct {
	Path string `json:"path"`
	Blob Digest `json:"blob"`
}

// Symbolication says what looking at stored errors again with the maps that are
// there now has changed.
type Symbolication struct {
	Looked  int `json:"looked"`  // groups that were not symbolicated
	Changed int `json:"changed"` // of them: now grouped by positions in the sources
	Merged  int `json:"merged"`  // of those: joined with a group that was there
}
