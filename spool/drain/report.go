package drain

import (
	"slices"

	"github.com/bitville-apm/spoolfwd/spool"
)

// Stop says why a run ended.
type Stop int

// Reasons for a run's end.
const (
	Drained     Stop = iota // everything that can be sent was
	BreakerOpen             // the breaker opened, or was open
	Limit                   // MaxItems, MaxBytes or the context's deadline
	Cancelled               // the context was cancelled: a signal
	LocalError              // this machine failed; see Report.LocalErrors
)

func (s Stop) String() string {
	return [...]string{"drained", "breaker open", "limit", "cancelled", "fault"}[s]
}

// A Report is what became of a run's items and files. While the run lasts, the run's lock guards
// it.
type Report struct {
	Stop Stop

	Requests       int   // sent to the listener
	Delivered      int   // items with a 2xx
	DeliveredBytes int64 // their bytes
	Failed         int   // items that failed and are kept
	WebPages       int   // of those delivered: by an answer that is a web page and perhaps not the listener's
	Rejected       int   // payloads moved to rejected/; Rejections names the first of them
	LateResults    int   // results that came in after the breaker had opened

	Files   int // payload files found at the beginning
	Removed int // payload files removed, all of their items delivered
	// Left is the number of payload files that are still in the spool; -1 means some, not counted.
	Left       int
	LeftBytes  int64
	Unfinished int         // of those left: their producers may still be writing them
	Expired    Expired     // payload files that the bounds of the spool left no room for
	Oldest     spool.Entry // the oldest payload file at the beginning
	Vanished   int         // payload files that somebody else took away
	Changed    int         // payload files that changed while they were sent, and stayed

	Skipped      spool.Skips // entries that cannot be sent and were left alone
	NewlySkipped int         // those of them that the index did not know from earlier runs

	Rejections []Rejection
	Statuses   map[int]int // answers by HTTP status; 0 counts those that never came
	Errors     []ErrorCount
	// LastFailure is the last request that failed; nil: none did.
	LastFailure *Failure
	// LocalErrors are this machine's own: files that could not be read, removed or rewritten, or an
	// index that could not be saved.
	LocalErrors []error
}

// An ErrorCount is one distinct failure and how often it happened.
type ErrorCount struct {
	Error  error
	Status int // of the answer; 0 when there was none
	Count  int
}

// A Failure is one item that was not delivered.
type Failure struct {
	Name  string // of its payload file
	Item  int    // its number in an array file, from 1; 0 for a whole file
	Error error
}

func failureOf(d delivery, err error) *Failure {
	f := &Failure{Name: d.payload().Name, Error: err}
	if d.payload().Array {
		f.Item = d.index + 1
	}
	return f
}

// A Rejection is one payload that was moved to rejected/, and why.
type Rejection struct {
	Name     string // of its payload file
	Item     int    // its number in an array file, from 1; 0 for a whole file
	Attempts int    // 0: it was never sent
	Status   int    // of the last answer; 0 when there was none
	Answer   string // its beginning, as it came but for secrets
	Why      string // what is wrong with one that was never sent: "is not valid JSON"
}

// maxNamed is how many rejected payloads a report names; a spool full of them is a number.
const maxNamed = 5

// Expired is how many payload files were moved to rejected/ because of [Config.MaxAge],
// [Config.MaxSpoolBytes] or [Config.MaxSpoolFiles].
type Expired struct {
	Files int
	Bytes int64
	Names []string // of the first few
}

func (x *Expired) add(p *spool.Payload) {
	x.Files++
	x.Bytes += p.Size
	if len(x.Names) < maxNamed {
		x.Names = append(x.Names, p.Name)
	}
}

func (r *Report) addRejectedLocked(rejected Rejection) {
	r.Rejected++
	if len(r.Rejections) < maxNamed {
		r.Rejections = append(r.Rejections, rejected)
	}
}

// maxDistinct bounds how many errors a report holds, in case every one of a million is different.
const maxDistinct = 50

func (r *Report) addErrorLocked(err error, status int) {
	if err == nil {
		return
	}
	for i := range r.Errors {
		if e := &r.Errors[i]; e.Status == status && e.Error.Error() == err.Error() {
			e.Count++
			return
		}
	}
	if len(r.Errors) < maxDistinct {
		r.Errors = append(r.Errors, ErrorCount{Error: err, Status: status, Count: 1})
		return
	}
	r.Errors[maxDistinct-1].Count++
}

func (r *Report) addLocalErrorLocked(err error) {
	isSame := func(other error) bool { return other.Error() == err.Error() }
	if err != nil && len(r.LocalErrors) < maxDistinct && !slices.ContainsFunc(r.LocalErrors, isSame) {
		r.LocalErrors = append(r.LocalErrors, err)
	}
}

// removeFailedLocked takes an item out of those that failed and are kept: it is sent again or was
// rejected.
func (r *Report) removeFailedLocked() { r.Failed-- }

// removeLeftLocked takes a file out of what is left: it is gone, or is not a payload file that can
// be sent.
func (r *Report) removeLeftLocked(p *spool.Payload) {
	if r.Left > 0 {
		r.Left--
		r.LeftBytes -= p.Size
	}
}
