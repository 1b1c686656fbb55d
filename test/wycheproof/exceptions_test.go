package wycheproof

// exceptions are the vectors whose published result we mean not to give, by file and
// tcId, with the reason; an entry that is not needed fails too. It is empty: every vector of every file below gives its
// published result. (Other platforms need entries: the ECDSA of OpenJDK 17 refuses
// the valid signatures 115 and 257 of ecdsa_secp256r1_sha256_test.json, whose r is
// the x of a point with x ≥ n.)
func exceptions() map[string]map[int]string { return nil }
