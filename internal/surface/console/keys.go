package console

import "github.com/waxwing-ota/waxwing/internal/core/ota"

type keysView struct{ Keys []ota.Key }

func (c *Console) registerKeys() {
	c.page(route{method: "GET", path: "/apps/{app}/keys", action: "key.list"}, c.showKeys)
	c.act(route{method: "POST", path: "/apps/{app}/keys", action: "key.update"}, c.changeKey, c.showKeys)
}

func (c *Console) showKeys(r *request) (answer, error) {
	keys, err := r.api.Keys(r, r.app())
	return r.show("keys", "Signing keys", keysView{keys}), err
}

func (c *Console) changeKey(r *request) (answer, error) {
	_, err := r.api.SetKeyState(r, r.app(), r.text("key"), ota.KeyState(r.text("state")))
	return r.done("key_changed", "apps", r.app(), "keys"), err
}
