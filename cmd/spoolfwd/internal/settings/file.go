package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/bitville-apm/spoolfwd/cmd/spoolfwd/internal/exit"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// maxFileSize bounds what is read of a configuration file.
const maxFileSize = 1 << 20

// readFile reads a TOML file and returns the texts of the settings in it. All commands share the
// file, so it may hold settings that this command does not take. The error joins every problem.
// Without a path there is nothing to read.
func (s *Settings) readFile(path string) (map[string][]string, error) {
	if path == "" {
		return nil, nil
	}
	document, err := s.decodeFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, exit.With(exit.Permission, err)
	}
	texts := make(map[string][]string)
	problems := []error{err}
	for _, key := range slices.Sorted(maps.Keys(document)) {
		t := s.find(key)
		switch {
		case t != nil && t.Name == key && !t.InFile():
			err = fmt.Errorf("%s: %s can only be given on the command line", path, key)
		case isSection(document[key]):
			err = fmt.Errorf("%s: [%s] is a section, and this file has none: write its keys at the top, without it", path, key)
		case t == nil || t.Name != key: // "v" is a flag, and not a key
			err = fmt.Errorf("%s: %w", path, unknown("key", key, s.names((*Setting).InFile), strconv.Quote))
		default:
			if texts[key], err = fromTOML(t.kind, document[key]); err != nil {
				err = fmt.Errorf("%s: %s: %w", path, key, err)
			}
		}
		problems = append(problems, err)
	}
	return texts, exit.With(exit.Config, errors.Join(problems...))
}

func (s *Settings) decodeFile(path string) (map[string]any, error) {
	text, err := transmit.ReadSmall(path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the mark that Windows' editors put in front
	var document map[string]any
	if err := toml.Unmarshal(text, &document); err != nil {
		var wrong *toml.DecodeError
		if !errors.As(err, &wrong) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, column := wrong.Position()
		return nil, fmt.Errorf("%s: line %d: %s", path, line, s.explain(wrong, bytes.Split(text, []byte("\n"))[line-1], column))
	}
	return document, nil
}

// explain says what is wrong with a line. The error's longer form shows whole lines, and even its
// message quotes numbers and the first character of words that miss their quotes. All of it may be
// a secret. Where the value is wrong, its key and what the key takes say more.
func (s *Settings) explain(wrong *toml.DecodeError, line []byte, column int) string {
	key, value, found := bytes.Cut(line, []byte("="))
	t := s.find(string(bytes.TrimSpace(key)))
	if found && t != nil && t.InFile() && column > len(line)-len(value) {
		return fmt.Sprintf("%s must be %s", t.Name, t.file)
	}
	message := regexp.MustCompile(`"[^"]*"|U\+\w+( '.')?`).ReplaceAllString(wrong.Error(), "(hidden)")
	return strings.TrimPrefix(message, "toml: ")
}

// isSection reports whether a value is what stands below a [name] or [[name]].
func isSection(value any) bool {
	if array, ok := value.([]any); ok && len(array) > 0 {
		value = array[0]
	}
	return typeOfTOML(value) == "a table"
}

// fromTOML turns a TOML value into the texts that a value reads, if its type suits the kind.
func fromTOML(k kind, value any) ([]string, error) {
	if array, ok := value.([]any); ok && k.isList() {
		texts := make([]string, 0, len(array))
		for _, element := range array {
			text, ok := element.(string)
			if !ok {
				return nil, fmt.Errorf("must be an array of strings, and holds %s", typeOfTOML(element))
			}
			texts = append(texts, text)
		}
		return texts, nil
	}
	if !slices.Contains(k.types, typeOfTOML(value)) {
		return nil, fmt.Errorf("must be %s, not %s", k.file, typeOfTOML(value))
	}
	if f, ok := value.(float64); ok { // without an exponent, which is not a decimal number
		return []string{strconv.FormatFloat(f, 'f', -1, 64)}, nil
	}
	return []string{fmt.Sprint(value)}, nil
}

func typeOfTOML(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case []any, []map[string]any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
