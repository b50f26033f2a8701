package assess

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// component is one of a CycloneDX 1.6 bill of materials.
type component struct {
	Type    string         `json:"type"`
	Ref     string         `json:"bom-ref,omitempty"`
	Name    string         `json:"name"`
	Version string         `json:"version,omitempty"`
	PURL    string         `json:"purl,omitempty"`
	Scope   string         `json:"scope,omitempty"`
	Hashes  []hash         `json:"hashes,omitempty"`
	Props   []nameAndValue `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type nameAndValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SBOM writes a CycloneDX bill of what a binary and its page are made of: the modules that the Go linker wrote into
// the binary, and the packages of the page's lock file (npm, version 3), of which those for building are marked optional.
// lock may be nil.
func SBOM(info *debug.BuildInfo, lock []byte, at time.Time) (bill []byte, goModules, pagePackages int, err error) {
	var parts []component
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component{
			Type: "library", Ref: "pkg:golang/" + m.Path + "@" + m.Version, Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version,
			Props: []nameAndValue{{"go:sum", m.Sum}}, // a hash of the module's tree, not of one file
		})
	}
	goModules = len(parts)
	packages, err := lockedPackages(lock)
	if err != nil {
		return nil, 0, 0, err
	}
	parts = append(parts, packages...)
	document := map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"metadata": map[string]any{
			"timestamp": at.UTC().Format(time.RFC3339),
			"component": component{Type: "application", Ref: info.Main.Path, Name: info.Main.Path, Version: info.Main.Version, PURL: "pkg:golang/" + info.Main.Path, Props: settings(info)},
		},
		"components": parts,
	}
	bill, err = json.MarshalIndent(document, "", " ")
	return bill, goModules, len(packages), err
}

// settings are how the binary was built, as far as it says.
func settings(info *debug.BuildInfo) []nameAndValue {
	list := []nameAndValue{{"go:version", info.GoVersion}}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs") || s.Key == "CGO_ENABLED" || s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "-trimpath" || s.Key == "-tags" {
			list = append(list, nameAndValue{"go:build:" + s.Key, s.Value})
		}
	}
	return list
}

func lockedPackages(lock []byte) ([]component, error) {
	if lock == nil {
		return nil, nil
	}
	var doc struct {
		Version  int `json:"lockfileVersion"`
		Packages map[string]struct {
			Version   string `json:"version"`
			Integrity string `json:"integrity"`
			Dev       bool   `json:"dev"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(lock, &doc); err != nil || doc.Version != 3 {
		return nil, fmt.Errorf("assess: the page's lock file is not one of version 3: %w", err)
	}
	var list []component
	for at, p := range doc.Packages {
		i := strings.LastIndex(at, "node_modules/")
		if i < 0 {
			continue // the page itself
		}
		name := at[i+len("node_modules/"):]
		c := component{Type: "library", Ref: "npm:" + at, Name: name, Version: p.Version, PURL: "pkg:npm/" + strings.ReplaceAll(url.PathEscape(name), "%2F", "/") + "@" + p.Version, Scope: "required"}
		if p.Dev {
			c.Scope = "optional"
		}
		if sum, ok := strings.CutPrefix(p.Integrity, "sha512-"); ok {
			if raw, err := base64.StdEncoding.DecodeString(sum); err == nil {
				c.Hashes = []hash{{"SHA-512", hex.EncodeToString(raw)}}
			}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return list, nil
}
