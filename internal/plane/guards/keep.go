package guards

import (
	"context"
	"encoding/json"
	"slices"
)

// Kept is where what is stopped and not recorded outlives the process. It takes
// texts of a bounded size.
type Kept interface {
	Read() ([]byte, error)
	Write(text []byte) error
}

// maxKept is how many halts are kept; a server with more has other worries, and
// the oldest ones stand for them.
const maxKept = 64

// keep writes down what is braked and not recorded, so that a restart does not
// let it go. It is written only when it changed.
func (s *Service) keep(ctx context.Context) {
	if s.kept == nil {
		return
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.mu.Lock()
	list := []Halt{}
	for _, h := range s.late {
		list = append(list, h)
	}
	for _, tasks := range [][]task{s.doing, s.todo} {
		for i := range tasks {
			if tasks[i].braked {
				list = append(list, tasks[i].halt)
			}
		}
	}
	list = list[:min(len(list), maxKept)]
	text, err := json.Marshal(list)
	same := string(text) == s.keptText || len(list) == 0 && s.keptText == ""
	s.mu.Unlock()
	if err != nil || same {
		return
	}
	if err := s.kept.Write(text); err != nil {
		s.log.ErrorContext(ctx, "what is stopped cannot be kept over a restart; offers are stopped until then", "halts", len(list), "err", err)
		return
	}
	s.keptText = string(text)
}

// recall takes up what was stopped and not recorded when the process ended. The
// caller holds s.mu.
func (s *Service) recall(ctx context.Context) {
	if s.kept == nil {
		return
	}
	text, err := s.kept.Read()
	var list []Halt
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "what was stopped before the restart cannot be read", "err", err)
		return
	}
	s.keptText = string(text)
	for _, h := range list[:min(len(list), maxKept)] {
		if slices.ContainsFunc(s.todo, func(t task) bool { // the decision was stored too
			return t.halt.App == h.App && t.halt.Channel == h.Channel && t.halt.Version == h.Version && t.halt.Action == h.Action
		}) {
			continue
		}
		s.snap.Brake(h.App, h.Channel, h.Version, true)
		s.todo = append(s.todo, task{braked: true, halt: h})
		s.log.WarnContext(ctx, "offers stay stopped: a halt from before the restart is not recorded yet",
			"app", h.App, "channel", h.Channel, "version", h.Version, "action", string(h.Action))
	}
	s.poke()
}
