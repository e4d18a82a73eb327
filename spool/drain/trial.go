package drain

import (
	"github.com/bitville-apm/spoolfwd/spool"
	"github.com/bitville-apm/spoolfwd/spool/transmit"
)

// TrialRequest makes the request that a run would make of items of one payload file, in the same
// format, for a diagnosis of the listener. The items are in no spool: name stands for the host and
// for the payload file.
func TrialRequest(cfg Config, name string, items ...spool.Item) transmit.Request {
	cfg = cfg.withDefaults()
	w := &worker{r: &run{cfg: cfg, envelope: newEnvelope(name, "", cfg.EventType)}}
	f := &file{payload: &spool.Payload{Entry: spool.Entry{Name: name, ModTime: cfg.Now().UnixNano()}, Items: items}}
	all := make([]delivery, len(items))
	for i := range all {
		all[i] = delivery{file: f, index: i}
	}
	request := w.request(all)
	request.Host = name
	return request
}
