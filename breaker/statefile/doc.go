// Package statefile keeps one small file for a program that is started again and again: it is read
// at the start of a run and replaced when something has changed.
//
// # What it promises
//
// Read never follows a link, never waits for a FIFO, never reads a device and never reads more than
// MaxSize bytes.
//
// Write replaces the file by a rename, after an fsync of the content and before one of the
// directory. A reader sees either the old content or the new one, whole. After Write has returned,
// the new content survives a power cut.
//
// Write makes its temporary file exclusively and changes the mode through the handle that it writes
// to, never by path.
//
// EscapeJSON keeps what a terminal could obey out of a file of JSON.
//
// Errors keep their errno, so errors.Is finds fs.ErrPermission or ENOSPC in them. They do not name
// the file: the caller puts them into a sentence that does.
//
// # What a crash leaves behind
//
// A kill before the rename leaves a file named like the state file with digits appended. Sweep
// removes it. Where no new file can be made and InPlace allows it, Write overwrites the old file,
// and a crash can leave a mixture of both contents.
//
// # What it does not do
//
// It does not give files to other users: root becomes the owner of a directory before it writes
// there. It takes no lock, and it does not know what the content means. Whether a content that was
// read is good is for the caller to decide, who calls SetAside to keep a bad one for a person to
// see.
package statefile
