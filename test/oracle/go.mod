module github.com/waxwing-ota/waxwing/test/oracle

go 1.26.0

require (
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
	github.com/transparency-dev/merkle v0.0.2
	github.com/waxwing-ota/waxwing v0.0.0
	golang.org/x/mod v0.42.0
)

replace github.com/waxwing-ota/waxwing => ../..
