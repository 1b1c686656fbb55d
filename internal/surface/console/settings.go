package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type settingsView struct {
	Status   ota.ServerStatus
	Settings []ota.Setting // nil = not for this visitor
	Log      *ota.AuditKey
}

func (c *Console) registerSettings() {
	c.page(route{method: "GET", path: "/settings", action: "status.get"}, c.showSettings)
	c.act(route{method: "POST", path: "/settings/gc", action: "gc.run"}, c.collectGarbage, c.showSettings)
	c.act(route{method: "POST", path: "/settings/mail", action: "mail.test"}, c.testMail, c.showSettings)
}

func (c *Console) showSettings(r *request) (answer, error) {
	var v settingsView
	var err error
	if v.Status, err = r.api.Status(r); err != nil {
		return answer{}, err
	}
	if v.Settings, err = r.api.Settings(r); err != nil && ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	key, err := r.api.AuditKey(r)
	if err == nil {
		v.Log = &key
	} else if ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	return r.show("settings", "Settings", v), nil
}

func (c *Console) collectGarbage(r *request) (answer, error) {
	_, err := r.api.CollectGarbage(r)
	return r.done("garbage_collected", "settings"), err
}

func (c *Console) testMail(r *request) (answer, error) {
	err := r.api.TestMail(r, r.text("to"))
	return r.done("mail_sent", "settings"), err
}
