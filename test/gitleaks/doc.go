// Package gitleaks holds our search for secrets against that of gitleaks: what
// it finds, among the formats that we claim, the built command finds too. It is
// a module of its own, so that the product does not depend on gitleaks.
//
// It holds tests only.
package gitleaks
