package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strconv"

	"github.com/BurntSushi/toml"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
)

// maxConfigFile bounds what is read of a configuration file.
const maxConfigFile = 1 << 20

// readFile reads a TOML file and returns the texts of the settings in it. The
// file belongs to all commands, so it may hold settings that this one does not
// take. The error joins all that is wrong with it.
func (c *config) readFile(path string) (map[string][]string, error) {
	document, err := decodeFile(path)
	if err != nil {
		return nil, err
	}
	keys := make([]string, 0, len(document))
	for key := range document {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	texts := make(map[string][]string)
	var problems []error
	for _, key := range keys {
		s, known := c.find(key)
		if !known || !s.inFile() {
			problems = append(problems, exit.With(exit.Config, c.unknownKey(path, key, known)))
			continue
		}
		value, err := s.fromTOML(document[key])
		if err != nil {
			problems = append(problems, s.problem(origin{path, exit.Config}, err))
			continue
		}
		texts[key] = value
	}
	return texts, errors.Join(problems...)
}

func decodeFile(path string) (map[string]any, error) {
	f, err := os.Open(path)
	if err != nil {
		code := exit.Config
		if errors.Is(err, os.ErrPermission) {
			code = exit.Permission
		}
		return nil, exit.With(code, fmt.Errorf("cannot read the configuration: %w", err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("cannot read the configuration: %w", err))
	}
	if len(text) > maxConfigFile {
		return nil, exit.With(exit.Config, fmt.Errorf("%s: larger than %s, this is no configuration file", path, size(maxConfigFile)))
	}
	var document map[string]any
	if _, err := toml.Decode(string(text), &document); err != nil {
		// The error's longer forms show whole lines, and even its message quotes
		// words that miss their quotes. Either may be a secret.
		var parse toml.ParseError
		if errors.As(err, &parse) {
			message := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(parse.Message, "(hidden)")
			return nil, exit.With(exit.Config, fmt.Errorf("%s: line %d: %s", path, parse.Position.Line, message))
		}
		return nil, exit.With(exit.Config, fmt.Errorf("%s: %w", path, err))
	}
	return document, nil
}

func (c *config) unknownKey(path, key string, flagOnly bool) error {
	if flagOnly {
		return fmt.Errorf("%s: %s can only be given on the command line", path, key)
	}
	var names []string
	for _, s := range c.table {
		if s.inFile() {
			names = append(names, s.name)
		}
	}
	if near := nearest(key, names); near != "" {
		return fmt.Errorf("%s: unknown key %q, did you mean %q?", path, key, near)
	}
	return fmt.Errorf("%s: unknown key %q", path, key)
}

// fromTOML turns a TOML value into the texts that parse reads, if its type suits
// the setting.
func (s setting) fromTOML(value any) ([]string, error) {
	if array, ok := value.([]any); ok && s.isList() {
		texts := make([]string, 0, len(array))
		for _, element := range array {
			text, ok := element.(string)
			if !ok {
				return nil, fmt.Errorf("must be an array of strings, and holds %s", kindOfTOML(element))
			}
			texts = append(texts, text)
		}
		return texts, nil
	}
	wants := s.tomlKinds()
	for _, w := range wants {
		if kind, text := scalarTOML(value); kind == w {
			return []string{text}, nil
		}
	}
	return nil, fmt.Errorf("must be %s, not %s", s.tomlWords(), kindOfTOML(value))
}

// scalarTOML returns the kind of a simple value and its text.
func scalarTOML(value any) (kind, text string) {
	switch v := value.(type) {
	case string:
		return "a string", v
	case int64:
		return "an integer", strconv.FormatInt(v, 10)
	case float64:
		return "a float", strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return "a boolean", strconv.FormatBool(v)
	}
	return "", ""
}

func kindOfTOML(value any) string {
	if kind, _ := scalarTOML(value); kind != "" {
		return kind
	}
	switch value.(type) {
	case []any, []map[string]any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
