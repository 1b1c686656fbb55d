package tuf

import (
	"strconv"
	"strings"
)

// metaName is how a snapshot or timestamp names the document of a role.
func metaName(role string) string { return role + ".json" }

// FileName is the file that a repository has the document of a role in: with
// consistent snapshots each but the timestamp has its version in front.
func FileName(role string, version uint32) string {
	if role == RoleTimestamp {
		return metaName(role)
	}
	return strconv.FormatUint(uint64(version), 10) + "." + metaName(role)
}

// TargetFileName is the file that a repository has a target in: its SHA-256
// stands before the last part of the path.
func TargetFileName(path, sha256 string) string {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i] + sha256 + "." + path[i:]
}
