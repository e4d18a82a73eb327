package main

import "github.com/urfave/cli/v2"

const description = `Prints its URL on one line of stdout when it is ready, then answers POST and
PUT requests on every path with the steps of --script, one step per request.
After the last step it goes on with that step, or begins again with --loop.

A script is a list of steps with commas between them:

   200x10        a status from 100 to 599; xN serves N requests
   hang          read the request, then stay silent until the client leaves
   hang:2s       the same, and close the connection after 2 s
   reset         end the connection with a TCP reset
   close         close the connection without an answer
   partial       write half of a 200, then close the connection

Options follow a colon, with semicolons between them:

   429:retry-after=3            any text; @30s is a date 30 s after Date
   302:/elsewhere               the Location header, also location=URL
   503:header=NAME=VALUE        any other header, can be repeated
   400:body=TEXT                instead of {"status":400}
   200:delay=250ms              wait first (every step takes this one)
   200:date=-1h                 a Date header that is off

In an option, write \, \; and \\ for a comma, semicolon or backslash.

While it runs:

   curl URL/_control/stats                      the counts, as JSON
   curl -T - URL/_control/script <<< 500x3,200  a new script (?loop=true)
   curl URL/_control/script                     what is left of it
   curl -X POST URL/_control/reset              all counts to zero

where URL has no path. These requests are not counted and need no token.

SIGTERM and SIGINT let the requests in flight end. Exit codes: 0 ended as
told; 64 wrong usage; 74 an address, file or directory cannot be used.

Examples:

   fakelistener --script 200x40,500 --schema
   fakelistener --listen 127.0.0.1:0 --address-file addr --stats-file stats.json
   fakelistener --match '"id":7=500' --record ./seen
   fakelistener --script 503x5:retry-after=3,reset,hang:2s,200 --max-requests 20`

func flags(matches *rules) []cli.Flag {
	size := sizeValue(64 << 20)
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8080", Usage: "listen on `ADDR`; port 0 takes a free one"},
		&cli.StringFlag{Name: "unix-socket", Usage: "listen on the Unix socket `PATH` too"},
		&cli.StringFlag{Name: "address-file", Usage: "write the URL into `FILE` as well, removed at the end"},
		&cli.StringFlag{Name: "script", Value: "200", Usage: "answer with these `STEPS`"},
		&cli.BoolFlag{Name: "loop", Usage: "begin the script again after its last step", DisableDefaultText: true},
		&cli.GenericFlag{Name: "match", Value: matches, Usage: "as `PATTERN=STEP`: a body that holds PATTERN (* = anything) always gets STEP and takes none from the script; can be repeated"},
		&cli.GenericFlag{Name: "latency", Value: new(durationValue), Usage: "wait for `D` before every step", DefaultText: "none"},
		&cli.BoolFlag{Name: "schema", Usage: "refuse what is not one JSON object: 400", DisableDefaultText: true},
		&cli.GenericFlag{Name: "max-body", Value: &size, Usage: "refuse bodies above `BYTES`: 413"},
		&cli.StringFlag{Name: "token", Usage: "refuse requests without the bearer token `T`: 401"},
		&cli.StringFlag{Name: "token-file", Usage: "read the bearer token from `FILE`"},
		&cli.StringFlag{Name: "tls-cert", Usage: "speak TLS with the certificate chain in `FILE` (PEM)"},
		&cli.StringFlag{Name: "tls-key", Usage: "the private key of --tls-cert, in `FILE` (PEM)"},
		&cli.StringFlag{Name: "record", Usage: "write each request into `DIR`: NNNNNN.body as sent and NNNNNN.json"},
		&cli.StringFlag{Name: "stats-file", Usage: "write the counts into `FILE` at the end, as JSON"},
		&cli.Int64Flag{Name: "max-requests", Usage: "end after `N` requests", DefaultText: "never"},
		&cli.GenericFlag{Name: "max-runtime", Value: new(durationValue), Usage: "end after `D`", DefaultText: "never"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "one line per request on stderr", DisableDefaultText: true},
		&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true},
	}
}
