package sim

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

// retryAfter is the step by which Android's worker waits longer each time.
const retryAfter = 10 * second

// fileSize is what iOS loses at most of a download of single files that ends:
// the files that are whole stay in its cache.
const fileSize = 100_000

// codeNoRoom is how a download ends on a full disk.
const codeNoRoom = "insufficient_disk_space"

// check asks the server for an update and does what it says.
func (w *world) check(p *phone, n uint32) {
	got := w.request(p)
	var answer decide.Outcome
	if got == answered || got == deaf {
		answer = w.srv.answer(p, n)
	}
	if got != answered {
		w.say(lifecycle.ActionDownloadFail, p.at.Current) // as the plugin does if a check fails
		return
	}
	switch answer.Kind {
	case decide.Revert:
		w.take(p, w.rules.Queue(p.at, p, builtin))
	case decide.Update:
		w.offer(p, bundleNamed(answer.Version))
	case decide.Failed:
		w.say(lifecycle.ActionDownloadFail, p.at.Current)
	case decide.UpToDate, decide.Blocked:
	}
}

// offer is an update that the server has for the device.
func (w *world) offer(p *phone, b bundle) {
	if p.is(forger) && b != before {
		if w.s.Forgers.Claim == claimFails {
			w.say(lifecycle.ActionUpdateFail, b)
		} else {
			w.say(lifecycle.ActionLaunchReady, b)
		}
		return
	}
	if p.loading != noBundle || p.at.Next == b {
		return // on its way already
	}
	switch lifecycle.OnOffer(p.state[b]) {
	case lifecycle.Refuse:
		w.tally.refused++
		w.say(lifecycle.ActionDownloadFail, p.at.Current)
	case lifecycle.Reuse:
		w.take(p, w.rules.Queue(p.at, p, b))
	case lifecycle.Fetch:
		w.tally.attempts.Started++
		p.loading, p.tries = b, 0
		if w.now < p.room {
			w.tally.faults.FullDisk++
			w.failed(p, codeNoRoom, noRoom)
			return
		}
		w.fetch(p)
	}
}

// size is what a bundle needs on the wire.
func (w *world) size() uint32 {
	if w.files() {
		return uint32(w.s.Release.DeltaBytes)
	}
	return uint32(w.s.Release.Bytes)
}

func (w *world) files() bool { return w.s.Release.Delivery == deliverFiles }

// fetch begins or resumes a download, and draws where it ends.
func (w *world) fetch(p *phone) {
	if p.partial != p.loading {
		p.partial, p.have = p.loading, 0
	}
	p.want, p.cuts = w.size(), false
	rate := w.s.Network.CutsPerMB
	if p.is(lossy) {
		rate *= 10
	}
	if rate > 0 {
		if run := w.dice.wait(1e6 / rate); run < float64(p.want-p.have) {
			p.want, p.cuts = p.have+uint32(run), true
		}
	}
	p.load = w.now.after(float64(p.want-p.have)/float64(p.speed) + 200)
	if begin, ok := w.srv.nextOutage(w.now); ok && begin < p.load {
		p.want, p.cuts = p.have+uint32(float64(begin-w.now)*float64(p.want-p.have)/float64(p.load-w.now)), true
		p.load = max(begin, w.now+1)
	}
}

// loads is the end of a download, whole or cut, or the time to try it again.
func (w *world) loads(p *phone) {
	p.load = never
	if p.want == p.have && p.cuts { // it waited
		if got := w.request(p); got != answered {
			w.again(p)
			return
		}
		w.fetch(p)
		return
	}
	w.tally.bytes += int64(p.want - p.have)
	p.have = p.want
	if !p.cuts {
		w.loaded(p)
		return
	}
	w.tally.faults.Cut++
	if lifecycle.TriesAgain(p.platform(), lifecycle.CodeInterrupted, w.files()) {
		w.again(p)
		return
	}
	w.keep(p)
	w.failed(p, lifecycle.CodeInterrupted, cut)
}

// again is Android's worker that waits for another try.
func (w *world) again(p *phone) {
	p.tries = min(p.tries+1, 180)
	p.load, p.cuts = w.now+ms(p.tries)*retryAfter, true
	if p.tries%3 == 0 {
		w.connect(p) // by then it may be elsewhere
	}
}

func (w *world) loaded(p *phone) {
	b := p.loading
	p.loading, p.partial, p.have = noBundle, noBundle, 0
	p.state[b] = lifecycle.Pending
	w.say("download_complete", b)
	w.take(p, w.rules.Queue(p.at, p, b))
}

// keep says what an ended download leaves for the next try.
func (w *world) keep(p *phone) {
	switch {
	case !p.is(onIOS):
	case w.files():
		p.have -= p.have % fileSize
	default:
		p.have = 0
	}
}

// suspend is iOS, which stops an app soon after it went to the background.
func (w *world) suspend(p *phone) {
	todo := float64(p.want-p.have) * float64(iosGrace) / float64(p.load-w.now)
	w.tally.bytes += int64(todo)
	p.have += uint32(todo)
	w.keep(p)
	p.loading, p.load = noBundle, never
	w.tally.attempts.Suspended++
}

// failed is a download that the device gives up.
func (w *world) failed(p *phone, code string, why end) {
	b := p.loading
	p.loading, p.load = noBundle, never
	w.attempted(p, why)
	if lifecycle.Remembers(p.platform(), w.files()) {
		p.state[b] = lifecycle.Broken
	}
	for _, f := range lifecycle.OnDownloadFailed(p.platform(), code, w.files()) {
		switch f.About {
		case lifecycle.Target:
			w.say(f.Action, b)
		case lifecycle.Running:
			w.say(f.Action, p.at.Current)
		case lifecycle.Nothing:
			w.say(f.Action, noBundle)
		}
	}
}

// said is one report of a device.
type said struct {
	action string
	about  bundle
}

func (w *world) say(action string, about bundle) { w.out = append(w.out, said{action, about}) }

// maxUnsent is how many reports wait on a device, as in the plugin's queue.
const maxUnsent = 200

// deliver sends what the device has to report. What gets no answer is sent
// again with the next reports, and then may come twice.
func (w *world) deliver(p *phone, n uint32) {
	if len(w.out) == 0 {
		return
	}
	if w.now >= p.dies {
		w.out = w.out[:0]
		return
	}
	got := w.request(p)
	waiting := w.unsent[n]
	if got == answered || got == deaf {
		w.srv.hear(p, n, waiting)
		w.srv.hear(p, n, w.out)
	}
	switch got {
	case answered, faked: // to the device a portal's page is a success
		if got == faked {
			w.tally.eventsLost += len(w.out) + len(waiting)
		}
		if waiting != nil {
			delete(w.unsent, n)
		}
	case lost, deaf:
		waiting = append(waiting, w.out...)
		w.unsent[n] = waiting[max(0, len(waiting)-maxUnsent):]
	}
	w.out = w.out[:0]
}
