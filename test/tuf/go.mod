module github.com/waxwing-ota/waxwing/test/tuf

go 1.26.0

replace github.com/waxwing-ota/waxwing => ../..

require github.com/waxwing-ota/waxwing v0.0.0

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
)
