// Package opa pins the opa command, with which the policy is checked as anybody could check it. It is a module of
// its own: the command needs far more than the engine.
package opa
