package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type suppressionsInput struct {
	Request
	AppParams
	State string `query:"state" enum:"requested,approved,rejected" doc:"only those in it"`
	PageParams
}

type suppressionInput struct {
	Request
	AppParams
	ID int64 `path:"id" minimum:"1"`
}

func (s *server) registerScanPolicy() {
	const tag = "scans"
	const own, channel = "/apps/{app}/scan-policy", "/apps/{app}/channels/{channel}/scan-policy"
	register(s, route{
		id: "get-scan-policy", method: http.MethodGet, path: own, action: "scan_policy.get", tag: tag,
		summary: "Get the scan policy of an app",
	},
		func(c *call, in *appInput, _ none) (ota.ScanPolicyInfo, error) {
			return s.deps.Control.ScanPolicy(c, in.App, "")
		})
	register(s, route{
		id: "set-scan-policy", method: http.MethodPut, path: own, action: "scan_policy.set", tag: tag, waits: true,
		summary: "Set the scan policy of an app",
	},
		func(c *call, in *appInput, body ota.ScanPolicy) (ota.ScanPolicyInfo, error) {
			return s.deps.Control.SetScanPolicy(c, c.principal, in.App, "", &body)
		})
	register(s, route{
		id: "get-channel-scan-policy", method: http.MethodGet, path: channel, action: "scan_policy.get", tag: tag,
		summary: "Get the scan policy that holds for a channel",
	},
		func(c *call, in *channelInput, _ none) (ota.ScanPolicyInfo, error) {
			return s.deps.Control.ScanPolicy(c, in.App, in.Channel)
		})
	register(s, route{
		id: "set-channel-scan-policy", method: http.MethodPut, path: channel, action: "scan_policy.set", tag: tag, waits: true,
		summary: "Set a scan policy of a channel's own, in place of the app's",
	},
		func(c *call, in *channelInput, body ota.ScanPolicy) (ota.ScanPolicyInfo, error) {
			return s.deps.Control.SetScanPolicy(c, c.principal, in.App, in.Channel, &body)
		})
	register(s, route{
		id: "delete-channel-scan-policy", method: http.MethodDelete, path: channel, action: "scan_policy.set", tag: tag, waits: true,
		summary: "Take a channel's own scan policy away: that of the app holds again",
	},
		func(c *call, in *channelInput, _ none) (ota.ScanPolicyInfo, error) {
			return s.deps.Control.SetScanPolicy(c, c.principal, in.App, in.Channel, nil)
		})
}

func (s *server) registerSuppressions() {
	const tag = "scans"
	const all, one = "/apps/{app}/suppressions", "/apps/{app}/suppressions/{id}"
	register(s, route{
		id: "list-suppressions", method: http.MethodGet, path: all, action: "suppression.list", tag: tag,
		summary: "List the suppressions of findings, newest first",
	},
		func(c *call, in *suppressionsInput, _ none) (list[ota.Suppression], error) {
			return listOf(s.deps.Scans.Suppressions(c, in.App, ota.SuppressionState(in.State), in.page()))
		})
	register(s, route{
		id: "request-suppression", method: http.MethodPost, path: all, action: "suppression.request", tag: tag, status: http.StatusCreated,
		summary: "Ask that findings do not count, with a reason and for some time",
	},
		func(c *call, in *appInput, body ota.NewSuppression) (ota.Suppression, error) {
			return s.deps.Scans.RequestSuppression(c, c.principal, in.App, body)
		})
	for _, d := range []struct {
		verb, summary string
		approve       bool
	}{
		{"approve", "Approve a suppression: its findings do not count until it expires", true},
		{"reject", "Reject a suppression, or take back one that was approved", false},
	} {
		register(s, route{
			id: d.verb + "-suppression", method: http.MethodPost, path: one + "/" + d.verb, action: "suppression.decide", tag: tag, summary: d.summary,
		},
			func(c *call, in *suppressionInput, body ota.SuppressionNote) (ota.Suppression, error) {
				return s.deps.Scans.DecideSuppression(c, c.principal, in.App, in.ID, d.approve, body.Note)
			})
	}
	register(s, route{
		id: "delete-suppression", method: http.MethodDelete, path: one, action: "suppression.delete", tag: tag, status: http.StatusNoContent,
		summary: "Take a suppression away: its findings count again",
	},
		func(c *call, in *suppressionInput, _ none) (none, error) {
			return none{}, s.deps.Scans.DeleteSuppression(c, c.actor, in.App, in.ID)
		})
}
