package transmit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// One item is one request, and every request has a verdict.
func Example() {
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") == `"second"` {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer listener.Close()

	t, err := transmit.New(transmit.Config{URL: listener.URL + "/api/profiling"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()

	for _, key := range []string{"first", "second"} {
		v := t.Send(context.Background(), transmit.Request{Body: []byte(`{"wall_ms":12}`), Key: key})
		fmt.Println(key, "is", v.Action, "with status", v.Status)
		if e := new(transmit.Error); errors.As(v.Err, &e) && e.Cause == transmit.NoCredentials {
			fmt.Println("the listener wants credentials")
		}
	}
	// Output:
	// first is delivered with status 200
	// second is kept with status 401
	// the listener wants credentials
}
