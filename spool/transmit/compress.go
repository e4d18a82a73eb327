package transmit

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressor encodes bodies, at the fastest level of either format.
//
// Measured on one core of an AMD EPYC in November 2026, with what a profiler writes as JSON (BenchmarkCompress): 1 KiB shrinks
// to a third in 7 to 11 us with either; 16 KiB to a fifth (gzip) or a sixth (zstd) in about 45 us; 1 MiB likewise in 3 ms.
// A whole exchange over loopback takes about 25 us, so compression does not pay there, and for single small items only where
// bytes are dear. Nor is a body sent as it stands where that would be shorter: what a listener gets does not change
// from one item to the next.
//
// Its encoders and buffers are used again; they are made when the first body comes.
type compressor struct {
	name    string
	buffers sync.Pool // *bytes.Buffer
	gzips   sync.Pool // *gzip.Writer
	zstd    *zstd.Encoder
}

func newCompressor(name string) (*compressor, error) {
	z := &compressor{name: name}
	z.buffers.New = func() any { return new(bytes.Buffer) }
	switch name {
	case "":
		return nil, nil
	case "gzip":
		z.gzips.New = func() any {
			w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one that exists
			return w
		}
	case "zstd":
		var err error
		z.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
	default:
		return nil, fmt.Errorf("compression \"%s\" is not gzip or zstd", shortened(name, 20))
	}
	return z, nil
}

// encode returns body encoded, for release once it is sent. Writing to memory cannot fail.
func (z *compressor) encode(body []byte) *bytes.Buffer {
	buffer := z.buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	if z.zstd != nil {
		buffer.Write(z.zstd.EncodeAll(body, buffer.AvailableBuffer()))
		return buffer
	}
	w := z.gzips.Get().(*gzip.Writer)
	w.Reset(buffer)
	w.Write(body)
	w.Close()
	z.gzips.Put(w)
	return buffer
}

func (z *compressor) release(buffer *bytes.Buffer) { z.buffers.Put(buffer) }
