package breaker

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/bitville-apm/spoolfwd/breaker/statefile"
)

// Anomaly says that the state file could not be used and that the breaker began closed instead. It
// is one sentence for one warning, never a reason to stop. Who only looks does not know the state.
type Anomaly struct {
	Path      string // the state file
	Cause     error  // why the file cannot be used
	KeptAs    string // where the bad file is now; "" when it was left in place
	KeepError error  // why it could not be moved there
	Peeked    bool   // by Peek: the file is where it was
}

func (a *Anomaly) Error() string {
	text := fmt.Sprintf("breaker state %s: %v", a.Path, a.Cause)
	if !a.Peeked {
		text += ": taken as closed"
	}
	switch {
	case a.KeptAs != "":
		text += ", the bad file is kept as " + a.KeptAs
	case a.KeepError != nil:
		text += fmt.Sprintf(", and the bad file cannot be set aside: %v", a.KeepError)
	}
	return text
}

// Unwrap returns the cause, so that errors.Is finds fs.ErrPermission and the like.
func (a *Anomaly) Unwrap() error { return a.Cause }

// load reads the state file. An absent file is a closed breaker and not an error.
func load(file statefile.File) (snapshot, unknownKeys, *Anomaly) {
	data, err := file.Read()
	if errors.Is(err, fs.ErrNotExist) {
		return snapshot{}, nil, nil
	}
	var s snapshot
	var unknown unknownKeys
	if err == nil {
		s, unknown, err = decode(data)
	}
	if err != nil {
		return snapshot{}, nil, &Anomaly{Path: file.Path, Cause: err}
	}
	return s, unknown, nil
}
