module github.com/waxwing-ota/waxwing/test/wycheproof

go 1.26.4

require (
	filippo.io/hpke v0.4.0
	github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
	github.com/waxwing-ota/waxwing v0.0.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/waxwing-ota/waxwing => ../..
