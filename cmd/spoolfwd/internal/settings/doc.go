// Package settings is the one table of what a user can set. Flags, environment variables, keys of
// the configuration file, help, shell completion and the listing of check are all made from it.
//
// It promises:
//
//   - A flag wins over an environment variable, a variable over the file, the file over the
//     default. Each setting knows where its value came from.
//   - Every problem is reported, not the first one, and each names its place.
//   - An unknown flag, variable or key is never ignored in silence.
//   - A setting writes into the field of the Config that it belongs to. Its default is the value
//     that the field's package gives it, and its value is judged by that package.
//   - No message repeats a value that may be a secret.
//
// It deliberately does not use the flags of the command line library, which reads flags only before
// the first operand, splits values at commas, takes variables from the process alone and stops at
// the first problem. So the library's Category and Suggest, which hang on its flags, are not used
// either: Group orders the help, and Nearest suggests variables and keys as well as flags.
package settings
