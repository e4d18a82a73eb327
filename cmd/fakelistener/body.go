package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// payload is the body of a request.
type payload struct {
	raw     []byte // as sent; valid until the next request of the connection
	size    int64  // of raw, also where raw was too large to keep
	decoded []byte // without its Content-Encoding; raw where that cannot be undone
	err     error  // why it could not: errEncoding or a broken stream
}

var errEncoding = errors.New("unknown Content-Encoding")

// readBody reads the body of req to its end, whatever its size, so that the client is done writing
// before it is answered. More than limit bytes are counted and not kept. An error means that the
// client cut it off.
func (c *conn) readBody(req *http.Request, limit int64) (payload, error) {
	if req.ContentLength > limit {
		_, err := io.Copy(io.Discard, req.Body)
		return payload{size: req.ContentLength}, err
	}
	if n := int(req.ContentLength); n >= 0 {
		if cap(c.body) < n {
			c.body = make([]byte, n)
		}
		raw := c.body[:n]
		// Not through req.Body, which locks and looks for trailers.
		_, err := io.ReadFull(c.in, raw)
		return payload{raw: raw, size: int64(n), decoded: raw}, err
	}
	raw, err := io.ReadAll(io.LimitReader(req.Body, limit+1))
	if err != nil {
		return payload{}, err
	}
	rest, err := io.Copy(io.Discard, req.Body)
	size := int64(len(raw)) + rest
	if size > limit {
		return payload{size: size}, err
	}
	return payload{raw: raw, size: size, decoded: raw}, err
}

// decoder undoes a Content-Encoding, up to limit bytes. Safe for concurrent use.
type decoder struct {
	limit int64
	gzip  sync.Pool // of *gzip.Reader
	zstd  *zstd.Decoder
}

func newDecoder(limit int64) (*decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(uint64(limit)))
	return &decoder{limit: limit, zstd: z}, err
}

func (d *decoder) close() { d.zstd.Close() }

func (d *decoder) decode(p *payload, encoding string) {
	var decoded []byte
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return
	case "gzip", "x-gzip":
		decoded, p.err = d.gunzip(p.raw)
	case "zstd":
		decoded, p.err = d.zstd.DecodeAll(p.raw, nil)
	default:
		p.err = errEncoding
	}
	if p.err == nil {
		p.decoded = decoded
	}
}

func (d *decoder) gunzip(raw []byte) ([]byte, error) {
	r, pooled := d.gzip.Get().(*gzip.Reader)
	if !pooled {
		r = new(gzip.Reader)
	}
	defer d.gzip.Put(r)
	if err := r.Reset(bytes.NewReader(raw)); err != nil {
		return nil, err
	}
	decoded, err := io.ReadAll(io.LimitReader(r, d.limit+1))
	if err == nil && int64(len(decoded)) > d.limit {
		err = fmt.Errorf("more than %d bytes when decompressed", d.limit)
	}
	return decoded, err
}

// isObject reports whether body is one JSON object and nothing else.
func isObject(body []byte) bool {
	trimmed := bytes.TrimSpace(body)
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed)
}
