package cli

import "github.com/spf13/cobra"

// addCommands hangs every command under the root, in the order of the help.
func addCommands(root *cobra.Command, g *Globals) {
	root.AddCommand(
		newServeCommand(g),
		newDemoCommand(g),
		newInitCommand(g),
		newPushCommand(g),
		newReleaseCommand(g),
		newRollbackCommand(g),
		newReleasesCommand(g),
		newRolloutCommand(g),
		newApprovalsCommand(g),
		newStatusCommand(g),
		newProbeCommand(g),
		newDeviceCommand(g),
		newDoctorCommand(g),
		newScanCommand(g),
		newAppsCommand(g),
		newChannelsCommand(g),
		newKeysCommand(g),
		newBundlesCommand(g),
		newNativeCommand(g),
		newDevicesCommand(g),
		newEventsCommand(g),
		newTrafficCommand(g),
		newStatsCommand(g),
		newChangesCommand(g),
		newAuditCommand(g),
		newOrgsCommand(g),
		newUsersCommand(g),
		newGroupsCommand(g),
		newServiceAccountsCommand(g),
		newGrantsCommand(g),
		newAccessCommand(g),
		newTokensCommand(g),
		newWebhooksCommand(g),
		newInvitationsCommand(g),
		newSessionsCommand(g),
		newSSOCommand(g),
		newSetupLinkCommand(g),
		newResetLinkCommand(g),
		newPublishersCommand(g),
		newGCCommand(g),
	)
}
