package transmit

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// Bulk interfaces answer 2xx when they took some items of a batch and not others. Items must not be
// removed on the strength of such an answer.
func TestABatchTakenInPartIsNotDelivered(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"status":201},`, maxBulkAnswer/10)
	var answer atomic.Value
	l := listen(t, nil, func(c net.Conn, _ int) {
		for br := bufio.NewReader(c); readRequest(br) == nil; {
			fmt.Fprint(c, answer.Load())
		}
	})
	standard := newTransmitter(t, Config{URL: l.url()})
	allows207 := newTransmitter(t, Config{URL: l.url(), OnStatus: []string{"207=delivered"}})
	for _, tt := range []struct {
		name, status, body string
		tr                 *Transmitter
		taken              bool // of a batch
	}{
		{"207 Multi-Status", "207 Multi-Status", "", standard, false},
		{"207 with a body", "207 Multi-Status", `{"errors":false}`, standard, false},
		{"207 that the operator allows", "207 Multi-Status", "", allows207, true},
		{"207 that the operator allows, and errors", "207 Multi-Status", `{"errors":true}`, allows207, false},
		{"errors: true", "200 OK", `{"errors":true}`, standard, false},
		{"errors: true as Elasticsearch 7 writes it", "200 OK", `{"took":30,"errors":true,"items":[` + long + `{}]}`, standard, false},
		{"errors: true behind the items", "200 OK", ` { "items" : [ {"a":{"b":[1]}} ] , "errors" : true }`, standard, false},
		{"a list of errors", "201 Created", `{"errors":[{"index":3}]}`, standard, false},
		{"an object that breaks off in the list", "200 OK", `{"errors":[`, standard, false},
		{"errors by item", "200 OK", `{"errors":{"3":"no time"}}`, standard, false},
		{"a number of errors", "200 OK", `{"errors":2}`, standard, false},
		{"errors in words", "200 OK", `{"errors":"item 3 has no time"}`, standard, false},
		{"no errors by item", "200 OK", `{"errors":{}}`, standard, true},
		{"zero errors", "200 OK", `{"errors":0}`, standard, true},
		{"errors: no words", "200 OK", `{"errors":""}`, standard, true},
		{"an object that breaks off", "200 OK", `{"took":30,"err`, standard, false},
		{"an object that breaks off before the value", "200 OK", `{"errors":`, standard, false},
		{"errors: false", "200 OK", `{"took":30,"errors":false,"items":[]}`, standard, true},
		{"errors: false and a long list of items", "200 OK", `{"errors":false,"items":[` + long + `{}]}`, standard, true},
		{"an empty list of errors", "200 OK", `{"errors":[]}`, standard, true},
		{"errors: null", "200 OK", `{"errors":null}`, standard, true},
		{"errors of an item", "200 OK", `{"items":[{"errors":true}]}`, standard, true},
		{"an array", "200 OK", `["errors",true]`, standard, true},
		{"text", "200 OK", `"errors": true`, standard, true},
		{"an object longer than is read", "200 OK", `{"items":[` + long + `{}],"errors":true}`, standard, true},
		{"no body", "204 No Content", "", standard, true},
	} {
		answer.Store(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", tt.status, len(tt.body), tt.body))
		v := tt.tr.Send(context.Background(), Request{Body: []byte("{}\n{}\n"), Key: "key", Batch: true})
		want := Kept
		if tt.taken {
			want = Delivered
		}
		if v.Action != want || v.Partly == tt.taken || (v.Err == nil) != tt.taken || len(v.Excerpt) > maxExcerpt {
			t.Errorf("%s: %v, partly %t, %v", tt.name, v.Action, v.Partly, v.Err)
		}
		if !tt.taken && v.Err.(*Error).Cause != PartlyTaken {
			t.Errorf("%s: the cause is %v", tt.name, v.Err.(*Error).Cause)
		}
		// The rule for a single item stays: its 2xx delivers it.
		if v := send(tt.tr, "{}"); v.Action != Delivered || v.Partly {
			t.Errorf("%s to a single item: %v", tt.name, v.Action)
		}
	}
}

func TestAnAnswerToABatchThatTheConnectionCutsOffIsNotTrusted(t *testing.T) {
	t.Parallel()
	l := listen(t, nil, func(c net.Conn, _ int) {
		readRequest(bufio.NewReader(c))
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"took\":3")
	})
	v := newTransmitter(t, Config{URL: l.url()}).Send(context.Background(), Request{Key: "key", Batch: true})
	if v.Action != Kept || !v.Partly {
		t.Errorf("%v, partly %t", v.Action, v.Partly)
	}
}
