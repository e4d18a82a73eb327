package transmit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxBulkAnswer is how much is read of the answer to a batch. Bulk interfaces say near the
// beginning whether all went well, and list the items after that.
const maxBulkAnswer = 64 << 10

// saysErrors reports whether the body of a 2xx answer to a batch says that some items were not
// taken. Bulk interfaces answer so: a JSON object in which "errors" is true, or counts, lists or
// words any. An object that breaks off may have been about to say so. Anything else says nothing,
// as does what stands behind the first maxBulkAnswer bytes: the status decides then.
func saysErrors(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	if first, _ := d.Token(); first != json.Delim('{') {
		return false
	}
	brokeOff := func(err error) bool {
		return len(body) < maxBulkAnswer && (err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF))
	}
	for {
		key, err := d.Token()
		if err != nil {
			return brokeOff(err)
		}
		if key == json.Delim('}') {
			return false
		}
		var value json.RawMessage
		if key == "errors" {
			// The value is a token, or begins with one: a list need not be read to its end.
			token, err := d.Token()
			if err != nil {
				return brokeOff(err)
			}
			switch token {
			case nil, false, 0.0, "":
				return false
			case json.Delim('['), json.Delim('{'):
				if !d.More() {
					_, err = d.Token() // its end
					return err != nil && brokeOff(err)
				}
			}
			return true
		}
		if err := d.Decode(&value); err != nil {
			return brokeOff(err)
		}
	}
}
