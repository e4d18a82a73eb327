package main

import "sync"

// player serves the steps of a script one by one. It serves the last one for ever, or with loop
// begins again. Safe for concurrent use.
type player struct {
	mu    sync.Mutex
	steps script
	loop  bool
	at    int // the step being served
	used  int // how often it has been
}

func newPlayer(steps script, loop bool) *player { return &player{steps: steps, loop: loop} }

// next takes one step from the script.
func (p *player) next() step {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.steps[p.at]
	if p.used++; p.used < s.repeat {
		return s
	}
	switch last := p.at == len(p.steps)-1; {
	case !last:
		p.at, p.used = p.at+1, 0
	case p.loop:
		p.at, p.used = 0, 0
	default:
		p.used-- // the last step never runs out
	}
	return s
}

// replace puts a new script in the place of what is left. A nil loop leaves looping as it was.
func (p *player) replace(steps script, loop *bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps, p.at, p.used = steps, 0, 0
	if loop != nil {
		p.loop = *loop
	}
}

// rest returns the steps that this pass through the script has not served yet. The last step is
// always one of them, since it is served for ever.
func (p *player) rest() script {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := append(script(nil), p.steps[p.at:]...)
	rest[0].repeat -= p.used
	return rest
}
