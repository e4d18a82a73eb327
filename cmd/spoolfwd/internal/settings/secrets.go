package settings

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// SecretFiles returns the files that hold secrets: those that settings name, and the configuration
// file when a header or the URL in it looks like a secret.
func (s *Settings) SecretFiles() []string {
	files := []string{s.Listener.TokenFile, s.Listener.KeyFile, s.CredsFile}
	secretHeader := regexp.MustCompile(`(?i)^[^:]*(auth|key|token|secret|cookie|password)`)
	for _, header := range s.Listener.Headers {
		if path, isFile := strings.CutPrefix(header, "@"); isFile {
			files = append(files, path)
		} else if secretHeader.MatchString(header) && s.find("header").source.Where == s.Config {
			files = append(files, s.Config)
		}
	}
	// Several servers of NATS are not a URL that package url knows, and all have the same user.
	first, _, _ := strings.Cut(s.Listener.URL, ",")
	if u, err := url.Parse(first); err == nil && u.User != nil && s.find("url").source.Where == s.Config {
		files = append(files, s.Config)
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(path string) bool { return path == "" })
}
