package policy

import "github.com/open-policy-agent/opa/v1/ast"

// schemas gives the compiler the exact shape of Input, so that a rule which misspells a field does not load.
func schemas() *ast.SchemaSet {
	text := func(names ...string) map[string]any {
		props := map[string]any{}
		for _, n := range names {
			props[n] = map[string]any{"type": "string"}
		}
		return props
	}
	with := func(props map[string]any, more map[string]any) map[string]any {
		for k, v := range more {
			props[k] = v
		}
		return map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	}
	list := map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	integer, boolean := map[string]any{"type": "integer"}, map[string]any{"type": "boolean"}
	names := map[string]any{"type": "object", "additionalProperties": boolean}
	input := with(text("operation", "purpose", "feature", "recipient", "subject", "params", "body"), map[string]any{
		"classes": names, "time": integer,
		"actor":       with(text("kind", "id"), map[string]any{"roles": list, "mfa": boolean, "acknowledged": integer}),
		"account":     with(text("id", "owner", "state"), map[string]any{"scopes": list, "epoch": integer, "consent": with(map[string]any{}, map[string]any{"version": integer, "given": integer, "first": integer, "notified": integer})}),
		"resource":    with(text("kind", "form", "label"), map[string]any{"ids": list, "max": integer}),
		"instruction": with(text("id", "account", "feature", "recipient", "resource"), map[string]any{"given": integer, "expires": integer}),
		"agreement":   with(text("id", "account", "owner", "requester", "approver", "state"), map[string]any{"messages": names, "asked": integer, "given": integer, "expires": integer}),
		"caller":      with(text("id"), map[string]any{"purposes": names}),
		"release":     with(text("id"), map[string]any{"owners": integer, "released": integer}),
	})
	set := ast.NewSchemaSet()
	set.Put(ast.MustParseRef("schema.input"), input) // for annotations, as the opa command finds it
	set.Put(ast.SchemaRootRef, input)                // for modules that leave them out
	return set
}
