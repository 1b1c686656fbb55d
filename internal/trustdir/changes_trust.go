package trustdir

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// trust compares trust.json with the one in force; was is what lists that, nil
// if it does not verify.
func (c *changes) trust(was *tuf.Targets) error {
	if c.f.Draft.Trust == nil && was != nil {
		return nil
	}
	text := c.f.Draft.Trust
	if text == nil {
		text = c.f.Trust
	}
	after, err := sealed.Parse[sealed.Trust](text)
	if err != nil {
		return tampered(err, "trust.json")
	}
	before := &sealed.Trust{}
	if was != nil && c.f.Trust != nil {
		if before, err = sealed.Parse[sealed.Trust](c.f.Trust); err != nil {
			return tampered(err, "trust.json")
		}
	}
	c.trusted("director", before.Director, after.Director)
	c.trusted("authority", before.Authority, after.Authority)
	c.set("log", logText(before.Log), logText(after.Log))
	c.set("witnesses", witnessText(before.Witnesses), witnessText(after.Witnesses))
	c.set("brokers", brokerText(before.Broker), brokerText(after.Broker))
	c.set("lowest assurance", before.MinAssurance, after.MinAssurance)
	c.set("lowest class", before.MinClass, after.MinClass)
	c.set("floor", fmt.Sprint(before.Floor), fmt.Sprint(after.Floor))
	c.set("lowest key epoch", fmt.Sprint(before.Epochs.Min), fmt.Sprint(after.Epochs.Min))
	return nil
}

// trusted compares keys of which any one is enough.
func (c *changes) trusted(what string, before, after []p256.Key) {
	was, is := ids(before), ids(after)
	for _, id := range is {
		if !slices.Contains(was, id) {
			c.add(ActAdd, what+" key (the server's)", "%s  %s", c.f.Name(id), Groups(id))
		}
	}
	for _, id := range was {
		if !slices.Contains(is, id) {
			c.add(ActRemove, what+" key (the server's)", "%s  %s", c.f.Name(id), Groups(id))
		}
	}
}

func (c *changes) set(what, before, after string) {
	switch before {
	case after:
	case "":
		c.add(ActSet, what, "%s", after)
	default:
		c.add(ActSet, what, "%s, was %s", after, before)
	}
}

func logText(l sealed.TrustLog) string {
	if l.Name == "" {
		return ""
	}
	return fmt.Sprintf("%q, key %s, Ed25519 %s", l.Name, Short(l.P256.ID()), Short(l.Ed25519))
}

func witnessText(w sealed.Witnesses) string {
	if len(w.Keys) == 0 {
		return "none"
	}
	keys := make([]string, len(w.Keys))
	for i, k := range w.Keys {
		keys[i] = fmt.Sprintf("%q (%s)", k.Name, Short(k.Ed25519))
	}
	return fmt.Sprintf("%d of %s", w.Threshold, strings.Join(keys, ", "))
}

func brokerText(list []sealed.Broker) string {
	if len(list) == 0 {
		return "none: the server holds content keys"
	}
	texts := make([]string, len(list))
	for i, b := range list {
		texts[i] = fmt.Sprintf("%q (%s)", b.Name, Short(hex.EncodeToString(b.HPKE)))
	}
	return strings.Join(texts, ", ")
}
