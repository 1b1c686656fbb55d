package capgo

import "testing"

func TestNetwork(t *testing.T) {
	key := [32]byte{1}
	home := network(&key, "192.0.2.7:40000")
	for addr, same := range map[string]bool{
		"192.0.2.200:1": true, "[::ffff:192.0.2.9]:80": true, "192.0.3.7:40000": false, "[2001:db8::1]:80": false,
	} {
		if got := network(&key, addr); got == 0 || (got == home) != same {
			t.Errorf("network(%q) = %d, of 192.0.2.7 it is %d", addr, got, home)
		}
	}
	six := network(&key, "[2001:db8:1:2::1]:80")
	if six != network(&key, "[2001:db8:1:ffff::9]:81") || six == network(&key, "[2001:db8:2::1]:80") {
		t.Error("an IPv6 network is not the first 48 bits")
	}
	other := [32]byte{2}
	if network(&other, "192.0.2.7:40000") == home {
		t.Error("the key does not matter")
	}
	for _, addr := range []string{"", "192.0.2.7", "host:80", "@"} {
		if got := network(&key, addr); got != 0 {
			t.Errorf("network(%q) = %d", addr, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { network(&key, "192.0.2.7:40000") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
