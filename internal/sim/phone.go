package sim

import (
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The platforms of the fleet.
const (
	android = "android"
	ios     = "ios"
)

// bundle is a version as devices hold it. The zero one is none.
type bundle = uint8

// The bundles of a run.
const (
	noBundle bundle = iota
	builtin         // inside the native app
	before          // what all devices run at the start
	release         // what goes out
	fix             // the repaired version after a halt
	bundles
)

// versionNames are the bundles' versions. The native app is 1.0.0.
func versionName(b bundle) string {
	return [bundles]string{"", "1.0.0", "1.1.0", "1.2.0", "1.2.1"}[b]
}

func bundleNamed(version string) bundle {
	for b := builtin; b < bundles; b++ {
		if versionName(b) == version {
			return b
		}
	}
	if version == ota.Builtin {
		return builtin
	}
	return noBundle
}

// bits is a set of marks of a device.
type bits uint16

const (
	onIOS     bits = 1 << iota
	forger         // it lies
	inSession      // the app is in the foreground
	online         // the network of its last opening worked
	lossy
	portal     // a captive portal answers
	slow       // the connection is
	upset      // its failure waits to be remembered by the snapshot
	hadRelease // the release ran on it once
)

// phone is one device. There are up to a million, so it is small.
type phone struct {
	open   ms // next opening, or the end of the session
	load   ms // the download ends, is cut, or is tried again
	boot   ms // the page is ready, or the ready timeout is over
	dies   ms // it is never heard of again
	back   ms // until then there is no network
	room   ms // until then the disk is full
	first  ms // first opening after the start of the run
	due    ms // first opening after the release was for it
	healed ms // when it first ran the release confirmed
	fixed  ms // and the fix

	have  uint32 // bytes of an unfinished download
	want  uint32 // bytes it needs
	net   uint32 // network it sits in
	rate  float32
	speed float32 // bytes a millisecond
	mark  bits
	zone  int8

	at      lifecycle.Slots[bundle]
	state   [bundles]lifecycle.Status
	loading bundle // what it downloads; noBundle = nothing
	partial bundle // what have belongs to
	cuts    bool   // the download ends with a cut
	works   bool   // the page that starts becomes ready
	tries   uint8  // of the running download
	doomed  bits   // bundles that never start here, 1 << bundle
}

// Status implements [lifecycle.Shelf].
func (p *phone) Status(b bundle) lifecycle.Status { return p.state[b] }

// Intact implements [lifecycle.Shelf]. Disks that rot are not simulated.
func (p *phone) Intact(bundle) bool { return true }

func (p *phone) is(b bits) bool { return p.mark&b != 0 }

func (p *phone) set(b bits, on bool) {
	p.mark &^= b
	if on {
		p.mark |= b
	}
}

func (p *phone) platform() string {
	if p.is(onIOS) {
		return ios
	}
	return android
}

// next is when the device is at work again.
func (p *phone) next() ms { return min(p.open, p.load, p.boot) }

// deviceID is the id of the device with the number. It is made up anew each
// time, since a million of them take up room.
func deviceID(seed uint64, n uint32) ota.DeviceID {
	var id ota.DeviceID
	binary.BigEndian.PutUint64(id[:8], mix(seed^mix(uint64(n))))
	binary.BigEndian.PutUint64(id[8:], mix(^seed^mix(uint64(n)+1<<40)))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
