package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/bitville-apm/spoolfwd/spool/transmit/jetstream/stream"
)

// good is a stream of which there is nothing to warn.
func good() stream.Info {
	var s stream.Info
	s.Config.Name, s.Config.Subjects = "ORDERS", []string{"ORDERS.>"}
	s.Config.Storage, s.Config.Replicas, s.Config.Window = "file", 3, 24*time.Hour
	s.Config.Discard, s.Config.MaxBytes, s.Config.MaxMsgSize = "old", 10<<30, -1
	s.Config.Retention = "limits"
	return s
}

func TestAStreamIsJudgedByWhatItsAcknowledgementIsWorth(t *testing.T) {
	for _, test := range []struct {
		name, subject string
		change        func(s *stream.Info)
		level, says   string // "" is neither a warning nor a failure
		mend          string
	}{
		{"a good one", "ORDERS.new", func(*stream.Info) {}, "", "", ""},
		{"one replica", "ORDERS.new", func(s *stream.Info) { s.Config.Replicas = 1 }, "warn", "with 1 replica", "nats stream edit ORDERS --replicas=3"},
		{"memory", "ORDERS.new", func(s *stream.Info) { s.Config.Storage = "memory" }, "warn", "in memory only", "--storage=file"},
		{"a short window", "ORDERS.new", func(s *stream.Info) { s.Config.Window = 2 * time.Minute }, "warn", "stored twice", "nats stream edit ORDERS --dupe-window=24h"},
		{"a short window that is not needed", "ORDERS.{key}", func(s *stream.Info) {
			s.Config.Window, s.Config.Discard, s.Config.PerSubject, s.Config.MaxPerSubject = 0, "new", true, 1
		}, "", "", ""},
		{"no acknowledgements", "ORDERS.new", func(s *stream.Info) { s.Config.NoAck = true }, "fail", "acknowledges nothing", "nats stream edit ORDERS --ack"},
		{"sealed", "ORDERS.new", func(s *stream.Info) { s.Config.Sealed = true }, "fail", "sealed", ""},
		{"acknowledged before it is written", "ORDERS.new", func(s *stream.Info) { s.Config.PersistMode = "async" }, "warn", "before it writes", ""},
		{"interest without a consumer", "ORDERS.new", func(s *stream.Info) { s.Config.Retention = "interest" }, "fail", "drops what comes", "nats consumer add ORDERS"},
		{"a work queue", "ORDERS.new", func(s *stream.Info) { s.Config.Retention = "workqueue" }, "warn", "removes what was read", "--retention=limits"},
		{"interest with a consumer", "ORDERS.new", func(s *stream.Info) { s.Config.Retention, s.State.Consumers = "interest", 1 }, "warn", "removes what was read", "--retention=limits"},
		{"one message of each subject", "ORDERS.{host}", func(s *stream.Info) { s.Config.MaxPerSubject = 1 }, "warn", "keeps only the newest 1 message of each subject", "--max-msgs-per-subject=-1"},
		{"one message of each subject, which is an item's", "ORDERS.{key}", func(s *stream.Info) { s.Config.MaxPerSubject = 1 }, "", "", ""},
		{"keys that are not stored", "ORDERS.{key}", func(s *stream.Info) {
			s.Config.Window, s.Config.Discard, s.Config.PerSubject, s.Config.MaxPerSubject = 0, "new", true, 1
			s.Config.Transform = &struct{}{}
		}, "warn", "stored twice", "--dupe-window"},
		{"small messages", "ORDERS.new", func(s *stream.Info) { s.Config.MaxMsgSize = 1000 }, "warn", "rejected", "--max-msg-size"},
		{"a part of the subjects", "ORDERS.{host}", func(s *stream.Info) { s.Config.Subjects = []string{"ORDERS.a"} }, "warn", "takes only a part of ORDERS.*", "--subjects"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr, err := stream.Parse("nats://a/" + test.subject)
			if err != nil {
				t.Fatal(err)
			}
			s := good()
			test.change(&s)
			d := doctor{Config: Config{MaxFileSize: 1 << 20, Hint: func(error) string { return "" }}}
			d.stream(tr, s)
			var bad []Finding
			for _, f := range d.findings {
				if f.Level != "ok" {
					bad = append(bad, f)
				}
			}
			switch {
			case test.level == "" && len(bad) > 0:
				t.Errorf("it finds %+v, want nothing", bad)
			case test.level == "":
			case len(bad) != 1 || bad[0].Level != test.level || !strings.Contains(bad[0].Text, test.says) || !strings.Contains(bad[0].Mend, test.mend):
				t.Errorf("it finds %+v, want one %s that says %q and how to mend it: %q", bad, test.level, test.says, test.mend)
			}
		})
	}
}

func TestWhatAStreamDoesWhenItIsFullIsSaid(t *testing.T) {
	s := good()
	if got := fullOf(s); got != "drops the oldest above 10.0 GiB" {
		t.Errorf("it says %q", got)
	}
	s.Config.Retention = "interest"
	if got := fullOf(s); got != "drops the oldest above 10.0 GiB, keeps only what a consumer still waits for" {
		t.Errorf("it says %q", got)
	}
	s.Config.Retention, s.Config.MaxPerSubject = "limits", 2
	if got := fullOf(s); got != "drops the oldest above 10.0 GiB or 2 messages of each subject" {
		t.Errorf("it says %q", got)
	}
	s.Config.Discard, s.Config.MaxMsgs, s.Config.MaxAge = "new", 5, 48*time.Hour
	if got := fullOf(s); !strings.HasPrefix(got, "refuses more than 5 messages or 10.0 GiB, drops after ") {
		t.Errorf("it says %q", got)
	}
}
