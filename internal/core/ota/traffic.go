package ota

// Traffic is what was downloaded on one day.
type Traffic struct {
	Day       int64 `json:"day"`       // its start in UTC, Unix ms
	Downloads int64 `json:"downloads"` // requests that sent something
	Bytes     int64 `json:"bytes"`     // of content that was sent, without headers
}
