package stream

import (
	"slices"
	"strings"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// Inspection is what the servers of a target say of themselves and of the streams that take its
// subject.
type Inspection struct {
	Servers []Server // all of the target, in its order
	Streams []Info   // that take the subject, or a part of what it can become
	Err     error    // why Streams is not known
}

// Server is one server of a target.
type Server struct {
	Address    string
	Err        error // like that of a Verdict: why it cannot be used; the rest is not known then
	Version    string
	MaxPayload int64     // of a message with its headers, in bytes
	TLS        string    // "" is none
	NotAfter   time.Time // end of its certificate; zero without TLS
	Exposed    bool      // it is sent a password or a token without TLS, over a network
}

// Info is what a stream says of itself.
type Info struct {
	Config struct {
		Name          string        `json:"name"`
		Subjects      []string      `json:"subjects"`
		Retention     string        `json:"retention"` // limits, interest, workqueue
		Storage       string        `json:"storage"`   // file, memory
		Replicas      int           `json:"num_replicas"`
		Window        time.Duration `json:"duplicate_window"`
		Discard       string        `json:"discard"` // old, new
		PerSubject    bool          `json:"discard_new_per_subject"`
		MaxPerSubject int64         `json:"max_msgs_per_subject"`
		MaxMsgs       int64         `json:"max_msgs"`
		MaxBytes      int64         `json:"max_bytes"`
		MaxAge        time.Duration `json:"max_age"`
		MaxMsgSize    int64         `json:"max_msg_size"`
		NoAck         bool          `json:"no_ack"`
		Transform     *struct{}     `json:"subject_transform"` // it stores subjects under other names
		Sealed        bool          `json:"sealed"`
		PersistMode   string        `json:"persist_mode"`
	} `json:"config"`
	State struct {
		Consumers int `json:"consumer_count"`
	} `json:"state"`
	Cluster *struct { // nil: the server is alone
		Leader   string `json:"leader"`
		Replicas []struct {
			Name    string `json:"name"`
			Offline bool   `json:"offline"`
			Current bool   `json:"current"`
		} `json:"replicas"`
	} `json:"cluster"`
}

// KnowsKeys reports whether s refuses an item that it has, for as long as it keeps it.
func (t Target) KnowsKeys(s Info) bool {
	return t.HasOwnSubjects(s) && s.Config.Discard == "new" && s.Config.PerSubject && s.Config.MaxPerSubject == 1
}

// HasOwnSubjects reports whether s stores each item under a subject of its own.
func (t Target) HasOwnSubjects(s Info) bool {
	return t.Subject.Uses("key") && s.Config.Transform == nil
}

// Takes reports whether s takes all that a subject with wildcards stands for.
func (s Info) Takes(subject string) bool {
	return slices.ContainsFunc(s.Config.Subjects, func(pattern string) bool {
		tokens := strings.Split(subject, ".")
		for i, want := range strings.Split(pattern, ".") {
			switch {
			case i == len(tokens):
				return false
			case want == ">":
				return true
			case want != "*" && want != tokens[i]:
				return false
			}
		}
		return len(tokens) == strings.Count(pattern, ".")+1
	})
}

// Pattern returns the subject, with a wildcard for each name in it.
func (t Target) Pattern() string {
	all := transmit.Request{Key: "*", Host: "*", Name: "*"}
	whole := t.Subject.With(all, func(string) string { return "*" })
	tokens := strings.Split(whole, ".")
	for i, token := range tokens {
		if strings.Contains(token, "*") { // a wildcard is a whole part
			tokens[i] = "*"
		}
	}
	return strings.Join(tokens, ".")
}
