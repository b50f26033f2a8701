// Package tools pins the programs that generate and check the source, in a module of their own so that
// their dependencies stay out of the product's.
package tools
