package emulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// isDiscovery reports whether the API's description is asked for, at either of the
// two addresses from which Google's clients fetch it.
func isDiscovery(r *http.Request) bool {
	return r.URL.Path == "/discovery/v1/apis/gmail/v1/rest" ||
		r.URL.Path == "/$discovery/rest" && (r.URL.Query().Get("version") == "v1" || !r.URL.Query().Has("version"))
}

func (s *Server) serveDiscovery(r *http.Request) *reply {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return s.refuse(newInbound(r, r.URL.Path), nil, noSuchPath())
	}
	body, err := json.Marshal(discoveryDocument(scheme(r) + "://" + r.Host + "/"))
	if err != nil {
		panic(err) // our own tables always encode
	}
	return jsonReply(http.StatusOK, body, r.URL.Query())
}

type object = map[string]any

// discoveryDocument writes the tables as a discovery document whose root is where
// the server was reached. It has what clients are built from and none of Google's
// prose.
func discoveryDocument(root string) object {
	granted := object{}
	for short, scope := range scopeNames {
		granted[scope] = object{"description": short}
	}
	described := object{}
	for name, spec := range schemas {
		properties := object{}
		for _, f := range strings.Fields(spec) {
			field, kind, _ := strings.Cut(f, ":")
			properties[field] = describeType(kind)
		}
		described[name] = object{"id": name, "type": "object", "properties": properties}
	}
	global := object{}
	for name, p := range globalParams {
		global[name] = p.describe("query")
	}
	global["alt"].(object)["default"] = "json"
	global["prettyPrint"].(object)["default"] = "true"
	users := object{}
	for i := range methods {
		methods[i].describeIn(users)
	}
	return object{
		"kind": "discovery#restDescription", "discoveryVersion": "v1", "id": "gmail:v1", "name": "gmail", "version": "v1",
		"revision": "20261005", "title": "Gmail API (emulated)", "description": "A Gmail served from memory.",
		"ownerName": "Google", "ownerDomain": "google.com", "canonicalName": "Gmail", "protocol": "rest", "version_module": true,
		"rootUrl": root, "servicePath": "", "basePath": "", "baseUrl": root, "batchPath": "batch", "fullyEncodeReservedExpansion": true,
		"auth": object{"oauth2": object{"scopes": granted}}, "parameters": global, "schemas": described,
		"resources": object{"users": users},
	}
}

// describeIn adds the method to the tree of resources below users.
func (m *Method) describeIn(users object) {
	names := strings.Split(m.ID, ".")
	at := users
	for _, resource := range names[:len(names)-1] {
		at = child(child(at, "resources"), resource)
	}
	path := strings.TrimPrefix(apiPrefix, "/") + "{userId}/" + m.Path
	params := object{"userId": object{"type": "string", "location": "path", "required": true, "default": "me"}}
	order := []string{"userId"}
	for _, segment := range strings.Split(m.Path, "/") {
		if name, _, ok := parameter(segment); ok {
			params[name] = object{"type": "string", "location": "path", "required": true}
			order = append(order, name)
		}
	}
	for name, p := range parseParams(m.Query) {
		params[name] = p.describe("query")
	}
	out := object{
		"id": "gmail.users." + m.ID, "path": path, "flatPath": path, "httpMethod": m.Verb,
		"parameters": params, "parameterOrder": order, "scopes": m.Scopes(),
	}
	if m.Request != "" {
		out["request"] = object{"$ref": m.Request}
	}
	if m.Response != "" {
		out["response"] = object{"$ref": m.Response}
	}
	if m.MaxMedia > 0 {
		out["supportsMediaUpload"] = true
		out["mediaUpload"] = object{
			"accept": []string{"message/*"}, "maxSize": strconv.FormatInt(m.MaxMedia, 10),
			"protocols": object{
				"simple":    object{"multipart": true, "path": "/upload/" + path},
				"resumable": object{"multipart": true, "path": "/resumable/upload/" + path},
			},
		}
	}
	child(at, "methods")[names[len(names)-1]] = out
}

// child is the object under a key, made when absent.
func child(of object, key string) object {
	if of[key] == nil {
		of[key] = object{}
	}
	return of[key].(object)
}

func (p param) describe(location string) object {
	out := describeType(p.kind)
	out["location"] = location
	if p.repeated {
		out["repeated"] = true
	}
	return out
}

// describeType spells a type of the tables as discovery documents do.
func describeType(kind string) object {
	if item, repeated := strings.CutSuffix(kind, "[]"); repeated {
		return object{"type": "array", "items": describeType(item)}
	}
	switch kind {
	case "", "string":
		return object{"type": "string"}
	case "bool":
		return object{"type": "boolean"}
	case "int32", "uint32":
		return object{"type": "integer", "format": kind}
	case "int64", "uint64":
		return object{"type": "string", "format": kind}
	case "bytes":
		return object{"type": "string", "format": "byte"}
	case "datetime":
		return object{"type": "string", "format": "google-datetime"}
	}
	if strings.Contains(kind, "|") {
		return object{"type": "string", "enum": strings.Split(kind, "|")}
	}
	return object{"$ref": kind}
}
