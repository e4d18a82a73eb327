package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// controlPrefix begins the paths that steer the listener while it runs. They need no token, are not
// counted and take no step from the script.
const controlPrefix = "/_control/"

// control answers a request to the control endpoint.
func (s *server) control(method string, u *url.URL, body []byte) step {
	switch what := strings.TrimPrefix(u.Path, controlPrefix); {
	case what == "stats" && method == http.MethodGet:
		return jsonAnswer(s.stats.snapshot())
	case what == "reset" && method == http.MethodPost:
		s.stats.reset()
		return jsonAnswer(s.stats.snapshot())
	case what == "script" && method == http.MethodGet:
		return textAnswer(http.StatusOK, s.player.rest().String())
	case what == "script" && (method == http.MethodPut || method == http.MethodPost):
		return s.newScript(u.Query(), strings.TrimRight(string(body), "\r\n"))
	case what == "stats" || what == "reset" || what == "script":
		return textAnswer(http.StatusMethodNotAllowed, method+" is not for "+u.Path)
	}
	return textAnswer(http.StatusNotFound, "there are "+controlPrefix+"stats (GET), "+
		controlPrefix+"script (GET, PUT) and "+controlPrefix+"reset (POST)")
}

// newScript replaces the script; ?loop=true or ?loop=false changes what happens at its end.
func (s *server) newScript(query url.Values, text string) step {
	steps, err := parseScript(text)
	if err != nil {
		return textAnswer(http.StatusBadRequest, err.Error())
	}
	var loop *bool
	if query.Has("loop") {
		wanted, err := strconv.ParseBool(query.Get("loop"))
		if err != nil {
			return textAnswer(http.StatusBadRequest, "loop is neither true nor false: "+strconv.Quote(query.Get("loop")))
		}
		loop = &wanted
	}
	s.player.replace(steps, loop)
	return textAnswer(http.StatusOK, steps.String())
}

func textAnswer(status int, text string) step {
	text += "\n"
	s := answerWith(status)
	s.body, s.headers = &text, []header{{"Content-Type", "text/plain; charset=utf-8"}}
	return s
}

func jsonAnswer(value any) step {
	text := string(indented(value))
	s := answerWith(http.StatusOK)
	s.body = &text
	return s
}

// indented is for the structs of this command, which always marshal.
func indented(value any) []byte {
	text, _ := json.MarshalIndent(value, "", "  ")
	return append(text, '\n')
}
