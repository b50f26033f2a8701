// Package regal pins the linter of the policy. It is a module of its own: it does not build with the OPA that the
// product has.
package regal
