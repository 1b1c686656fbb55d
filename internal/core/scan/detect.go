package scan

// What files remember for the checks of the whole bundle, by prefix.
const (
	keyHost       = "host "
	keyPlugin     = "plugin "
	keyCapability = "capability "
	keyUpdater    = "updater "
	keyManifest   = "manifest "
	keySink       = "sink "
	keyTrusted    = "trusted types "
)

// detectors is the table of all rules' code. A rule may have several rows.
func detectors() []detector {
	return []detector{
		// Store rules.
		nativeContent(),       // ST-001
		webAssembly(),         // ST-002
		dynamicCode(),         // ST-003
		remoteMarkup(),        // ST-004
		otherUpdaters(),       // ST-005
		missingPlugins(),      // ST-006
		newCapabilities(),     // ST-007
		largeChange(),         // ST-008
		catalogue(),           // ST-009
		payments(),            // ST-010
		gambling(),            // ST-011
		hiddenBehaviour(),     // ST-012
		obfuscation(),         // ST-013
		trackers(),            // ST-014
		hosts(),               // ST-015
		secretsInBundle(),     // ST-016
		vulnerableLibraries(), // ST-017
		debugLeftovers(),      // ST-018
		metadata(),            // ST-019
		malware(),             // ST-020
		structure(),           // ST-021
		aiServices(),          // ST-022
		// Web hardening.
		policyMissing(),   // WB-001
		policyScripts(),   // WB-002
		policyGaps(),      // WB-003
		policyDead(),      // WB-004
		plainHTTP(),       // WB-005
		mixedContent(),    // WB-006
		integrity(),       // WB-007
		cors(),            // WB-008
		windows(),         // WB-009
		sinks(),           // WB-010
		serviceWorkers(),  // WB-011
		configuration(),   // WB-012
		tokenStorage(),    // WB-013
		transportChecks(), // WB-014
	}
}
