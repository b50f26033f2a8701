//go:build !release

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// demoService is another service of the demo's company. The second one is registered for what no mail may be used for:
// it is there to be refused.
type demoService struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Use      string            `json:"use"`
	Purposes []string          `json:"purposes"`
	Keys     []json.RawMessage `json:"keys"`
}

var demoServices = []demoService{
	{ID: "northwind-crm", Name: "Northwind CRM", Use: "Shows beside your customers how much mail waits for you, and prepares answers from its templates.",
		Purposes: []string{"inbox.sync", "inbox.compose"}},
	{ID: "northwind-growth", Name: "Northwind Growth", Use: "Chooses audiences for campaigns.", Purposes: []string{"marketing.audience"}},
}

// demoCallers returns the demo's register of services. At the first start over a data directory it is written, with keys of
// which the private halves lie beside it, so that anybody can try to be one of the services.
func demoCallers(data string) (path string, err error) {
	dir := filepath.Join(data, "callers")
	path = filepath.Join(dir, "callers.json")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("the directory of callers: %w", err)
	}
	register := struct {
		Callers []demoService `json:"callers"`
	}{}
	for _, service := range demoServices {
		key := filepath.Join(dir, service.ID+".key")
		if err := os.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a start that was cut short
			return "", fmt.Errorf("an old key: %w", err)
		}
		public, err := newCallerKey(key, "demo")
		if err != nil {
			return "", err
		}
		service.Keys = []json.RawMessage{public}
		register.Callers = append(register.Callers, service)
	}
	text, err := json.MarshalIndent(register, "", "  ")
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, text, 0o600)
}
