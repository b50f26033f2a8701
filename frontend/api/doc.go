// Package api holds the types of the contract between page and server, generated from openapi.yaml.
package api

//go:generate go tool -modfile=../../internal/tools/go.mod oapi-codegen -config generate.yaml ../openapi.yaml
