package frontend

import (
	"github.com/totalengage/webmail/policy"
	"github.com/totalengage/webmail/policy/assess"
)

// RouteTable is the table that the server is built from, for who draws or checks what leads where.
func RouteTable() []assess.Route {
	who := map[entrance]string{anyone: "anyone", owner: string(policy.Owner), auditor: string(policy.Auditor), staff: string(policy.Staff)}
	list := make([]assess.Route, len(routes))
	for i, r := range routes {
		list[i] = assess.Route{Method: r.method, Path: r.path, Who: who[r.who], Purpose: string(r.purpose), Feature: string(r.feature)}
	}
	return list
}
