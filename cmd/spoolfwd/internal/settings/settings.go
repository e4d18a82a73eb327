package settings

// Settings is every setting with its value and where the value came from.
type Settings struct {
	Values
	Table  []*Setting // in the order of help
	groups []Group
	given  map[string][]string // flags as written, by name
}

// New returns the settings with their defaults.
func New() *Settings {
	s := &Settings{Values: defaults(), given: make(map[string][]string)}
	s.groups = table(&s.Values)
	for _, g := range s.groups {
		for i := range g.Settings {
			s.Table = append(s.Table, &g.Settings[i])
		}
	}
	return s
}

// Of returns the settings that a command takes, in groups. Groups without any are left out.
func (s *Settings) Of(command Commands) []Group {
	var groups []Group
	for _, g := range s.groups {
		taken := Group{Name: g.Name}
		for _, t := range g.Settings {
			if t.commands&command != 0 {
				taken.Settings = append(taken.Settings, t)
			}
		}
		if taken.Settings != nil {
			groups = append(groups, taken)
		}
	}
	return groups
}

// find returns the setting of that name.
func (s *Settings) find(name string) *Setting { return s.flag(^Commands(0), name) }

// names returns the names of the settings that a condition lets pass.
func (s *Settings) names(pass func(*Setting) bool) []string {
	var names []string
	for _, t := range s.Table {
		if pass(t) {
			names = append(names, t.Name)
		}
	}
	return names
}
