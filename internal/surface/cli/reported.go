package cli

// reported is the error of a command whose result is printed already and says
// what is wrong, such as a report of checks: under --json a second document
// would break the script that reads it.
type reported struct{ error }

// Unwrap returns the error itself, for its exit code.
func (r reported) Unwrap() error { return r.error }
