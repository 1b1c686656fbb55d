package console

// notices are what pages say after something was done, by the name in the
// address: an address can choose among them and not write one.
var notices = map[string]string{
	"app_created":      "The app is there. Its channel production waits for a first release.",
	"channel_created":  "The channel is there.",
	"policy_changed":   "The policy is in force: the next update check follows it.",
	"released":         "Released. The next update check gets it.",
	"rolled_back":      "Rolled back. The next update check gets the version before.",
	"rollout_changed":  "The rollout is as you set it.",
	"rollout_promoted": "The rollout's version is now the release of the channel.",
	"rollout_aborted":  "The rollout is over; its devices go back to the release.",
	"failures_cleared": "Forgotten: the version is offered again.",
	"override_set":     "The device is bound to the channel.",
	"override_cleared": "The device chooses its channel itself again.",
	"key_changed":      "The key is changed.",
}
