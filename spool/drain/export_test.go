package drain

// SetMaxDeferred bounds how many deferred items the index remembers.
func (x *Index) SetMaxDeferred(n int) { x.maxDeferred = n }
