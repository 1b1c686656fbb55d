// Package oracle holds what others wrote against what we wrote: independent
// implementations of the specifications that the product follows. It is a module
// of its own, so that the product does not depend on them.
package oracle
