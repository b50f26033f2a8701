//go:build release

package main

// emulated is empty in a released binary: it holds no emulator at all (DESIGN 4.1, 16).
type emulated struct{}
