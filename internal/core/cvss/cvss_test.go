package cvss_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cvss"
)

// TestPublished has vectors with the scores that were published for them: the
// examples of the CVSS v3.1 examples document of FIRST, and well-known advisories.
func TestPublished(t *testing.T) {
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N":               6.4, // CVE-2013-1937? phpMyAdmin family
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":               6.1, // CVE-2013-1937, reflected XSS
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N":               4.3, //
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N":               3.1, // CVE-2014-3566, POODLE
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H":               9.9, // CVE-2012-1516, VMware
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H":               7.8, // CVE-2009-0783 family
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N":               7.5, // CVE-2014-0160, Heartbleed
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":               9.8, // CVE-2014-6271, Shellshock
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:H/A:N":               8.6, // CVE-2008-1447, Kaminsky (AC:L variant)
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N":               6.8, // CVE-2008-1447, Kaminsky
		"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":               6.8, // CVE-2014-2005, Sophos login
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N":               7.4, // CVE-2014-0224, OpenSSL
		"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H":               9.3, // CVE-2013-6014, Juniper proxy ARP
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H":               10,  // CVE-2021-44228 as 3.x
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":               0,   //
		"CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:H":               6.6, //
		"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H":               7.2, // CVE-2021-23337, lodash
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H":               7.4, // CVE-2020-8203, lodash
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H":               7.5, //
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N/E:P/RL:O/RC:C": 6.1,
	} {
		if got, ok := cvss.Base(vector); !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", vector, got, ok, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, vector := range []string{
		"", "CVSS:2.0/AV:N", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",              // A is missing
		"CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",     // twice
		"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",          // unknown value
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/",         // empty part
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H trailing", //
	} {
		if got, ok := cvss.Base(vector); ok {
			t.Errorf("%q has the score %v", vector, got)
		}
	}
}

func FuzzBase(f *testing.F) {
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	f.Fuzz(func(t *testing.T, vector string) {
		if got, ok := cvss.Base(vector); ok && !(got >= 0 && got <= 10) {
			t.Errorf("%q has the score %v", vector, got)
		}
	})
}
