package emulator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/totalengage/webmail/inbox/emulator"
)

// discovery is what the tests need of Google's discovery document.
type discovery struct {
	raw        []byte
	Methods    map[string]discoveryMethod // by id without gmail.users.
	Schemas    map[string]discoverySchema
	Parameters map[string]discoveryParam
}

type discoveryMethod struct {
	ID         string
	HTTPMethod string
	Path       string
	Parameters map[string]discoveryParam
	Request    struct {
		Ref string `json:"$ref"`
	}
	Response struct {
		Ref string `json:"$ref"`
	}
	Scopes      []string
	MediaUpload *struct {
		MaxSize string
	}
}

type discoveryParam struct {
	Type, Format, Location string
	Repeated               bool
	Enum                   []string
}

type discoverySchema struct {
	Properties map[string]discoveryType
}

type discoveryType struct {
	Type, Format, Description string
	Ref                       string `json:"$ref"`
	Items                     *discoveryType
	Enum                      []string
}

// readDiscovery finds the document beside Google's client in the module cache.
var readDiscovery = sync.OnceValues(func() (*discovery, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "gmail", "v1", "gmail-api.json"))
	if err != nil {
		return nil, err
	}
	type resource struct {
		Methods   map[string]discoveryMethod
		Resources map[string]json.RawMessage
	}
	var doc struct {
		Parameters map[string]discoveryParam
		Schemas    map[string]discoverySchema
		Resources  map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	d := &discovery{raw: raw, Methods: map[string]discoveryMethod{}, Schemas: doc.Schemas, Parameters: doc.Parameters}
	var walk func(map[string]json.RawMessage) error
	walk = func(rs map[string]json.RawMessage) error {
		for _, raw := range rs {
			var r resource
			if err := json.Unmarshal(raw, &r); err != nil {
				return err
			}
			for _, m := range r.Methods {
				d.Methods[strings.TrimPrefix(m.ID, "gmail.users.")] = m
			}
			if err := walk(r.Resources); err != nil {
				return err
			}
		}
		return nil
	}
	return d, walk(doc.Resources)
})

func mustDiscovery(t testing.TB) *discovery {
	t.Helper()
	d, err := readDiscovery()
	if err != nil {
		t.Fatalf("discovery document: %v", err)
	}
	return d
}

// paramType spells a parameter as methods_table.go does.
func (p discoveryParam) paramType() string {
	kind := map[string]string{"string": "", "boolean": "bool", "integer": p.Format}[p.Type]
	if p.Type == "string" && p.Format != "" {
		kind = p.Format
	}
	if len(p.Enum) > 0 {
		kind = strings.Join(p.Enum, "|")
	}
	if p.Repeated {
		kind += "[]"
	}
	return kind
}

func TestMethodTableMatchesDiscovery(t *testing.T) {
	d := mustDiscovery(t)
	table := emulator.Methods()
	if got, want := len(table), len(d.Methods); got != want || want != 79 {
		t.Errorf("%d methods in the table, %d in the document, want 79", got, want)
	}
	for _, m := range table {
		want, ok := d.Methods[m.ID]
		if !ok {
			t.Errorf("%s is not in the document", m.ID)
			continue
		}
		if m.Verb != want.HTTPMethod || "gmail/v1/users/{userId}/"+m.Path != want.Path {
			t.Errorf("%s: %s %s, want %s %s", m.ID, m.Verb, m.Path, want.HTTPMethod, want.Path)
		}
		if m.Request != want.Request.Ref || m.Response != want.Response.Ref {
			t.Errorf("%s: %q -> %q, want %q -> %q", m.ID, m.Request, m.Response, want.Request.Ref, want.Response.Ref)
		}
		if !slices.Equal(m.Scopes(), want.Scopes) {
			t.Errorf("%s: scopes %v, want %v", m.ID, m.Scopes(), want.Scopes)
		}
		var params []string
		for name, p := range want.Parameters {
			if p.Location != "query" {
				continue
			}
			if kind := p.paramType(); kind != "" {
				name += ":" + kind
			}
			params = append(params, name)
		}
		sort.Strings(params)
		if got := strings.Fields(m.Query); !slices.Equal(got, params) {
			t.Errorf("%s: query %v, want %v", m.ID, got, params)
		}
		media := int64(0)
		if want.MediaUpload != nil {
			media, _ = strconv.ParseInt(want.MediaUpload.MaxSize, 10, 64)
		}
		if m.MaxMedia != media {
			t.Errorf("%s: media %d, want %d", m.ID, m.MaxMedia, media)
		}
		if m.Cost("old") < 1 || m.Cost("new") < m.Cost("old") {
			t.Errorf("%s: costs %d, then %d units", m.ID, m.Cost("old"), m.Cost("new"))
		}
	}
}

func (p discoveryType) spelled() string {
	switch {
	case p.Ref != "":
		return p.Ref
	case p.Items != nil:
		return p.Items.spelled() + "[]"
	case len(p.Enum) > 0:
		return strings.Join(p.Enum, "|")
	case p.Type == "boolean":
		return "bool"
	case p.Type == "integer":
		return p.Format
	}
	switch p.Format {
	case "":
		return "string"
	case "byte":
		return "bytes"
	case "google-datetime":
		return "datetime"
	}
	return p.Format
}

func TestSchemaTableMatchesDiscovery(t *testing.T) {
	d := mustDiscovery(t)
	if got, want := len(emulator.Schemas), len(d.Schemas); got != want {
		t.Errorf("%d schemas in the table, %d in the document", got, want)
	}
	for name, s := range d.Schemas {
		var want []string
		for field, p := range s.Properties {
			want = append(want, field+":"+p.spelled())
		}
		sort.Strings(want)
		got := strings.Fields(emulator.Schemas[name])
		sort.Strings(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	palette := regexp.MustCompile(`#[0-9a-f]{6}`)
	for _, field := range []string{"backgroundColor", "textColor"} {
		_, list, _ := strings.Cut(d.Schemas["LabelColor"].Properties[field].Description, "allowed:")
		if got, want := strings.Fields(emulator.LabelColors), palette.FindAllString(list, -1); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: %d colours, want %d", field, len(got), len(want))
		}
	}
}

func TestGlobalParametersMatchDiscovery(t *testing.T) {
	d := mustDiscovery(t)
	if got, want := len(emulator.GlobalParams), len(d.Parameters); got != want {
		t.Errorf("%d global parameters, want %d", got, want)
	}
	for name, p := range d.Parameters {
		if got, ok := emulator.GlobalParams[name]; !ok || got.Kind() != p.paramType() {
			t.Errorf("%s: %q, want %q", name, got.Kind(), p.paramType())
		}
	}
}

func TestRoutesAreUnambiguous(t *testing.T) {
	for _, m := range emulator.Methods() {
		path := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(m.Path, "x1")
		var hits []string
		for _, o := range emulator.Methods() {
			if o.Verb == m.Verb && emulator.Matches(o, path) {
				hits = append(hits, o.ID)
			}
		}
		if !slices.Equal(hits, []string{m.ID}) {
			t.Errorf("%s %s is taken by %v", m.Verb, path, hits)
		}
	}
}

// validator checks each JSON answer against the schema of the method that was
// called: unknown keys, wrong types and a missing or unexpected body fail the test.
type validator struct {
	t    testing.TB
	d    *discovery
	next http.RoundTripper
}

func newValidator(t testing.TB) *validator {
	return &validator{t, mustDiscovery(t), http.DefaultTransport}
}

func (v *validator) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := v.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	path := r.URL.EscapedPath()
	for _, prefix := range []string{"/resumable/upload", "/upload"} {
		path = strings.TrimPrefix(path, prefix)
	}
	if strings.HasPrefix(path, "/gmail/v1/users/") && res.Header.Get("X-Http-Status-Code-Override") == "" && res.Header.Get("Location") == "" {
		v.check(r.Method, path, res.StatusCode, res.Header.Get("Content-Type"), body)
	}
	return res, nil
}

// check validates one answer; batch tests call it for each part.
func (v *validator) check(verb, path string, status int, contentType string, body []byte) {
	v.t.Helper()
	if status >= 400 {
		v.checkError(status, contentType, body)
		return
	}
	m, ok := v.find(verb, path)
	if !ok && verb == http.MethodPut {
		m, ok = v.find(http.MethodPost, path) // a resumable chunk
	}
	if !ok {
		v.t.Errorf("answer to unknown %s %s", verb, path)
		return
	}
	if m.Response.Ref == "" {
		if status != http.StatusNoContent || len(body) > 0 {
			v.t.Errorf("%s: status %d with %d bytes, want 204 and none", m.ID, status, len(body))
		}
		return
	}
	if contentType != "application/json; charset=UTF-8" {
		v.t.Errorf("%s: Content-Type %q", m.ID, contentType)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		v.t.Errorf("%s: %v", m.ID, err)
		return
	}
	v.value(m.ID, discoveryType{Ref: m.Response.Ref}, value)
}

func (v *validator) find(verb, path string) (discoveryMethod, bool) {
	rest := strings.TrimPrefix(path, "/gmail/v1/users/")
	_, rest, _ = strings.Cut(rest, "/")
	for _, m := range emulator.Methods() {
		if m.Verb == verb && emulator.Matches(m, rest) {
			return v.d.Methods[m.ID], true
		}
	}
	return discoveryMethod{}, false
}

func (v *validator) value(at string, want discoveryType, got any) {
	v.t.Helper()
	ok := true
	switch {
	case want.Ref != "":
		object, isObject := got.(map[string]any)
		ok = isObject
		for name, value := range object {
			p, known := v.d.Schemas[want.Ref].Properties[name]
			if !known {
				v.t.Errorf("%s: unknown key %q in %s", at, name, want.Ref)
				continue
			}
			v.value(at+"."+name, p, value)
		}
	case want.Items != nil:
		list, isList := got.([]any)
		ok = isList && len(list) > 0 // Gmail leaves empty lists out
		for _, item := range list {
			v.value(at+"[]", *want.Items, item)
		}
	case want.Type == "boolean":
		_, ok = got.(bool)
	case want.Type == "integer":
		n, isNumber := got.(json.Number)
		_, err := strconv.ParseInt(string(n), 10, 32)
		ok = isNumber && err == nil
	default:
		s, isString := got.(string)
		ok = isString && v.stringFits(want, s)
	}
	if !ok {
		v.t.Errorf("%s: %T does not fit %s", at, got, want.spelled())
	}
}

func (v *validator) stringFits(want discoveryType, s string) bool {
	var err error
	switch {
	case len(want.Enum) > 0:
		return slices.Contains(want.Enum, s)
	case want.Format == "uint64":
		_, err = strconv.ParseUint(s, 10, 63)
	case want.Format == "int64":
		_, err = strconv.ParseInt(s, 10, 64)
	case want.Format == "byte":
		_, err = base64.URLEncoding.Strict().DecodeString(s)
	}
	return err == nil
}

// checkError validates Gmail's error envelope (or the front end's HTML).
func (v *validator) checkError(status int, contentType string, body []byte) {
	v.t.Helper()
	if strings.HasPrefix(contentType, "text/html") {
		return
	}
	var e struct {
		Error struct {
			Code    int
			Message string
			Status  string
			Details []map[string]any
			Errors  []struct{ Message, Domain, Reason, Location, LocationType string }
		}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		v.t.Errorf("error envelope: %v in %s", err, body)
		return
	}
	if e.Error.Code != status || e.Error.Message == "" || len(e.Error.Errors) != 1 || e.Error.Errors[0].Reason == "" {
		v.t.Errorf("status %d with envelope %s", status, body)
	}
}
