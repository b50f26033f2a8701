// Package rooms holds the walls of the house: its tests list every import that is forbidden between the
// rooms of docs/architecture.md, with the reason, and fail when one appears.
package rooms
