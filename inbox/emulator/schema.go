package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// fieldType is one field of a schema, read from schemas_table.go.
type fieldType struct {
	kind     string // as in the table, without []
	repeated bool
}

var schemaFields = func() map[string]map[string]fieldType {
	out := map[string]map[string]fieldType{}
	for name, spec := range schemas {
		fields := map[string]fieldType{}
		for _, f := range strings.Fields(spec) {
			field, kind, _ := strings.Cut(f, ":")
			kind, repeated := strings.CutSuffix(kind, "[]")
			fields[field] = fieldType{kind, repeated}
		}
		out[name] = fields
	}
	return out
}()

// maxBodyDepth is Google's limit for nested JSON messages.
const maxBodyDepth = 100

// checkBody refuses a JSON body that does not fit its schema: unknown names,
// wrong types, values outside an enumeration.
func checkBody(schema string, body []byte) *apiError {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return invalidPayload("Invalid JSON payload received. Unexpected token.", "")
	}
	if dec.More() {
		return invalidPayload("Invalid JSON payload received. Expected end of input.", "")
	}
	return checkValue(fieldType{kind: schema}, v, "", 0)
}

func checkValue(t fieldType, v any, path string, depth int) *apiError {
	if v == nil {
		return nil // null is the default value
	}
	if depth > maxBodyDepth {
		return invalidPayload("Message too deep. Max recursion depth reached.", path)
	}
	if t.repeated {
		list, ok := v.([]any)
		if !ok {
			return wrongValue(t, v, path)
		}
		for i, item := range list {
			if err := checkValue(fieldType{kind: t.kind}, item, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	fields, isSchema := schemaFields[t.kind]
	if !isSchema {
		if !fits(t.kind, v) {
			return wrongValue(t, v, path)
		}
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return wrongValue(t, v, path)
	}
	for name, value := range object {
		field, known := fields[name]
		if !known {
			at := ""
			if path != "" {
				at = " at '" + path + "'"
			}
			return invalidPayload(fmt.Sprintf("Invalid JSON payload received. Unknown name %q%s: Cannot find field.", name, at), path)
		}
		if err := checkValue(field, value, join(path, snake(name)), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// wrongValue names the place but not the value, which may be mail.
func wrongValue(t fieldType, v any, path string) *apiError {
	kind := "TYPE_" + strings.ToUpper(t.kind)
	if strings.Contains(t.kind, "|") || schemaFields[t.kind] != nil {
		kind = "type.googleapis.com/google.gmail.v1"
	}
	message := fmt.Sprintf("Invalid value at '%s' (%s)", path, kind)
	if s, ok := v.(string); ok && strings.Contains(t.kind, "|") {
		message += fmt.Sprintf(", %q", s)
	}
	return invalidPayload(message, path)
}

// fits reports whether a JSON value can stand for a scalar type. Google reads
// numbers from strings and the other way round.
func fits(kind string, v any) bool {
	var text string
	switch v := v.(type) {
	case bool:
		return kind == "bool"
	case string:
		text = v
	case json.Number:
		if kind != "int32" && kind != "uint32" && kind != "int64" && kind != "uint64" {
			return false
		}
		text = v.String()
	default:
		return false
	}
	return parses(kind, text)
}

// parses reports whether text is a value of a scalar type; also used for query parameters.
func parses(kind, text string) bool {
	var err error
	switch kind {
	case "", "string", "bytes":
	case "bool":
		return text == "true" || text == "false"
	case "int32":
		_, err = strconv.ParseInt(text, 10, 32)
	case "uint32":
		_, err = strconv.ParseUint(text, 10, 32)
	case "int64":
		_, err = strconv.ParseInt(text, 10, 64)
	case "uint64":
		_, err = strconv.ParseUint(text, 10, 64)
	case "datetime":
		_, err = time.Parse(time.RFC3339Nano, text)
	default: // an enumeration
		for _, option := range strings.Split(kind, "|") {
			if option == text {
				return true
			}
		}
		return false
	}
	return err == nil
}

// snake is Google's internal spelling of a field: historyTypes -> history_types.
func snake(name string) string {
	var out strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}

// knownPath reports whether a field selector exists below a response schema.
func knownPath(schema string, path []string) bool {
	at := map[string]bool{schema: true}
	for _, name := range path {
		next := map[string]bool{}
		for s := range at {
			for field, t := range schemaFields[s] {
				if name == field || name == "*" {
					next[t.kind] = true
				}
			}
		}
		if len(next) == 0 {
			return false
		}
		at = next
	}
	return true
}
