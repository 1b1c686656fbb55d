package control_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestRegisterKey(t *testing.T) {
	e := newEnv(t)
	pem := keyPair()[0].Public().PEM()
	k, err := e.RegisterKey(e.ctx(), who, app, pem)
	e.do(err)
	if k.State != ota.KeyActive || k.ID != keyPair()[0].Public().ID() {
		t.Errorf("key = %+v", k)
	}
	e.pass(1e9)
	again, err := e.RegisterKey(e.ctx(), who, app, pem)
	if err != nil || again != k {
		t.Errorf("again: %+v, %v; want %+v", again, err, k)
	}
	_, err = e.RegisterKey(e.ctx(), who, app, "no PEM")
	wantCode(t, err, "key_invalid")
	_, err = e.RegisterKey(e.ctx(), who, "com.example.gone", pem)
	wantCode(t, err, control.CodeAppNotFound)

	second, err := e.RegisterKey(e.ctx(), who, app, keyPair()[1].Public().PEM())
	e.do(err)
	keys, err := e.Keys(e.ctx(), app)
	if err != nil || len(keys) != 2 || keys[0] != second {
		t.Errorf("keys = %+v, %v; want the newest first", keys, err)
	}
}

func TestSetKeyState(t *testing.T) {
	e := newEnv(t)
	k, err := e.RegisterKey(e.ctx(), who, app, keyPair()[0].Public().PEM())
	e.do(err)
	_, err = e.SetKeyState(e.ctx(), who, app, k.ID, "lost")
	wantCode(t, err, control.CodeKeyStateInvalid)
	_, err = e.SetKeyState(e.ctx(), who, app, "nobody's", ota.KeyRetired)
	wantCode(t, err, control.CodeKeyNotFound)
	got, err := e.SetKeyState(e.ctx(), who, app, k.ID, ota.KeyRetired)
	if err != nil || got.State != ota.KeyRetired {
		t.Errorf("key = %+v, %v", got, err)
	}
	_, _, err = e.CreateBundle(e.ctx(), actor, app, e.bundle("1.0.0", keyPair()[0]))
	wantCode(t, err, control.CodeKeyUnknown)
}
