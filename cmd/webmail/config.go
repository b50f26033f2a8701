package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// config resolves flags from a decoded file.
type config struct {
	values map[string]any
	lines  map[string]int
}

// readConfig is kong's loader for --config: what a flag or a variable says wins over the file. It decodes a mapping of flag names to scalars or lists of scalars, remembering where each stands.
func readConfig(r io.Reader) (kong.Resolver, error) {
	c := &config{values: map[string]any{}, lines: map[string]int{}}
	var doc yaml.Node
	if err := yaml.NewDecoder(r).Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return c, nil // an empty file says nothing
		}
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("must hold `name: value` lines, named like the flags")
	}
	for pairs := doc.Content[0].Content; len(pairs) > 1; pairs = pairs[2:] {
		key, value := pairs[0], pairs[1]
		if _, twice := c.values[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %q is there twice", key.Line, key.Value)
		}
		v, err := configValue(value)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", key.Line, key.Value, err)
		}
		c.values[key.Value], c.lines[key.Value] = v, key.Line
	}
	return c, nil
}

func configValue(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		items := make([]string, len(n.Content))
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("a list may hold only single values")
			}
			items[i] = item.Value
		}
		return strings.Join(items, ","), nil
	case yaml.MappingNode:
		var items []string
		for pairs := n.Content; len(pairs) > 1; pairs = pairs[2:] {
			items = append(items, pairs[0].Value+"="+pairs[1].Value)
		}
		return strings.Join(items, ";"), nil
	}
	return nil, errors.New("not a value")
}

// Validate implements kong.Resolver: a key that is no flag of any command is an error.
func (c *config) Validate(app *kong.Application) error {
	known := flagNames(app.Node)
	for key := range c.values {
		if !slices.Contains(known, key) {
			return fmt.Errorf("configuration line %d: there is no option %q; see --help", c.lines[key], key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (c *config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil // the variable wins
		}
	}
	if v, ok := c.values[flag.Name]; ok {
		return v, nil
	}
	return nil, nil
}

func flagNames(n *kong.Node) []string {
	var names []string
	for _, f := range n.Flags {
		names = append(names, f.Name)
	}
	for _, child := range n.Children {
		names = append(names, flagNames(child)...)
	}
	return names
}
