package console

// notices are what pages say after something was done, by the name in the
// address: an address can choose among them and not write one.
var notices = map[string]string{
	"app_created":        "The app is there. Its channel production waits for a first release.",
	"channel_created":    "The channel is there.",
	"policy_changed":     "The policy is in force: the next update check follows it.",
	"released":           "Released. The next update check gets it.",
	"rolled_back":        "Rolled back. The next update check gets the version before.",
	"rollout_changed":    "The rollout is as you set it.",
	"rollout_promoted":   "The rollout's version is now the release of the channel.",
	"rollout_aborted":    "The rollout is over; its devices go back to the release.",
	"failures_cleared":   "Forgotten: the version is offered again.",
	"override_set":       "The device is bound to the channel.",
	"override_cleared":   "The device chooses its channel itself again.",
	"approval_requested": "Asked for approval: it is done once enough others agreed.",
	"passkey_deleted":    "The passkey is deleted.",
	"passkey_renamed":    "The passkey has its name.",
	"passkey_added":      "The passkey is there.",
	"password_set":       "The password is set; your other sessions ended.",
	"password_deleted":   "The password is deleted.",
	"totp_set":           "The authenticator app is set up.",
	"totp_deleted":       "The authenticator app is forgotten.",
	"session_ended":      "The session ended.",
	"key_changed":        "The key is changed.",
}
