package ota

// DeviceFilter narrows a list of devices; "" = any.
type DeviceFilter struct {
	Platform string
	Version  string // what it runs
	Channel  string // what it named last
	CustomID string
}

// EventFilter narrows a list of events; zero = any.
type EventFilter struct {
	Device  DeviceID
	Action  string
	Version string // exactly as reported, file part included
	Since   int64  // received then or later, Unix ms
}
