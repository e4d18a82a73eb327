// Package exit holds the program's exit codes: what each means, which one wins when several apply,
// and which one an error stands for.
//
// An error gets its code where the program knows what the error means for a person (With). An error
// without one is judged by its cause (Of).
package exit

// Code is an exit code of the process: sysexits.h, with the shell's 128+n for signals.
type Code int

const (
	OK         Code = 0
	Usage      Code = 64
	Rejected   Code = 65
	Left       Code = 69
	SpoolFull  Code = 73
	IO         Code = 74
	Busy       Code = 75
	Permission Code = 77
	Config     Code = 78
	Hangup     Code = 129
	Interrupt  Code = 130
	Terminated Code = 143
)

// Meaning is one row of the table that help, documentation and tests share.
type Meaning struct {
	Code Code
	Name string // sysexits.h's name, or the signal's
	Text string
}

// Meanings returns every exit code in numeric order.
func Meanings() []Meaning {
	return []Meaning{
		{OK, "EX_OK", "drained, or nothing to do"},
		{Usage, "EX_USAGE", "wrong flags or arguments"},
		{Rejected, "EX_DATAERR", "payloads were rejected or expired, or put refused one"},
		{Left, "EX_UNAVAILABLE", "items remain in the spool: the listener is failing or the breaker is open"},
		{SpoolFull, "EX_CANTCREAT", "put: the spool or its disk is full"},
		{IO, "EX_IOERR", "local I/O error"},
		{Busy, "EX_TEMPFAIL", "another run holds the lock, or a limit ended the run with items left"},
		{Permission, "EX_NOPERM", "permission denied"},
		{Config, "EX_CONFIG", "wrong configuration"},
		{Hangup, "SIGHUP", "ended by SIGHUP"},
		{Interrupt, "SIGINT", "ended by SIGINT"},
		{Terminated, "SIGTERM", "ended by SIGTERM"},
	}
}

// Words returns what a code means, or "" for one that is not in the table.
func Words(code Code) string {
	for _, m := range Meanings() {
		if m.Code == code {
			return m.Text
		}
	}
	return ""
}

// ranks orders the codes by who is needed: the first that applies wins.
//
// First comes what no later run can heal, so that somebody has to change something: the
// configuration, the permissions, the command line. Then the disk, which threatens every payload
// and may heal. Then a full spool, where a producer loses data now. Then rejected payloads: they
// are safe, but nobody comes back to them unless told. A signal stands below all of these, because
// a broken disk stays a broken disk when systemd stops the unit. It stands above the temporary
// conditions, because its sender knows already that the run did not finish and asks for exactly
// that code. Last comes what the next run heals by itself. There a failing listener goes before a
// limit or a lock, because it may stay and because somebody is responsible for it.
func ranks() []Code {
	return []Code{
		Config, Permission, Usage, IO, SpoolFull, Rejected,
		Terminated, Interrupt, Hangup, Left, Busy, OK,
	}
}

// Worst returns the code that needs a person most; OK without any.
func Worst(codes ...Code) Code {
	for _, ranked := range ranks() {
		for _, c := range codes {
			if c == ranked {
				return c
			}
		}
	}
	return OK
}
