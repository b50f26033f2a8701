package frontend

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gorilla/mux"

	"github.com/totalengage/webmail/inbox"
)

//go:embed openapi.yaml
var contract []byte

// maxBody bounds a JSON request; an upload has its own bound.
const maxBody = 8 << 20

// schema checks requests against the contract, so that handlers see only what it allows.
type schema struct {
	doc *openapi3.T
}

func newSchema() (*schema, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, fmt.Errorf("frontend: openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("frontend: openapi.yaml: %w", err)
	}
	return &schema{doc: doc}, nil
}

// check validates path, query and body of an API request. Mail documents have no schema: their handlers check their own.
func (s *schema) check(rt route, r *http.Request) error {
	item := s.doc.Paths.Find(rt.path)
	if item == nil {
		return nil
	}
	upload := strings.HasSuffix(rt.path, "/uploads")
	if item.GetOperation(rt.method).RequestBody == nil {
		r.Body = http.NoBody // nothing is read that the contract does not know
	}
	if !upload && r.Body != nil {
		data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
	}
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: mux.Vars(r),
		Route:   &routers.Route{Spec: s.doc, Path: rt.path, PathItem: item, Method: rt.method, Operation: item.GetOperation(rt.method)},
		Options: &openapi3filter.Options{ExcludeRequestBody: upload, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	return invalidRequest(err)
}

// invalidRequest says which field breaks which rule, and never what it held.
func invalidRequest(err error) error {
	if err == nil {
		return nil
	}
	out := &inbox.InvalidError{Field: "request", Why: "not what this address takes; see openapi.yaml"}
	var request *openapi3filter.RequestError
	if errors.As(err, &request) && request.Parameter != nil {
		out.Field = request.Parameter.Name
		out.Why = "not a value that this parameter takes"
	}
	var field *openapi3.SchemaError
	if errors.As(err, &field) {
		if at := strings.Join(field.JSONPointer(), "."); at != "" {
			out.Field = at
		}
		out.Why = "breaks the rule " + field.SchemaField
	}
	return out
}
