// Package frontend is what a browser talks to: the routes, the JSON API of openapi.yaml, mail bodies as
// documents of their own, live updates, the auditor's reading of the log, and the page's static files.
//
// Every route stands in one table (routes.go) with who may enter and the purpose and feature that policy
// is asked for: no handler chooses them, and no request can. Handlers are given a visit, return an error,
// and one function turns errors into answers (errors.go).
//
// The company's other services have a door of their own, with a table of its own: package platform.
//
// Nothing here can reach Gmail: the client is internal to package inbox, and inbox asks the gate.
package frontend
