package breaker

import (
	"errors"
	"fmt"
	"io/fs"
)

// Anomaly says that the state file could not be used and that the breaker began closed instead. It is one sentence for one
// warning, never a reason to stop.
type Anomaly struct {
	Path      string // the state file
	Cause     error  // what is wrong with it
	KeptAs    string // where the bad file is now; "" when it was left in place
	KeepError error  // why it could not be moved there
}

func (a *Anomaly) Error() string {
	text := fmt.Sprintf("breaker state %s: %v: taken as closed", a.Path, a.Cause)
	switch {
	case a.KeptAs != "":
		text += ", the bad file is kept as " + a.KeptAs
	case a.KeepError != nil:
		text += fmt.Sprintf(", and the bad file cannot be set aside: %v", a.KeepError)
	}
	return text
}

// Unwrap gives the cause, so that errors.Is finds fs.ErrPermission and the like.
func (a *Anomaly) Unwrap() error { return a.Cause }

// read loads the state file. An absent file is a closed breaker and no error.
func (b *Breaker) read() (memory, otherKeys, error) {
	data, err := b.file.Read()
	if errors.Is(err, fs.ErrNotExist) {
		return memory{}, nil, nil
	}
	if err != nil {
		return memory{}, nil, err
	}
	return decode(data)
}
